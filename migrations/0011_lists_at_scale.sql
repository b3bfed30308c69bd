-- Lists of a million keys: what they are filtered, searched and sorted by has an index.

create extension if not exists pg_trgm;

-- A key's status follows from its row and the clock, so no index can hold it. What one can hold is the
-- status as it was last looked at, and until when that is right: a list takes the rows whose time has
-- not come by the one, and the few whose time has by the other. A job looks at those again.
create function api_key_status(
    revoked_at timestamptz, retires_at timestamptz, not_before timestamptz, not_after timestamptz, at timestamptz
) returns text language sql immutable parallel safe as $$
    select case
        when revoked_at is not null or retires_at <= at then 'revoked'
        when at < not_before then 'scheduled'
        when not_after <= at then 'expired'
        when retires_at is not null then 'retiring'
        else 'active' end
$$;
-- When the status that a key has at a moment is over; null where it stays.
create function api_key_status_ends(
    revoked_at timestamptz, retires_at timestamptz, not_before timestamptz, not_after timestamptz, at timestamptz
) returns timestamptz language sql immutable parallel safe as $$
    select case when revoked_at is null and (retires_at is null or retires_at > at) then
        least(retires_at, case when not_before > at then not_before end, case when not_after > at then not_after end)
    end
$$;

alter table api_keys
    add column listed_status text
        constraint api_keys_listed_status_known check (listed_status in
            ('scheduled', 'active', 'retiring', 'expired', 'revoked')),
    add column listed_until  timestamptz,
    -- What a search looks at, in one column, so that one index serves it.
    add column search_text   text;
create function api_key_search_text(key_id text, name text) returns text language sql immutable parallel safe as $$
    select E'\n' || lower(key_id) || E'\n' || coalesce(lower(name), '')
$$;
update api_keys
   set search_text = api_key_search_text(key_id, name),
       listed_status = api_key_status(revoked_at, retires_at, not_before, not_after, now()),
       listed_until = api_key_status_ends(revoked_at, retires_at, not_before, not_after, now());
alter table api_keys
    alter column listed_status set not null,
    alter column search_text set not null;
-- Few values tell the planner little of ids that all differ.
alter table api_keys alter column search_text set statistics 1000;

-- The status is looked at as of the key's birth, so that the clock of the database decides nothing.
create function api_keys_prepare_lists() returns trigger language plpgsql as $$
begin
    new.listed_status := api_key_status(new.revoked_at, new.retires_at, new.not_before, new.not_after, new.created_at);
    new.listed_until := api_key_status_ends(new.revoked_at, new.retires_at, new.not_before, new.not_after, new.created_at);
    new.search_text := api_key_search_text(new.key_id, new.name);
    return new;
end
$$;
create trigger api_keys_prepare_lists
    before insert or update of name, revoked_at, retires_at, not_before, not_after on api_keys
    for each row execute function api_keys_prepare_lists();

-- One index a status: in one of all, led by the status, the planner misses that the newest rows lie
-- together, and would rather go through all keys until it has met enough of a rare status.
create index api_keys_scheduled_newest on api_keys (created_at desc, key_id desc) where listed_status = 'scheduled';
create index api_keys_active_newest on api_keys (created_at desc, key_id desc) where listed_status = 'active';
create index api_keys_retiring_newest on api_keys (created_at desc, key_id desc) where listed_status = 'retiring';
create index api_keys_expired_newest on api_keys (created_at desc, key_id desc) where listed_status = 'expired';
create index api_keys_revoked_newest on api_keys (created_at desc, key_id desc) where listed_status = 'revoked';
create index api_keys_status_over on api_keys (listed_until) where listed_until is not null;
create index api_keys_by_end on api_keys (not_after, key_id) where not_after is not null;
create index api_keys_by_status_end on api_keys (listed_status, not_after, key_id) where not_after is not null;
create index api_keys_endless_newest on api_keys (created_at desc, key_id desc) where not_after is null;
-- A text that many keys have is found by going through all of them, newest first, and in the index alone.
drop index api_keys_newest;
create index api_keys_newest on api_keys (created_at desc, key_id desc) include (search_text, partner_id);
-- Keys are made seldom and searched often: no list of what is not yet in the index.
create index api_keys_search on api_keys using gin (search_text gin_trgm_ops) with (fastupdate = off);
create index partners_search on partners using gin (lower(name) gin_trgm_ops) with (fastupdate = off);
create index partners_by_name on partners (lower(name), partner_id);
create index partners_with_own_age on partners (partner_id) where max_key_age_days is not null;
create index api_key_last_use_latest on api_key_last_use (last_used_at desc, key_id desc);

-- Keys that were never accepted, which a look at all that were would find slowly.
create table api_key_never_used (
    key_id     text        primary key
        constraint api_key_never_used_key references api_keys (key_id) on delete cascade,
    created_at timestamptz not null
);
create index api_key_never_used_newest on api_key_never_used (created_at desc, key_id desc);
insert into api_key_never_used (key_id, created_at)
select key_id, created_at from api_keys k
 where not exists (select from api_key_last_use u where u.key_id = k.key_id);

create function api_keys_begin_unused() returns trigger language plpgsql as $$
begin
    insert into api_key_never_used (key_id, created_at) select key_id, created_at from new_rows;
    return null;
end
$$;
create trigger api_keys_begin_unused after insert on api_keys
    referencing new table as new_rows for each statement execute function api_keys_begin_unused();
create function api_keys_end_unused() returns trigger language plpgsql as $$
begin
    delete from api_key_never_used where key_id in (select key_id from first_uses);
    return null;
end
$$;
create trigger api_key_last_use_ends_unused after insert on api_key_last_use
    referencing new table as first_uses for each statement execute function api_keys_end_unused();
