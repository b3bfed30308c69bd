-- What consoles show: told on a channel of its own, since it decides about no request, and says no
-- more than that something is different.

create function registry_tell_shown() returns trigger language plpgsql as $$
begin
    if exists (select from rows) then
        perform pg_notify('myproof_registry_shown', '');
    end if;
    return null;
end
$$;
create trigger api_keys_tell_shown_inserted after insert on api_keys
    referencing new table as rows for each statement execute function registry_tell_shown();
create trigger api_keys_tell_shown_updated after update on api_keys
    referencing new table as rows for each statement execute function registry_tell_shown();
create trigger api_keys_tell_shown_deleted after delete on api_keys
    referencing old table as rows for each statement execute function registry_tell_shown();
-- A key's first acceptance alone: later ones are many.
create trigger api_key_last_use_tells_shown after insert on api_key_last_use
    referencing new table as rows for each statement execute function registry_tell_shown();
create trigger partners_tell_shown after update on partners
    referencing new table as rows for each statement execute function registry_tell_shown();
