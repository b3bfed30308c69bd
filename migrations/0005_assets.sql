-- Proof assets of partners, their events, and stored responses for idempotent requests.

create table proof_assets (
    asset_id          uuid        primary key,
    -- Current owner; a transfer changes only this column.
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
    -- json, not jsonb: keeps the partner's text and its validated length, whereas jsonb writes 1e308 with
    -- 309 digits. The column is not searched.
    metadata          json
        constraint proof_assets_metadata_object check (json_typeof(metadata) = 'object')
        constraint proof_assets_metadata_size check (octet_length(metadata::text) <= 16384),
    status            text        not null default 'active'
        constraint proof_assets_status_known check (status in ('active', 'suspended', 'retired')),
    minted_by         text        not null
        constraint proof_assets_minted_by references api_keys (key_id),
    -- Minting partner, independent of the current owner.
    minted_by_partner uuid        not null
        constraint proof_assets_minted_by_partner references partners (partner_id),
    created_at        timestamptz not null,
    updated_at        timestamptz not null,

    -- A hash is minted once per minting partner, for ever; of several concurrent mints, one succeeds.
    -- Led by the hash: lists are filtered by it.
    constraint proof_assets_minted_once unique (content_hash, minted_by_partner)
);

-- Lists are newest first: an admin key's over all assets, a partner's over its own.
create index proof_assets_newest on proof_assets (created_at desc, asset_id desc);
create index proof_assets_of_partner_newest on proof_assets (partner_id, created_at desc, asset_id desc);

-- Immutable columns of an asset; its retirement is final.
create function proof_assets_keep_identity() returns trigger language plpgsql set search_path = public, pg_temp as $$
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
create trigger proof_assets_identity_for_life before update on proof_assets
    for each row execute function proof_assets_keep_identity();

-- Events of an asset, append-only: changes and re-verifications. An asset with events can't be deleted.
create table asset_events (
    event_id   uuid        primary key,
    asset_id   uuid        not null
        constraint asset_events_asset references proof_assets (asset_id),
    at         timestamptz not null,
    kind       text        not null
        constraint asset_events_kind_known check (kind in ('minted', 'status_changed', 'transferred', 'reverified')),
    -- No foreign key: each re-verification would lock the row of the requesting key.
    actor      text        not null
        constraint asset_events_actor_form check (actor ~ '^(operator|key|cli|system):'),
    request_id text,
    details    jsonb       not null default '{}'
        constraint asset_events_details_object check (jsonb_typeof(details) = 'object')
);

create index asset_events_of_asset_newest on asset_events (asset_id, at desc, event_id desc);

create trigger asset_events_append_only before update or delete or truncate on asset_events
    for each statement execute function refuse_change();

-- Responses by Idempotency-Key, written in the transaction that they report. Rows older than a day are
-- ignored, and replaced or deleted.
create table idempotency_keys (
    partner_id      uuid        not null
        constraint idempotency_keys_partner references partners (partner_id) on delete cascade,
    route           text        not null,
    idempotency_key text        not null
        constraint idempotency_keys_form check (idempotency_key ~ '^[\u0021-\u007e]{1,255}$'),
    -- Hash of the request: a different request with the same key is rejected.
    request_hash    bytea       not null
        constraint idempotency_keys_request_hash_size check (octet_length(request_hash) = 32),
    -- JSON as text, so that the response is repeated byte for byte.
    answer          text        not null,
    created_at      timestamptz not null,
    primary key (partner_id, route, idempotency_key)
);
create index idempotency_keys_oldest on idempotency_keys (created_at);
