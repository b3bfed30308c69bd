-- Lineages: a key, its successor, that one's successor. And graces that begin when the successor is
-- first used.
--
-- `lineage` is the id of the first key, `generation` how many rotations lie between. Both follow from
-- `rotated_from`, so whoever inserts a row leaves them out.

alter table api_keys
    add column lineage          text,
    add column generation       integer,
    -- What the rotation asked for: how long the old key goes on, and from when.
    add column grace_seconds    integer
        constraint api_keys_grace_seconds_bounded check (grace_seconds between 0 and 2592000),
    add column grace_starts     text
        constraint api_keys_grace_starts_known check (grace_starts in ('now', 'first_use')),
    -- Null while the grace waits for the successor's first use. `retires_at` is then the latest end.
    add column grace_started_at timestamptz;

with recursive chain as (
    select key_id, key_id as lineage, 0 as generation from api_keys where rotated_from is null
    union all
    select k.key_id, c.lineage, c.generation + 1
      from chain c join api_keys k on k.rotated_from = c.key_id)
update api_keys k
   set lineage = c.lineage, generation = c.generation
  from chain c
 where c.key_id = k.key_id;

update api_keys old
   set grace_starts = 'now', grace_started_at = new.created_at,
       grace_seconds = least(2592000, greatest(0, extract(epoch from old.retires_at - new.created_at)))
  from api_keys new
 where new.rotated_from = old.key_id and old.retires_at is not null;

alter table api_keys
    alter column lineage set not null,
    alter column generation set not null;

create index api_keys_of_lineage on api_keys (lineage, generation);
create index api_keys_with_waiting_grace on api_keys (lineage)
    where grace_starts = 'first_use' and grace_started_at is null;

create function api_keys_join_lineage() returns trigger language plpgsql as $$
begin
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
create trigger api_keys_join_lineage before insert on api_keys
    for each row execute function api_keys_join_lineage();

create or replace function api_keys_refuse_new_identity() returns trigger language plpgsql as $$
begin
    raise exception 'key_id, partner_id, rotated_from, lineage, generation and created_at of % are for life', old.key_id
        using errcode = 'check_violation', constraint = 'api_keys_identity_for_life';
end
$$;
drop trigger api_keys_identity_for_life on api_keys;
create trigger api_keys_identity_for_life before update on api_keys
    for each row when (
        old.key_id <> new.key_id or old.partner_id <> new.partner_id
        or old.rotated_from is distinct from new.rotated_from or old.created_at <> new.created_at
        or old.lineage <> new.lineage or old.generation <> new.generation)
    execute function api_keys_refuse_new_identity();

-- The statement that makes a key's first acceptance durable starts the grace that waited for it, so
-- that no crash can part the two. A grace only ever shortens what is left: `retires_at` is the latest
-- end from the rotation on.
create function api_keys_start_graces() returns trigger language plpgsql as $$
declare
    waiting record;
begin
    for waiting in
        select rotated.key_id, min(used.last_used_at) as started_at
          from first_uses used
          join api_keys successor on successor.key_id = used.key_id
          join api_keys rotated
            on rotated.lineage = successor.lineage and rotated.generation < successor.generation
         where rotated.grace_starts = 'first_use' and rotated.grace_started_at is null
         group by rotated.key_id
         -- In one order, so that two instances can't deadlock.
         order by rotated.key_id
    loop
        update api_keys
           set grace_started_at = waiting.started_at,
               retires_at = least(retires_at, waiting.started_at + make_interval(secs => grace_seconds))
         where key_id = waiting.key_id and grace_started_at is null;
    end loop;
    return null;
end
$$;
create trigger api_key_last_use_starts_graces after insert on api_key_last_use
    referencing new table as first_uses for each statement execute function api_keys_start_graces();
