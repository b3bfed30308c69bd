-- Attempts to sign in, so that guessing is slowed on every instance and across restarts.
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

create index sign_in_attempts_oldest on sign_in_attempts (last_at);
