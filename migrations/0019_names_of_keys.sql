-- The names that keys have or had. Hundreds of keys may share one: which names have a text in them is found
-- sooner than which keys. A name stands here once, or twice where two transactions brought it at the same
-- time; nobody waits for another one.
-- An older instance may be naming keys: it waits until the trigger is there.
lock table api_keys in share row exclusive mode;
create table key_names (name text not null);
insert into key_names select distinct name from api_keys where name is not null;
create index key_names_by_name on key_names (name);
create index key_names_search on key_names using gin (lower(name) gin_trgm_ops) with (fastupdate = off);
create index api_keys_of_name_newest on api_keys (name, created_at desc, key_id desc) where name is not null;

create function api_keys_note_name() returns trigger language plpgsql as $$
begin
    insert into key_names (name)
    select new.name
     where new.name is not null and not exists (select from key_names where name = new.name);
    return null;
end
$$;
create trigger api_keys_note_name
    after insert or update of name on api_keys
    for each row execute function api_keys_note_name();
