-- A partner's keys by their last use, or their making, are read in that order, however many keys it has:
-- the partner stands beside each. It never becomes another one (api_keys_identity_for_life).
-- An older instance may be issuing keys: it waits until the trigger is the new one.
lock table api_keys in share row exclusive mode;
alter table api_key_last_use add column partner_id uuid;
update api_key_last_use u set partner_id = k.partner_id from api_keys k where k.key_id = u.key_id;
alter table api_key_last_use alter column partner_id set not null;
create index api_key_last_use_of_partner on api_key_last_use (partner_id, last_used_at desc, key_id desc);
-- An older instance writes none.
create function api_key_last_use_note_partner() returns trigger language plpgsql as $$
begin
    new.partner_id := (select partner_id from api_keys where key_id = new.key_id);
    return new;
end
$$;
create trigger api_key_last_use_note_partner
    before insert on api_key_last_use
    for each row when (new.partner_id is null) execute function api_key_last_use_note_partner();

alter table api_key_never_used add column partner_id uuid;
update api_key_never_used n set partner_id = k.partner_id from api_keys k where k.key_id = n.key_id;
alter table api_key_never_used alter column partner_id set not null;
create index api_key_never_used_of_partner on api_key_never_used (partner_id, created_at desc, key_id desc);
create or replace function api_keys_begin_unused() returns trigger language plpgsql as $$
begin
    insert into api_key_never_used (key_id, partner_id, created_at)
    select key_id, partner_id, created_at from new_rows;
    return null;
end
$$;
