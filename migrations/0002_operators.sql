-- The registry's staff and their sessions in the console.

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
    session_hash bytea       primary key
        constraint operator_sessions_hash_size check (octet_length(session_hash) = 32),
    operator_id  uuid        not null
        constraint operator_sessions_operator references operators (operator_id) on delete cascade,
    created_at   timestamptz not null,
    last_seen_at timestamptz not null,
    constraint operator_sessions_seen_after_created check (last_seen_at >= created_at)
);

create index operator_sessions_of_operator on operator_sessions (operator_id);
create index operator_sessions_oldest_seen on operator_sessions (last_seen_at);
