-- Sessions as their operators see them: each has a name that tells nothing of its cookie, and where it
-- was opened from.
alter table operator_sessions
    add column session_id uuid not null default gen_random_uuid()
        constraint operator_sessions_id unique,
    add column ip         inet;
