-- The schema after all migrations, by pg_dump of PostgreSQL 15. Generated: do not edit.

CREATE SCHEMA public;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE FUNCTION public.announce_changes() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    changed text[];
begin
    if tg_op = 'TRUNCATE' then
        changed := array['*'];
    elsif tg_table_name = 'partners' then
        select array_agg('p:' || o.partner_id) into changed
          from old_rows o join new_rows n on n.partner_id = o.partner_id
         where o.active <> n.active;
    elsif tg_op = 'INSERT' then
        -- An instance may remember that there is no such key.
        select array_agg('k:' || key_id) into changed from new_rows;
    elsif tg_op = 'DELETE' then
        select array_agg('k:' || key_id) into changed from old_rows;
    else
        select array_agg('k:' || o.key_id) into changed
          from old_rows o join new_rows n on n.key_id = o.key_id
         where (o.scopes, o.rate_per_minute, o.not_before, o.not_after, o.retires_at, o.revoked_at,
                o.secret_hash, o.check_tag, o.pepper_fingerprint, o.legacy)
               is distinct from
               (n.scopes, n.rate_per_minute, n.not_before, n.not_after, n.retires_at, n.revoked_at,
                n.secret_hash, n.check_tag, n.pepper_fingerprint, n.legacy);
    end if;
    if cardinality(changed) > 300 then
        changed := array['*'];
    end if;
    perform pg_notify('myproof_registry', payload) from unnest(changed) payload;
    if tg_op = 'UPDATE' then
        perform pg_notify('myproof_registry_shown', '') from new_rows limit 1;
    elsif changed is not null then
        perform pg_notify('myproof_registry_shown', '');
    end if;
    return null;
end
$$;

CREATE FUNCTION public.api_key_is(status text, revoked_at timestamp with time zone, retires_at timestamp with time zone, not_before timestamp with time zone, not_after timestamp with time zone, at timestamp with time zone) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE status WHEN 'revoked'::text THEN ((revoked_at IS NOT NULL) OR (retires_at <= at)) WHEN 'scheduled'::text THEN ((revoked_at IS NULL) AND ((retires_at IS NULL) OR (retires_at > at)) AND (not_before > at)) WHEN 'expired'::text THEN ((revoked_at IS NULL) AND ((retires_at IS NULL) OR (retires_at > at)) AND (not_before <= at) AND (not_after <= at)) WHEN 'retiring'::text THEN ((revoked_at IS NULL) AND (retires_at > at) AND (not_before <= at) AND ((not_after IS NULL) OR (not_after > at))) WHEN 'active'::text THEN ((revoked_at IS NULL) AND (retires_at IS NULL) AND (not_before <= at) AND ((not_after IS NULL) OR (not_after > at))) ELSE NULL::boolean END;

CREATE FUNCTION public.api_keys_begin_use() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    insert into api_key_last_use (key_id, partner_id, created_at)
    select key_id, partner_id, created_at from new_rows;
    return null;
end
$$;

CREATE FUNCTION public.api_keys_keep_identity() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    if tg_op = 'UPDATE' then
        if (old.key_id, old.partner_id, old.rotated_from, old.lineage, old.generation, old.created_at)
            is distinct from
           (new.key_id, new.partner_id, new.rotated_from, new.lineage, new.generation, new.created_at) then
            raise exception 'key_id, partner_id, rotated_from, lineage, generation and created_at of % are for life', old.key_id
                using errcode = 'check_violation', constraint = 'api_keys_identity_for_life';
        end if;
        return new;
    end if;
    new.lineage := new.key_id;
    new.generation := 0;
    if new.rotated_from <> new.key_id then
        select rotated.lineage, rotated.generation + 1 into new.lineage, new.generation
          from api_keys rotated where rotated.key_id = new.rotated_from;
        if not found then
            raise exception 'there is no key % to be the predecessor of %', new.rotated_from, new.key_id
                using errcode = 'foreign_key_violation', constraint = 'api_keys_rotated_from';
        end if;
    end if;
    return new;
end
$$;

