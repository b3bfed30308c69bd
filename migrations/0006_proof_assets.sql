-- Proof assets: what partners record, what was done to it, and the answers that are given again.

create table proof_assets (
    asset_id          uuid        primary key,
    -- Who owns it now; a transfer changes this alone.
    partner_id        uuid        not null
        constraint proof_assets_partner references partners (partner_id),
    content_hash      text        not null
        constraint proof_assets_content_hash_form check (content_hash ~ '^[0-9a-f]{64}$'),
    title             text        not null
        constraint proof_assets_title_length check (char_length(title) between 1 and 200)
        constraint proof_assets_title_trimmed check (title = btrim(title))
        constraint proof_assets_title_without_controls check (title !~ '[\u0001-\u001f\u007f-\u009f]'),
    external_ref      text
        constraint proof_assets_external_ref_length check (char_length(external_ref) between 1 and 200)
        constraint proof_assets_external_ref_trimmed check (external_ref = btrim(external_ref))
        constraint proof_assets_external_ref_without_controls check (external_ref !~ '[\u0001-\u001f\u007f-\u009f]'),
    -- json, not jsonb: the text is the partner's and stays as short as it was checked to be. jsonb
    -- writes 1e308 out in 309 digits; nothing searches in here.
    metadata          json
        constraint proof_assets_metadata_object check (json_typeof(metadata) = 'object')
        constraint proof_assets_metadata_size check (octet_length(metadata::text) <= 16384),
    status            text        not null default 'active'
        constraint proof_assets_status_known check (status in ('active', 'suspended', 'retired')),
    minted_by         text        not null
        constraint proof_assets_minted_by references api_keys (key_id),
    -- Whose hash it is, whoever owns the asset now.
    minted_by_partner uuid        not null
        constraint proof_assets_minted_by_partner references partners (partner_id),
    created_at        timestamptz not null,
    updated_at        timestamptz not null,

    -- A hash is minted once per minting partner, for ever; of several mints at once, one succeeds.
    constraint proof_assets_minted_once unique (minted_by_partner, content_hash)
);

-- Lists are newest first: an admin key's over all assets, a partner's over its own.
create index proof_assets_newest on proof_assets (created_at desc, asset_id desc);
create index proof_assets_of_partner_newest on proof_assets (partner_id, created_at desc, asset_id desc);
create index proof_assets_of_hash on proof_assets (content_hash);
-- The foreign key's: without it, whoever deletes a key reads all assets.
create index proof_assets_of_minting_key on proof_assets (minted_by);

-- What an asset is for life.
create function proof_assets_refuse_new_identity() returns trigger language plpgsql as $$
begin
    raise exception 'asset_id, content_hash, minted_by, minted_by_partner and created_at of % are for life', old.asset_id
        using errcode = 'check_violation', constraint = 'proof_assets_identity_for_life';
end
$$;
create trigger proof_assets_identity_for_life before update on proof_assets
    for each row when (
        old.asset_id <> new.asset_id or old.content_hash <> new.content_hash
        or old.minted_by <> new.minted_by or old.minted_by_partner <> new.minted_by_partner
        or old.created_at <> new.created_at)
    execute function proof_assets_refuse_new_identity();

create function proof_assets_refuse_revival() returns trigger language plpgsql as $$
begin
    raise exception 'asset % is retired, which is final', old.asset_id
        using errcode = 'check_violation', constraint = 'proof_assets_retired_is_final';
end
$$;
create trigger proof_assets_retired_is_final before update on proof_assets
    for each row when (
        old.status = 'retired' and (new.status <> 'retired' or new.partner_id <> old.partner_id))
    execute function proof_assets_refuse_revival();

-- An asset's own history: append-only, and beside the changes it holds the checks. The asset can't
-- be deleted from under it.
create table asset_events (
    event_id   uuid        primary key,
    asset_id   uuid        not null
        constraint asset_events_asset references proof_assets (asset_id),
    at         timestamptz not null,
    kind       text        not null
        constraint asset_events_kind_known check (kind in ('minted', 'status_changed', 'transferred', 'reverified')),
    -- No foreign key: each check of an asset would lock the row of the key that asked for it.
    actor      text        not null
        constraint asset_events_actor_form check (actor ~ '^(operator|key|cli|system):'),
    request_id text,
    details    jsonb       not null default '{}'
        constraint asset_events_details_object check (jsonb_typeof(details) = 'object')
);

create index asset_events_of_asset_newest on asset_events (asset_id, at desc, event_id desc);

create function asset_events_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'asset events are append-only'
        using errcode = 'check_violation', constraint = 'asset_events_append_only';
end
$$;
create trigger asset_events_append_only before update or delete on asset_events
    for each row execute function asset_events_refuse_change();
create trigger asset_events_no_truncate before truncate on asset_events
    for each statement execute function asset_events_refuse_change();

-- Answers under an Idempotency-Key, written in the transaction whose outcome they tell. A row that
-- is a day old counts as none; it is replaced or swept.
create table idempotency_keys (
    partner_id      uuid        not null
        constraint idempotency_keys_partner references partners (partner_id) on delete cascade,
    route           text        not null,
    idempotency_key text        not null
        constraint idempotency_keys_form check (idempotency_key ~ '^[\u0021-\u007e]{1,255}$'),
    -- What was asked for under the key: another body under it is refused.
    request_hash    bytea       not null
        constraint idempotency_keys_request_hash_size check (octet_length(request_hash) = 32),
    -- JSON as text, so that the answer is given again as it was written.
    answer          text        not null,
    created_at      timestamptz not null,
    primary key (partner_id, route, idempotency_key)
);

create index idempotency_keys_oldest on idempotency_keys (created_at);
