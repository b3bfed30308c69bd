-- Operators: accounts, console sessions, second factors, sign-in attempts.

create table operators (
    operator_id   uuid        primary key,
    email         text        not null
        constraint operators_email_unique unique
        constraint operators_email_lower_case check (email = lower(email)),
    -- A PHC string.
    password_hash text        not null
        constraint operators_password_hash_argon2id check (password_hash ~ '^\$argon2id\$v=19\$'),
    role          text        not null
        constraint operators_role_known check (role in ('admin', 'auditor')),
    active        boolean     not null default true,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);

-- Only a hash of the session's cookie is kept: whoever reads this table can't sign in with it.
create table operator_sessions (
    session_hash  bytea       primary key
        constraint operator_sessions_hash_size check (octet_length(session_hash) = 32),
    operator_id   uuid        not null
        constraint operator_sessions_operator references operators (operator_id) on delete cascade,
    created_at    timestamptz not null,
    last_seen_at  timestamptz not null,
    -- Id shown to the operator; it reveals nothing about the cookie.
    session_id    uuid        not null default gen_random_uuid()
        constraint operator_sessions_id unique,
    -- Client address at sign-in.
    ip            inet,
    -- The password was verified; the session grants no access until the second factor is verified too.
    awaits_factor boolean     not null default false,
    -- Last verification of a second factor in this session.
    factor_at     timestamptz,
    -- A session gets another cookie whenever its operator reauthenticates (OWASP ASVS 5.0,
    -- 7.2.4). The former one opens the session for a few seconds more: requests under way carry it.
    former_hash   bytea
        constraint operator_sessions_former_hash_size check (octet_length(former_hash) = 32),
    renewed_at    timestamptz,
    constraint operator_sessions_seen_after_created check (last_seen_at >= created_at),
    constraint operator_sessions_awaited_is_not_shown check (not awaits_factor or factor_at is null),
    constraint operator_sessions_renewed_from_another
        check ((former_hash is null) = (renewed_at is null) and former_hash <> session_hash)
);

create index operator_sessions_of_operator on operator_sessions (operator_id);
create index operator_sessions_former on operator_sessions (former_hash) where former_hash is not null;

-- A second factor: time-based codes (RFC 6238).
create table operator_factors (
    operator_id        uuid        primary key
        constraint operator_factors_operator references operators (operator_id) on delete cascade,
    -- Nonce, ciphertext and tag; the secret must be readable again.
    sealed_secret      bytea       not null,
    pepper_fingerprint bytea       not null
        constraint operator_factors_fingerprint_size check (octet_length(pepper_fingerprint) = 8),
    created_at         timestamptz not null,
    -- Null until a first code has confirmed that the device has the secret.
    confirmed_at       timestamptz,
    -- The time step of the last accepted code: none is accepted twice (RFC 6238 §5.2).
    last_step          bigint      not null default 0
);

-- Recovery codes, for a lost device.
create table operator_recovery_codes (
    operator_id        uuid        not null
        constraint operator_recovery_codes_factor references operator_factors (operator_id) on delete cascade,
    -- HMAC under a sub-key of the pepper: a reader of this table can't try codes.
    code_hash          bytea       not null
        constraint operator_recovery_codes_hash_size check (octet_length(code_hash) = 32),
    used_at            timestamptz,
    -- The hash can't be converted to another pepper: without its own pepper the code is useless, and the
    -- operator must be informed.
    pepper_fingerprint bytea       not null
        constraint operator_recovery_codes_fingerprint_size check (octet_length(pepper_fingerprint) = 8),
    primary key (operator_id, code_hash)
);

-- Sign-in attempts, so that guessing is throttled on every instance and across restarts.
--
-- A subject is an account (the e-mail as it was typed, whether an operator has it or not) or an
-- address; only its SHA-256 is kept, since people type passwords into the wrong field. A row that
-- has been quiet for long enough counts as none and is swept.
create table sign_in_attempts (
    subject       bytea       primary key
        constraint sign_in_attempts_subject_size check (octet_length(subject) = 32),
    failures      integer     not null
        constraint sign_in_attempts_failures_counted check (failures >= 0),
    last_at       timestamptz not null,
    blocked_until timestamptz not null
);
