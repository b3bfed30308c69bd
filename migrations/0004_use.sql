-- Usage of keys, written in batches by the server. It is stored separately, since frequent updates would
-- bloat and lock `api_keys`.

-- One row per key, from its creation on. Owner and creation never change
-- (`api_keys_identity_for_life`); they are repeated for the indexes.
create table api_key_last_use (
    key_id          text        primary key
        constraint api_key_last_use_key references api_keys (key_id) on delete cascade,
    partner_id      uuid         not null,
    created_at      timestamptz not null,
    -- Null until the first acceptance.
    last_used_at    timestamptz,
    last_used_ip    inet,
    -- Last refusal because of the key's state or a wrong secret, not because of an exceeded rate.
    -- `api_key_usage` stores only the hour.
    last_refused_at timestamptz
) with (fillfactor = 70);
-- By last use, followed by never-used keys, newest first.
create index api_key_last_use_latest
    on api_key_last_use (last_used_at desc nulls last, created_at desc, key_id desc);
create index api_key_last_use_of_partner
    on api_key_last_use (partner_id, last_used_at desc nulls last, created_at desc, key_id desc);
create index api_key_last_use_refused on api_key_last_use (last_refused_at) where last_refused_at is not null;

create function api_keys_begin_use() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    insert into api_key_last_use (key_id, partner_id, created_at)
    select key_id, partner_id, created_at from new_rows;
    return null;
end
$$;
create trigger api_keys_begin_use after insert on api_keys
    referencing new table as new_rows for each statement execute function api_keys_begin_use();

-- Number of verifications of a key by hour and outcome. The latest second may be missing. Deleting a key
-- deletes its counts.
create table api_key_usage (
    key_id  text        not null
        constraint api_key_usage_key references api_keys (key_id) on delete cascade,
    hour    timestamptz not null
        constraint api_key_usage_hour_whole check (date_trunc('hour', hour, 'UTC') = hour),
    outcome text        not null
        constraint api_key_usage_outcome_known check (outcome in
            ('accepted', 'rate_limited', 'secret_mismatch', 'key_inactive', 'partner_inactive',
             'not_yet_valid', 'expired')),
    uses    bigint      not null
        constraint api_key_usage_uses_counted check (uses > 0),
    primary key (key_id, hour, outcome)
) with (fillfactor = 80);
