-- Every instance keeps what it knows of keys in memory. Whatever changes a row that decides whether a
-- request is accepted tells them, plain SQL included, when it commits.
--
-- One channel; a payload is `k:<key_id>`, `p:<partner_id>`, or `*` for "read everything again", which
-- also stands for a statement that changed more rows than are worth naming. Columns that decide
-- nothing (names, notes, contacts) tell nobody.

create function registry_tell(prefix text, ids text[]) returns void language plpgsql as $$
begin
    if cardinality(ids) > 300 then
        perform pg_notify('myproof_registry', '*');
    elsif cardinality(ids) > 0 then
        perform pg_notify('myproof_registry', prefix || id) from unnest(ids) id;
    end if;
end
$$;

create function api_keys_tell_inserted() returns trigger language plpgsql as $$
begin
    -- An instance may remember that there is no such key.
    perform registry_tell('k:', (select array_agg(key_id) from new_rows));
    return null;
end
$$;
create function api_keys_tell_updated() returns trigger language plpgsql as $$
begin
    perform registry_tell('k:', (
        select array_agg(o.key_id)
          from old_rows o join new_rows n on n.key_id = o.key_id
         where (o.scopes, o.rate_per_minute, o.not_before, o.not_after, o.retires_at, o.revoked_at,
                o.secret_hash, o.check_tag, o.pepper_fingerprint, o.legacy)
               is distinct from
               (n.scopes, n.rate_per_minute, n.not_before, n.not_after, n.retires_at, n.revoked_at,
                n.secret_hash, n.check_tag, n.pepper_fingerprint, n.legacy)));
    return null;
end
$$;
create function api_keys_tell_deleted() returns trigger language plpgsql as $$
begin
    perform registry_tell('k:', (select array_agg(key_id) from old_rows));
    return null;
end
$$;
create function partners_tell_updated() returns trigger language plpgsql as $$
begin
    perform registry_tell('p:', (
        select array_agg(o.partner_id::text)
          from old_rows o join new_rows n on n.partner_id = o.partner_id
         where o.active <> n.active));
    return null;
end
$$;
create function registry_tell_all() returns trigger language plpgsql as $$
begin
    perform pg_notify('myproof_registry', '*');
    return null;
end
$$;

create trigger api_keys_tell_inserted after insert on api_keys
    referencing new table as new_rows for each statement execute function api_keys_tell_inserted();
create trigger api_keys_tell_updated after update on api_keys
    referencing old table as old_rows new table as new_rows
    for each statement execute function api_keys_tell_updated();
create trigger api_keys_tell_deleted after delete on api_keys
    referencing old table as old_rows for each statement execute function api_keys_tell_deleted();
create trigger api_keys_tell_truncated after truncate on api_keys
    for each statement execute function registry_tell_all();
create trigger partners_tell_updated after update on partners
    referencing old table as old_rows new table as new_rows
    for each statement execute function partners_tell_updated();
create trigger partners_tell_truncated after truncate on partners
    for each statement execute function registry_tell_all();

-- How often a key was presented, by hour and outcome. Written in batches, so the latest second may be
-- missing. A key's counts go with the key.
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
