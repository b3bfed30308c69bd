-- The audit log: append-only, each event chained to the one before by its hash.
--
-- `canonical` holds the hashed bytes (version 1: UTF-8 JSON with a fixed order of fields), so that
-- verification need not reproduce the encoding. The other columns repeat its fields for filters and lists.
--
--   hash = SHA-256( prev_hash || canonical )

create table audit_events (
    seq         bigint      primary key
        constraint audit_events_seq_positive check (seq > 0),
    event_id    uuid        not null
        constraint audit_events_event_id_unique unique,
    at          timestamptz not null,
    actor_type  text        not null
        constraint audit_events_actor_known check (actor_type in ('operator', 'key', 'cli', 'system')),
    actor_id    text        not null,
    action      text        not null,
    key_id      text,
    partner_id  uuid,
    asset_id    uuid,
    ip          inet,
    request_id  text,
    details     jsonb       not null default '{}',
    version     smallint    not null,
    canonical   bytea       not null,
    prev_hash   bytea       not null
        constraint audit_events_prev_hash_size check (octet_length(prev_hash) = 32)
        -- Two events can't follow the same one.
        constraint audit_events_unforked unique,
    hash        bytea       not null
        constraint audit_events_hash_size check (octet_length(hash) = 32)
        constraint audit_events_hash_true check (hash = sha256(prev_hash || canonical))
);

create index audit_events_newest on audit_events (at desc, event_id desc);
create index audit_events_of_key on audit_events (key_id, at desc, event_id desc) where key_id is not null;
create index audit_events_of_partner on audit_events (partner_id, at desc, event_id desc) where partner_id is not null;

-- Trigger function for append-only tables.
create function refuse_change() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    raise exception 'table % is append-only', tg_table_name
        using errcode = 'check_violation', constraint = tg_table_name || '_append_only';
end
$$;
create trigger audit_events_append_only before update or delete or truncate on audit_events
    for each statement execute function refuse_change();

-- Head of the chain, in one row. Each transaction locks it last, so that sequence numbers follow the order
-- of commits and no transaction waits longer than a commit takes.
create table audit_head (
    only_row boolean primary key default true
        constraint audit_head_only_row check (only_row),
    seq      bigint  not null,
    hash     bytea   not null
        constraint audit_head_hash_size check (octet_length(hash) = 32)
);
insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

-- Signed checkpoints. The chain alone reveals an altered event; a truncated or rewritten chain no longer
-- matches its checkpoints. Without the pepper no checkpoint can be forged:
--
--   signature = HMAC-SHA256( sub-key of the pepper, "myproof-registry audit checkpoint v1" …the
--               sequence number, the hash and the time )
--
-- They are written every hour and can be exported for storage elsewhere.
create table audit_checkpoints (
    seq         bigint      primary key
        constraint audit_checkpoints_seq_positive check (seq > 0),
    hash        bytea       not null
        constraint audit_checkpoints_hash_size check (octet_length(hash) = 32),
    at          timestamptz not null,
    fingerprint bytea       not null
        constraint audit_checkpoints_fingerprint_size check (octet_length(fingerprint) = 8),
    signature   bytea       not null
        constraint audit_checkpoints_signature_size check (octet_length(signature) = 32)
);
create trigger audit_checkpoints_append_only before update or delete or truncate on audit_checkpoints
    for each statement execute function refuse_change();