CREATE FUNCTION public.are_distinct(texts text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (cardinality(texts) = (SELECT count(DISTINCT t.t) AS count FROM unnest(are_distinct.texts) t(t)));

CREATE FUNCTION public.policy_refuse_removal() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    raise exception 'the policy can be changed, not removed: set its rules to null'
        using errcode = 'check_violation', constraint = 'policy_stays';
end
$$;

CREATE FUNCTION public.proof_assets_keep_identity() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    if (old.asset_id, old.content_hash, old.minted_by, old.minted_by_partner, old.created_at)
        is distinct from
       (new.asset_id, new.content_hash, new.minted_by, new.minted_by_partner, new.created_at) then
        raise exception 'asset_id, content_hash, minted_by, minted_by_partner and created_at of % are for life', old.asset_id
            using errcode = 'check_violation', constraint = 'proof_assets_identity_for_life';
    end if;
    if old.status = 'retired' and (new.status <> 'retired' or new.partner_id <> old.partner_id) then
        raise exception 'asset % is retired, which is final', old.asset_id
            using errcode = 'check_violation', constraint = 'proof_assets_retired_is_final';
    end if;
    return new;
end
$$;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    raise exception 'table % is append-only', tg_table_name
        using errcode = 'check_violation', constraint = tg_table_name || '_append_only';
end
$$;

CREATE TABLE public.api_key_last_use (
    key_id text NOT NULL,
    partner_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    last_used_ip inet,
    last_refused_at timestamp with time zone
)
WITH (fillfactor='70');

CREATE TABLE public.api_key_usage (
    key_id text NOT NULL,
    hour timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    uses bigint NOT NULL,
    CONSTRAINT api_key_usage_hour_whole CHECK ((date_trunc('hour'::text, hour, 'UTC'::text) = hour)),
    CONSTRAINT api_key_usage_outcome_known CHECK ((outcome = ANY (ARRAY['accepted'::text, 'rate_limited'::text, 'secret_mismatch'::text, 'key_inactive'::text, 'partner_inactive'::text, 'not_yet_valid'::text, 'expired'::text]))),
    CONSTRAINT api_key_usage_uses_counted CHECK ((uses > 0))
)
WITH (fillfactor='80');

CREATE TABLE public.api_keys (
    key_id text NOT NULL,
    partner_id uuid NOT NULL,
    name text,
    environment text DEFAULT 'production'::text NOT NULL,
    scopes text[] NOT NULL,
    rate_per_minute integer DEFAULT 300 NOT NULL,
    secret_hash text NOT NULL,
    check_tag bytea,
    pepper_fingerprint bytea,
    legacy boolean DEFAULT false NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    not_after timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    rotated_from text,
    lineage text NOT NULL,
    generation integer NOT NULL,
    retires_at timestamp with time zone,
    grace_seconds integer,
    grace_starts text,
    grace_started_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_reason text,
    revoked_note text,
    search_text text GENERATED ALWAYS AS (((('
'::text || lower(key_id)) || '
'::text) || COALESCE(lower(name), ''::text))) STORED NOT NULL,
    CONSTRAINT api_keys_check_tag_size CHECK ((octet_length(check_tag) = 4)),
    CONSTRAINT api_keys_created_by_form CHECK ((created_by ~ '^(operator|key|cli|system):'::text)),
    CONSTRAINT api_keys_environment_known CHECK ((environment = ANY (ARRAY['production'::text, 'test'::text, 'development'::text]))),
    CONSTRAINT api_keys_grace_seconds_bounded CHECK (((grace_seconds >= 0) AND (grace_seconds <= 2592000))),
    CONSTRAINT api_keys_grace_starts_known CHECK ((grace_starts = ANY (ARRAY['now'::text, 'first_use'::text]))),
    CONSTRAINT api_keys_key_id_form CHECK ((key_id ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT api_keys_modern_rows_are_complete CHECK ((legacy OR ((check_tag IS NOT NULL) AND (pepper_fingerprint IS NOT NULL)))),
    CONSTRAINT api_keys_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 100))),
    CONSTRAINT api_keys_not_its_own_successor CHECK ((rotated_from <> key_id)),
    CONSTRAINT api_keys_pepper_fingerprint_size CHECK ((octet_length(pepper_fingerprint) = 8)),
    CONSTRAINT api_keys_rate_positive CHECK ((rate_per_minute > 0)),
    CONSTRAINT api_keys_revoked_note_length CHECK ((char_length(revoked_note) <= 200)),
    CONSTRAINT api_keys_revoked_reason_known CHECK ((revoked_reason = ANY (ARRAY['unspecified'::text, 'key_compromise'::text, 'superseded'::text, 'cessation_of_operation'::text, 'privilege_withdrawn'::text]))),
    CONSTRAINT api_keys_scopes_distinct CHECK (public.are_distinct(scopes)),
    CONSTRAINT api_keys_scopes_known CHECK ((((cardinality(scopes) >= 1) AND (cardinality(scopes) <= 7)) AND (array_position(scopes, NULL::text) IS NULL) AND (scopes <@ ARRAY['assets:mint'::text, 'assets:read'::text, 'status:update'::text, 'transfer:execute'::text, 'audit:read'::text, 'reverify'::text, 'admin:*'::text]))),
    CONSTRAINT api_keys_secret_hash_argon2id CHECK ((secret_hash ~ '^\$argon2id\$v=19\$'::text))
);
ALTER TABLE ONLY public.api_keys ALTER COLUMN not_before SET STATISTICS 1000;
ALTER TABLE ONLY public.api_keys ALTER COLUMN search_text SET STATISTICS 1000;

CREATE TABLE public.asset_events (
    event_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    request_id text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT asset_events_actor_form CHECK ((actor ~ '^(operator|key|cli|system):'::text)),
    CONSTRAINT asset_events_details_object CHECK ((jsonb_typeof(details) = 'object'::text)),
    CONSTRAINT asset_events_kind_known CHECK ((kind = ANY (ARRAY['minted'::text, 'status_changed'::text, 'transferred'::text, 'reverified'::text])))
);

CREATE TABLE public.audit_checkpoints (
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    at timestamp with time zone NOT NULL,
    fingerprint bytea NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT audit_checkpoints_fingerprint_size CHECK ((octet_length(fingerprint) = 8)),
    CONSTRAINT audit_checkpoints_hash_size CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_checkpoints_seq_positive CHECK ((seq > 0)),
    CONSTRAINT audit_checkpoints_signature_size CHECK ((octet_length(signature) = 32))
);

CREATE TABLE public.audit_events (
    seq bigint NOT NULL,
    event_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    actor_type text NOT NULL,
    actor_id text NOT NULL,
    action text NOT NULL,
    key_id text,
    partner_id uuid,
    asset_id uuid,
    ip inet,
    request_id text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    version smallint NOT NULL,
    canonical bytea NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_events_actor_known CHECK ((actor_type = ANY (ARRAY['operator'::text, 'key'::text, 'cli'::text, 'system'::text]))),
    CONSTRAINT audit_events_hash_size CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_events_hash_true CHECK ((hash = sha256((prev_hash || canonical)))),
    CONSTRAINT audit_events_prev_hash_size CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT audit_events_seq_positive CHECK ((seq > 0))
);

CREATE TABLE public.audit_head (
    only_row boolean DEFAULT true NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_hash_size CHECK ((octet_length(hash) = 32)),
    CONSTRAINT audit_head_only_row CHECK (only_row)
);

CREATE TABLE public.deliveries (
    delivery_id uuid DEFAULT gen_random_uuid() NOT NULL,
    notice_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    webhook_id uuid,
    email text,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    give_up_at timestamp with time zone NOT NULL,
    last_attempt_at timestamp with time zone,
    last_code integer,
    last_error text,
    last_millis integer,
    CONSTRAINT deliveries_by_one_way CHECK (((webhook_id IS NULL) <> (email IS NULL))),
    CONSTRAINT deliveries_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
);

CREATE TABLE public.idempotency_keys (
    partner_id uuid NOT NULL,
    route text NOT NULL,
    idempotency_key text NOT NULL,
    request_hash bytea NOT NULL,
    answer text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_keys_form CHECK ((idempotency_key ~ '^[\u0021-\u007e]{1,255}$'::text)),
    CONSTRAINT idempotency_keys_request_hash_size CHECK ((octet_length(request_hash) = 32))
);

CREATE TABLE public.notices (
    notice_id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    partner_id uuid NOT NULL,
    key_id text NOT NULL,
    at timestamp with time zone NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    once text,
    handed_out boolean DEFAULT false NOT NULL,
    CONSTRAINT notices_kind_known CHECK ((kind = ANY (ARRAY['key.issued'::text, 'key.rotated'::text, 'key.revoked'::text, 'key.restored'::text, 'key.expiring'::text, 'key.rotation_due'::text, 'key.first_used'::text])))
);

CREATE TABLE public.operator_factors (
    operator_id uuid NOT NULL,
    sealed_secret bytea NOT NULL,
    pepper_fingerprint bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    CONSTRAINT operator_factors_fingerprint_size CHECK ((octet_length(pepper_fingerprint) = 8))
);

CREATE TABLE public.operator_recovery_codes (
    operator_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    used_at timestamp with time zone,
    pepper_fingerprint bytea NOT NULL,
    CONSTRAINT operator_recovery_codes_fingerprint_size CHECK ((octet_length(pepper_fingerprint) = 8)),
    CONSTRAINT operator_recovery_codes_hash_size CHECK ((octet_length(code_hash) = 32))
);

CREATE TABLE public.operator_sessions (
    session_hash bytea NOT NULL,
    operator_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    session_id uuid DEFAULT gen_random_uuid() NOT NULL,
    ip inet,
    awaits_factor boolean DEFAULT false NOT NULL,
    factor_at timestamp with time zone,
    former_hash bytea,
    renewed_at timestamp with time zone,
    CONSTRAINT operator_sessions_awaited_is_not_shown CHECK (((NOT awaits_factor) OR (factor_at IS NULL))),
    CONSTRAINT operator_sessions_former_hash_size CHECK ((octet_length(former_hash) = 32)),
    CONSTRAINT operator_sessions_hash_size CHECK ((octet_length(session_hash) = 32)),
    CONSTRAINT operator_sessions_renewed_from_another CHECK ((((former_hash IS NULL) = (renewed_at IS NULL)) AND (former_hash <> session_hash))),
    CONSTRAINT operator_sessions_seen_after_created CHECK ((last_seen_at >= created_at))
);

CREATE TABLE public.operators (
    operator_id uuid NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT operators_email_lower_case CHECK ((email = lower(email))),
    CONSTRAINT operators_password_hash_argon2id CHECK ((password_hash ~ '^\$argon2id\$v=19\$'::text)),
    CONSTRAINT operators_role_known CHECK ((role = ANY (ARRAY['admin'::text, 'auditor'::text])))
);

CREATE TABLE public.partners (
    partner_id uuid NOT NULL,
    name text NOT NULL,
    contact_email text,
    active boolean DEFAULT true NOT NULL,
    max_key_age_days integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT partners_contact_email_form CHECK ((contact_email ~ '^[^@\s]+@[^@\s]+$'::text)),
    CONSTRAINT partners_max_key_age_bounded CHECK (((max_key_age_days >= 1) AND (max_key_age_days <= 3650))),
    CONSTRAINT partners_name_length CHECK (((char_length(name) >= 2) AND (char_length(name) <= 200))),
    CONSTRAINT partners_name_trimmed CHECK ((name = btrim(name))),
    CONSTRAINT partners_name_without_controls CHECK ((name !~ '[\u0001-\u001f\u007f-\u009f]'::text))
);

CREATE TABLE public.policy (
    only_row boolean DEFAULT true NOT NULL,
    max_key_age_days integer,
    max_lifetime_days integer,
    stale_after_days integer DEFAULT 90,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT policy_max_key_age_bounded CHECK (((max_key_age_days >= 1) AND (max_key_age_days <= 3650))),
    CONSTRAINT policy_max_lifetime_bounded CHECK (((max_lifetime_days >= 1) AND (max_lifetime_days <= 3650))),
    CONSTRAINT policy_only_row CHECK (only_row),
    CONSTRAINT policy_stale_after_bounded CHECK (((stale_after_days >= 1) AND (stale_after_days <= 3650)))
);

CREATE TABLE public.proof_assets (
    asset_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    content_hash text NOT NULL,
    title text NOT NULL,
    external_ref text,
    metadata json,
    status text DEFAULT 'active'::text NOT NULL,
    minted_by text NOT NULL,
    minted_by_partner uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT proof_assets_content_hash_form CHECK ((content_hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT proof_assets_external_ref_length CHECK (((char_length(external_ref) >= 1) AND (char_length(external_ref) <= 200))),
    CONSTRAINT proof_assets_external_ref_trimmed CHECK ((external_ref = btrim(external_ref))),
    CONSTRAINT proof_assets_external_ref_without_controls CHECK ((external_ref !~ '[\u0001-\u001f\u007f-\u009f]'::text)),
    CONSTRAINT proof_assets_metadata_object CHECK ((json_typeof(metadata) = 'object'::text)),
    CONSTRAINT proof_assets_metadata_size CHECK ((octet_length((metadata)::text) <= 16384)),
    CONSTRAINT proof_assets_status_known CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text, 'retired'::text]))),
    CONSTRAINT proof_assets_title_length CHECK (((char_length(title) >= 1) AND (char_length(title) <= 200))),
    CONSTRAINT proof_assets_title_trimmed CHECK ((title = btrim(title))),
    CONSTRAINT proof_assets_title_without_controls CHECK ((title !~ '[\u0001-\u001f\u007f-\u009f]'::text))
);

CREATE TABLE public.sign_in_attempts (
    subject bytea NOT NULL,
    failures integer NOT NULL,
    last_at timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone NOT NULL,
    CONSTRAINT sign_in_attempts_failures_counted CHECK ((failures >= 0)),
    CONSTRAINT sign_in_attempts_subject_size CHECK ((octet_length(subject) = 32))
);

CREATE TABLE public.webhooks (
    webhook_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    url text NOT NULL,
    kinds text[] NOT NULL,
    sealed_secret bytea NOT NULL,
    pepper_fingerprint bytea NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhooks_kinds_known CHECK ((((cardinality(kinds) >= 1) AND (cardinality(kinds) <= 7)) AND (array_position(kinds, NULL::text) IS NULL) AND (kinds <@ ARRAY['key.issued'::text, 'key.rotated'::text, 'key.revoked'::text, 'key.restored'::text, 'key.expiring'::text, 'key.rotation_due'::text, 'key.first_used'::text]))),
    CONSTRAINT webhooks_pepper_fingerprint_size CHECK ((octet_length(pepper_fingerprint) = 8)),
    CONSTRAINT webhooks_url_length CHECK (((char_length(url) >= 8) AND (char_length(url) <= 2000)))
);

ALTER TABLE ONLY public.api_key_last_use
    ADD CONSTRAINT api_key_last_use_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY public.api_key_usage
    ADD CONSTRAINT api_key_usage_pkey PRIMARY KEY (key_id, hour, outcome);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_one_successor UNIQUE (rotated_from);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY public.asset_events
    ADD CONSTRAINT asset_events_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.audit_checkpoints
    ADD CONSTRAINT audit_checkpoints_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_event_id_unique UNIQUE (event_id);

ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.audit_events
    ADD CONSTRAINT audit_events_unforked UNIQUE (prev_hash);

ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (delivery_id);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (partner_id, route, idempotency_key);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_once UNIQUE (once);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (notice_id);

ALTER TABLE ONLY public.operator_factors
    ADD CONSTRAINT operator_factors_pkey PRIMARY KEY (operator_id);

ALTER TABLE ONLY public.operator_recovery_codes
    ADD CONSTRAINT operator_recovery_codes_pkey PRIMARY KEY (operator_id, code_hash);

ALTER TABLE ONLY public.operator_sessions
    ADD CONSTRAINT operator_sessions_id UNIQUE (session_id);

ALTER TABLE ONLY public.operator_sessions
    ADD CONSTRAINT operator_sessions_pkey PRIMARY KEY (session_hash);

ALTER TABLE ONLY public.operators
    ADD CONSTRAINT operators_email_unique UNIQUE (email);

ALTER TABLE ONLY public.operators
    ADD CONSTRAINT operators_pkey PRIMARY KEY (operator_id);

ALTER TABLE ONLY public.partners
    ADD CONSTRAINT partners_pkey PRIMARY KEY (partner_id);

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.proof_assets
    ADD CONSTRAINT proof_assets_minted_once UNIQUE (content_hash, minted_by_partner);

ALTER TABLE ONLY public.proof_assets
    ADD CONSTRAINT proof_assets_pkey PRIMARY KEY (asset_id);

ALTER TABLE ONLY public.sign_in_attempts
    ADD CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (webhook_id);

CREATE INDEX api_key_last_use_latest ON public.api_key_last_use USING btree (last_used_at DESC NULLS LAST, created_at DESC, key_id DESC);

CREATE INDEX api_key_last_use_of_partner ON public.api_key_last_use USING btree (partner_id, last_used_at DESC NULLS LAST, created_at DESC, key_id DESC);

CREATE INDEX api_key_last_use_refused ON public.api_key_last_use USING btree (last_refused_at) WHERE (last_refused_at IS NOT NULL);

CREATE INDEX api_keys_by_begin ON public.api_keys USING btree (not_before) WHERE (revoked_at IS NULL);

CREATE INDEX api_keys_by_end ON public.api_keys USING btree (not_after, key_id) WHERE (not_after IS NOT NULL);

CREATE INDEX api_keys_ended_newest ON public.api_keys USING btree (created_at DESC, key_id DESC) WHERE ((revoked_at IS NOT NULL) OR (retires_at IS NOT NULL));

CREATE INDEX api_keys_newest ON public.api_keys USING btree (created_at DESC, key_id DESC) INCLUDE (search_text, partner_id, revoked_at, retires_at, not_before, not_after);

CREATE INDEX api_keys_of_lineage ON public.api_keys USING btree (lineage, generation);

CREATE INDEX api_keys_of_partner_newest ON public.api_keys USING btree (partner_id, created_at DESC, key_id DESC);

CREATE INDEX api_keys_retiring ON public.api_keys USING btree (retires_at) WHERE ((revoked_at IS NULL) AND (retires_at IS NOT NULL));

CREATE INDEX api_keys_search ON public.api_keys USING gin (search_text public.gin_trgm_ops) WITH (fastupdate=off);

CREATE INDEX asset_events_of_asset_newest ON public.asset_events USING btree (asset_id, at DESC, event_id DESC);

CREATE INDEX audit_events_newest ON public.audit_events USING btree (at DESC, event_id DESC);

CREATE INDEX audit_events_of_key ON public.audit_events USING btree (key_id, at DESC, event_id DESC) WHERE (key_id IS NOT NULL);

CREATE INDEX audit_events_of_partner ON public.audit_events USING btree (partner_id, at DESC, event_id DESC) WHERE (partner_id IS NOT NULL);

CREATE INDEX deliveries_due ON public.deliveries USING btree (next_attempt_at) WHERE (status = 'pending'::text);

CREATE INDEX deliveries_of_notice ON public.deliveries USING btree (notice_id);

CREATE INDEX deliveries_of_partner ON public.deliveries USING btree (partner_id, created_at DESC, delivery_id DESC);

CREATE INDEX deliveries_of_webhook ON public.deliveries USING btree (webhook_id, created_at DESC, delivery_id DESC) WHERE (webhook_id IS NOT NULL);

CREATE INDEX idempotency_keys_oldest ON public.idempotency_keys USING btree (created_at);

CREATE INDEX notices_waiting ON public.notices USING btree (at) WHERE (NOT handed_out);

CREATE INDEX operator_sessions_former ON public.operator_sessions USING btree (former_hash) WHERE (former_hash IS NOT NULL);

CREATE INDEX operator_sessions_of_operator ON public.operator_sessions USING btree (operator_id);

CREATE INDEX partners_by_name ON public.partners USING btree (lower(name), partner_id);

CREATE INDEX partners_newest ON public.partners USING btree (created_at DESC, partner_id DESC);

CREATE INDEX partners_search ON public.partners USING gin (lower(name) public.gin_trgm_ops) WITH (fastupdate=off);

CREATE INDEX proof_assets_newest ON public.proof_assets USING btree (created_at DESC, asset_id DESC);

CREATE INDEX proof_assets_of_partner_newest ON public.proof_assets USING btree (partner_id, created_at DESC, asset_id DESC);

CREATE INDEX webhooks_of_partner ON public.webhooks USING btree (partner_id, created_at, webhook_id);

CREATE TRIGGER api_keys_announce_deleted AFTER DELETE ON public.api_keys REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.announce_changes();

ALTER TABLE public.api_keys ENABLE ALWAYS TRIGGER api_keys_announce_deleted;

CREATE TRIGGER api_keys_announce_inserted AFTER INSERT ON public.api_keys REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.announce_changes();

ALTER TABLE public.api_keys ENABLE ALWAYS TRIGGER api_keys_announce_inserted;

CREATE TRIGGER api_keys_announce_truncated AFTER TRUNCATE ON public.api_keys FOR EACH STATEMENT EXECUTE FUNCTION public.announce_changes();

ALTER TABLE public.api_keys ENABLE ALWAYS TRIGGER api_keys_announce_truncated;

CREATE TRIGGER api_keys_announce_updated AFTER UPDATE ON public.api_keys REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.announce_changes();

ALTER TABLE public.api_keys ENABLE ALWAYS TRIGGER api_keys_announce_updated;

CREATE TRIGGER api_keys_begin_use AFTER INSERT ON public.api_keys REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.api_keys_begin_use();

CREATE TRIGGER api_keys_identity_for_life BEFORE INSERT OR UPDATE OF key_id, partner_id, rotated_from, lineage, generation, created_at ON public.api_keys FOR EACH ROW EXECUTE FUNCTION public.api_keys_keep_identity();

CREATE TRIGGER asset_events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.asset_events FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER audit_checkpoints_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER audit_events_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_events FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER partners_announce_truncated AFTER TRUNCATE ON public.partners FOR EACH STATEMENT EXECUTE FUNCTION public.announce_changes();

ALTER TABLE public.partners ENABLE ALWAYS TRIGGER partners_announce_truncated;

CREATE TRIGGER partners_announce_updated AFTER UPDATE ON public.partners REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.announce_changes();

ALTER TABLE public.partners ENABLE ALWAYS TRIGGER partners_announce_updated;

CREATE TRIGGER policy_stays BEFORE DELETE ON public.policy FOR EACH ROW EXECUTE FUNCTION public.policy_refuse_removal();

CREATE TRIGGER proof_assets_identity_for_life BEFORE UPDATE ON public.proof_assets FOR EACH ROW EXECUTE FUNCTION public.proof_assets_keep_identity();

ALTER TABLE ONLY public.api_key_last_use
    ADD CONSTRAINT api_key_last_use_key FOREIGN KEY (key_id) REFERENCES public.api_keys(key_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_key_usage
    ADD CONSTRAINT api_key_usage_key FOREIGN KEY (key_id) REFERENCES public.api_keys(key_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_partner FOREIGN KEY (partner_id) REFERENCES public.partners(partner_id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_rotated_from FOREIGN KEY (rotated_from) REFERENCES public.api_keys(key_id);

ALTER TABLE ONLY public.asset_events
    ADD CONSTRAINT asset_events_asset FOREIGN KEY (asset_id) REFERENCES public.proof_assets(asset_id);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_notice FOREIGN KEY (notice_id) REFERENCES public.notices(notice_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_webhook FOREIGN KEY (webhook_id) REFERENCES public.webhooks(webhook_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_partner FOREIGN KEY (partner_id) REFERENCES public.partners(partner_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_key FOREIGN KEY (key_id) REFERENCES public.api_keys(key_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_partner FOREIGN KEY (partner_id) REFERENCES public.partners(partner_id);

ALTER TABLE ONLY public.operator_factors
    ADD CONSTRAINT operator_factors_operator FOREIGN KEY (operator_id) REFERENCES public.operators(operator_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.operator_recovery_codes
    ADD CONSTRAINT operator_recovery_codes_factor FOREIGN KEY (operator_id) REFERENCES public.operator_factors(operator_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.operator_sessions
    ADD CONSTRAINT operator_sessions_operator FOREIGN KEY (operator_id) REFERENCES public.operators(operator_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.proof_assets
    ADD CONSTRAINT proof_assets_minted_by FOREIGN KEY (minted_by) REFERENCES public.api_keys(key_id);

ALTER TABLE ONLY public.proof_assets
    ADD CONSTRAINT proof_assets_minted_by_partner FOREIGN KEY (minted_by_partner) REFERENCES public.partners(partner_id);

ALTER TABLE ONLY public.proof_assets
    ADD CONSTRAINT proof_assets_partner FOREIGN KEY (partner_id) REFERENCES public.partners(partner_id);

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_partner FOREIGN KEY (partner_id) REFERENCES public.partners(partner_id);
