-- A server keeps the newest keys' texts in memory for searches. Which keys it can't have seen as they are
-- now, it asks by the transaction that wrote their text: of those that had ended when it read (PostgreSQL's
-- documentation, pg_snapshot_xmin) it has seen everything. Keys of before can't have changed: 0.
alter table api_keys add column text_xid xid8 not null default '0';
alter table api_keys alter column text_xid set default pg_current_xact_id();
create index api_keys_by_text_xid on api_keys (text_xid);

create function api_keys_note_text() returns trigger language plpgsql as $$
begin
    new.text_xid := pg_current_xact_id();
    return new;
end
$$;
-- Triggers run in the order of their names: after the one that makes the text. A row that is brought back
-- is new, whatever it says of itself.
create trigger api_keys_prepare_text_xid
    before insert on api_keys
    for each row execute function api_keys_note_text();
create trigger api_keys_prepare_text_xid_again
    before update on api_keys
    for each row when (old.search_text is distinct from new.search_text)
    execute function api_keys_note_text();
