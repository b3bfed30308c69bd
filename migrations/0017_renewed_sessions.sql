-- A session gets another cookie whenever its operator has shown anew who they are (OWASP ASVS 5.0, 7.2.4).
-- The one before it opens the session for a few seconds more: requests are under way that carry it.
alter table operator_sessions
    add column former_hash bytea
        constraint operator_sessions_former_hash_size check (octet_length(former_hash) = 32),
    add column renewed_at  timestamptz,
    add constraint operator_sessions_renewed_from_another
        check ((former_hash is null) = (renewed_at is null) and former_hash <> session_hash);
create index operator_sessions_former on operator_sessions (former_hash) where former_hash is not null;
