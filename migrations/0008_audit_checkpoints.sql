-- Signed checkpoints of the history. The chain alone tells an altered event; that its end was cut
-- off, or all of it written anew, shows where a checkpoint no longer fits. Whoever can write here but
-- has no pepper can make none:
--
--   signature = HMAC-SHA256( sub-key of the pepper, "myproof-registry audit checkpoint v1" …the
--               place, the hash and the time )
--
-- They are written every hour and may be exported, so that they can be kept out of reach.

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

create trigger audit_checkpoints_append_only before update or delete on audit_checkpoints
    for each row execute function audit_events_refuse_change();
create trigger audit_checkpoints_no_truncate before truncate on audit_checkpoints
    for each statement execute function audit_events_refuse_change();
