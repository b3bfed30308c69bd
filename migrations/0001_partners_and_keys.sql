-- Partners, their API keys, and the policy of key ages.
--
-- The constraints apply to every writer, including plain SQL. Two rules shape them:
--   * `update api_keys set revoked_at = now()`, `set not_after = …`, `set rate_per_minute = …`,
--     `set scopes = …` and `update partners set active = false` each suffice alone, so no CHECK
--     ties one of these columns to another;
--   * nothing here can be turned back into a token: `secret_hash` is
--     argon2id(HMAC-SHA256(pepper, secret)), `check_tag` reveals 32 of the secret's bits.
--
-- Functions in plpgsql set their search_path; functions in SQL have a body that is parsed when they
-- are created (`return …`). Either way the caller's search_path decides nothing.

create extension if not exists pg_trgm;

create table partners (
    partner_id       uuid        primary key,
    name             text        not null
        constraint partners_name_length check (char_length(name) between 2 and 200)
        constraint partners_name_trimmed check (name = btrim(name))
        constraint partners_name_without_controls check (name !~ '[\u0001-\u001f\u007f-\u009f]'),
    contact_email    text
        constraint partners_contact_email_form check (contact_email ~ '^[^@\s]+@[^@\s]+$'),
    active           boolean     not null default true,
    -- Overrides the installation's maximum (table `policy`), stricter or laxer.
    max_key_age_days integer
        constraint partners_max_key_age_bounded check (max_key_age_days between 1 and 3650),
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);

-- Lists are newest first and page by this pair.
create index partners_newest on partners (created_at desc, partner_id desc);
create index partners_by_name on partners (lower(name), partner_id);
create index partners_search on partners using gin (lower(name) gin_trgm_ops) with (fastupdate = off);

-- A CHECK takes no subquery, but a function.
create function are_distinct(texts text[]) returns boolean language sql immutable parallel safe
    return cardinality(texts) = (select count(distinct t) from unnest(texts) t);

create table api_keys (
    key_id             text        primary key
        constraint api_keys_key_id_form check (key_id ~ '^[A-Za-z0-9_-]{1,64}$'),
    partner_id         uuid        not null
        constraint api_keys_partner references partners (partner_id),
    name               text
        constraint api_keys_name_length check (char_length(name) between 1 and 100),
    environment        text        not null default 'production'
        constraint api_keys_environment_known check (environment in ('production', 'test', 'development')),
    scopes             text[]      not null
        constraint api_keys_scopes_distinct check (are_distinct(scopes))
        constraint api_keys_scopes_known check (
            cardinality(scopes) between 1 and 7
            and array_position(scopes, null) is null
            and scopes <@ array['assets:mint', 'assets:read', 'status:update', 'transfer:execute',
                                'audit:read', 'reverify', 'admin:*']),
    rate_per_minute    integer     not null default 300
        constraint api_keys_rate_positive check (rate_per_minute > 0),

    -- A PHC string.
    secret_hash        text        not null
        constraint api_keys_secret_hash_argon2id check (secret_hash ~ '^\$argon2id\$v=19\$'),
    -- First 4 bytes of an HMAC-SHA256 of the secret under a sub-key of the pepper; a wrong secret
    -- fails on it without Argon2. A legacy row has none until its first success.
    check_tag          bytea
        constraint api_keys_check_tag_size check (octet_length(check_tag) = 4),
    -- The pepper that the hash was made under; an imported row has none until its first success.
    pepper_fingerprint bytea
        constraint api_keys_pepper_fingerprint_size check (octet_length(pepper_fingerprint) = 8),
    -- Created by the registry's earlier Node version: the secret is 64 hex digits without a checksum.
    legacy             boolean     not null default false,

    -- Valid means not_before <= now < not_after.
    not_before         timestamptz not null default now(),
    not_after          timestamptz,

    created_at         timestamptz not null default now(),
    created_by         text        not null
        constraint api_keys_created_by_form check (created_by ~ '^(operator|key|cli|system):'),

    -- The predecessor. UNIQUE: of several concurrent rotations of one key, one succeeds.
    rotated_from       text
        constraint api_keys_rotated_from references api_keys (key_id)
        constraint api_keys_one_successor unique
        constraint api_keys_not_its_own_successor check (rotated_from <> key_id),
    -- The id of the lineage's first key, and how many rotations lie between. Both follow from
    -- `rotated_from` (trigger `api_keys_identity_for_life`), so whoever inserts a row leaves them out.
    lineage            text        not null,
    generation         integer     not null,

    -- Latest end of this key, set when it is rotated.
    retires_at         timestamptz,
    -- Grace period of the rotation: its length, and what starts it.
    grace_seconds      integer
        constraint api_keys_grace_seconds_bounded check (grace_seconds between 0 and 2592000),
    grace_starts       text
        constraint api_keys_grace_starts_known check (grace_starts in ('now', 'first_use')),
    -- Null while the grace period waits for the successor's first use.
    grace_started_at   timestamptz,

    revoked_at         timestamptz,
    revoked_reason     text
        constraint api_keys_revoked_reason_known check (revoked_reason in
            ('unspecified', 'key_compromise', 'superseded', 'cessation_of_operation', 'privilege_withdrawn')),
    revoked_note       text
        constraint api_keys_revoked_note_length check (char_length(revoked_note) <= 200),

    -- Searched text in one column, so that one index serves it.
    search_text        text        not null
        generated always as (E'\n' || lower(key_id) || E'\n' || coalesce(lower(name), '')) stored,

    constraint api_keys_modern_rows_are_complete check (
        legacy or (check_tag is not null and pepper_fingerprint is not null))
);
-- The default statistics target is too small for a column of distinct texts.
alter table api_keys alter column search_text set statistics 1000;
-- Or of windows yet to begin, which only a few of the newest keys have.
alter table api_keys alter column not_before set statistics 1000;

