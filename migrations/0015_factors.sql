-- A second factor for operators: codes by time (RFC 6238), and codes for the day the device is lost.

create table operator_factors (
    operator_id        uuid        primary key
        constraint operator_factors_operator references operators (operator_id) on delete cascade,
    -- Nonce, ciphertext and tag; the secret must be readable again.
    sealed_secret      bytea       not null,
    pepper_fingerprint bytea       not null
        constraint operator_factors_fingerprint_size check (octet_length(pepper_fingerprint) = 8),
    created_at         timestamptz not null,
    -- Null until a first code has shown that the device has the secret.
    confirmed_at       timestamptz,
    -- The step of time of the last code that was accepted: none is accepted twice (RFC 6238 §5.2).
    last_step          bigint      not null default 0
);

create table operator_recovery_codes (
    -- Under a sub-key of the pepper: whoever reads this table can't try codes.
    code_hash          bytea       primary key
        constraint operator_recovery_codes_hash_size check (octet_length(code_hash) = 32),
    operator_id        uuid        not null
        constraint operator_recovery_codes_factor references operator_factors (operator_id) on delete cascade,
    used_at            timestamptz
);
create index operator_recovery_codes_of_operator on operator_recovery_codes (operator_id);

alter table operator_sessions
    -- The password was right; nothing else is open before the second factor is too.
    add column awaits_factor boolean not null default false,
    -- When a second factor was last shown in this session.
    add column factor_at     timestamptz,
    add constraint operator_sessions_awaited_is_not_shown check (not awaits_factor or factor_at is null);