-- True if a key has a status at a time: the only SQL form of `KeyStatus::at`. For a constant status
-- the planner inlines the plain conditions, which have indexes and statistics; a function that returns
-- the status would hide both.
create function api_key_is(
    status text, revoked_at timestamptz, retires_at timestamptz, not_before timestamptz, not_after timestamptz,
    at timestamptz
) returns boolean language sql immutable parallel safe
    return case status
        when 'revoked' then revoked_at is not null or retires_at <= at
        when 'scheduled' then revoked_at is null and (retires_at is null or retires_at > at) and not_before > at
        when 'expired' then revoked_at is null and (retires_at is null or retires_at > at) and not_before <= at
            and not_after <= at
        when 'retiring' then revoked_at is null and retires_at > at and not_before <= at
            and (not_after is null or not_after > at)
        when 'active' then revoked_at is null and retires_at is null and not_before <= at
            and (not_after is null or not_after > at)
    end;

-- Includes the columns of searches and statuses, for index-only scans.
create index api_keys_newest on api_keys (created_at desc, key_id desc)
    include (search_text, partner_id, revoked_at, retires_at, not_before, not_after);
create index api_keys_of_partner_newest on api_keys (partner_id, created_at desc, key_id desc);
create index api_keys_of_lineage on api_keys (lineage, generation);
-- No pending list: keys are created seldom and searched often.
create index api_keys_search on api_keys using gin (search_text gin_trgm_ops) with (fastupdate = off);
-- A status follows from the row and the clock, so no index can hold it. These hold what a status
-- implies, where few keys have it.
create index api_keys_ended_newest on api_keys (created_at desc, key_id desc)
    where revoked_at is not null or retires_at is not null;
create index api_keys_retiring on api_keys (retires_at) where revoked_at is null and retires_at is not null;
create index api_keys_by_begin on api_keys (not_before) where revoked_at is null;
create index api_keys_by_end on api_keys (not_after, key_id) where not_after is not null;

-- Immutable columns of a key: its owner, its origin, its position in the lineage.
create function api_keys_keep_identity() returns trigger language plpgsql set search_path = public, pg_temp as $$
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
create trigger api_keys_identity_for_life
    before insert or update of key_id, partner_id, rotated_from, lineage, generation, created_at on api_keys
    for each row execute function api_keys_keep_identity();

-- The policy of key ages for the whole installation. Nothing here refuses a request: a key past its
-- age keeps working and is shown as due. Null disables a rule.
create table policy (
    only_row          boolean primary key default true
        constraint policy_only_row check (only_row),
    -- A key created longer ago than this is due for rotation.
    max_key_age_days  integer
        constraint policy_max_key_age_bounded check (max_key_age_days between 1 and 3650),
    -- A new key may not live longer than this.
    max_lifetime_days integer
        constraint policy_max_lifetime_bounded check (max_lifetime_days between 1 and 3650),
    -- A key that was not accepted for this long is stale.
    stale_after_days  integer default 90
        constraint policy_stale_after_bounded check (stale_after_days between 1 and 3650),
    updated_at        timestamptz not null default now()
);
insert into policy default values;

create function policy_refuse_removal() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    raise exception 'the policy can be changed, not removed: set its rules to null'
        using errcode = 'check_violation', constraint = 'policy_stays';
end
$$;
create trigger policy_stays before delete on policy for each row execute function policy_refuse_removal();

-- Every instance caches keys in memory. Each change of a row that decides whether a request is accepted is
-- announced on commit, including changes by plain SQL.
--
--   myproof_registry         `k:<key_id>`, `p:<partner_id>`, or `*` for "reload everything", which also
--                            stands for a statement that changed too many rows to list
--   myproof_registry_shown   empty: something that consoles show has changed. Names, notes and contacts
--                            affect no decision and are announced only here
create function announce_changes() returns trigger language plpgsql set search_path = public, pg_temp as $$
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
create trigger api_keys_announce_inserted after insert on api_keys
    referencing new table as new_rows for each statement execute function announce_changes();
create trigger api_keys_announce_updated after update on api_keys
    referencing old table as old_rows new table as new_rows
    for each statement execute function announce_changes();
create trigger api_keys_announce_deleted after delete on api_keys
    referencing old table as old_rows for each statement execute function announce_changes();
create trigger api_keys_announce_truncated after truncate on api_keys
    for each statement execute function announce_changes();
create trigger partners_announce_updated after update on partners
    referencing old table as old_rows new table as new_rows
    for each statement execute function announce_changes();
create trigger partners_announce_truncated after truncate on partners
    for each statement execute function announce_changes();
-- Rows from replication or a dump are announced too.
alter table api_keys
    enable always trigger api_keys_announce_inserted,
    enable always trigger api_keys_announce_updated,
    enable always trigger api_keys_announce_deleted,
    enable always trigger api_keys_announce_truncated;
alter table partners
    enable always trigger partners_announce_updated,
    enable always trigger partners_announce_truncated;
