-- Notifications to partners about their keys, by webhook and by e-mail.
--
-- `notices` is the outbox: a row is written in the transaction of the change that it announces, so that
-- both commit or neither. The server then creates `deliveries` for the current webhooks and contacts, and
-- retries them for a day.

create table webhooks (
    webhook_id         uuid        primary key,
    partner_id         uuid        not null
        constraint webhooks_partner references partners (partner_id),
    url                text        not null
        constraint webhooks_url_length check (char_length(url) between 8 and 2000),
    -- Kinds of notification to deliver.
    kinds              text[]      not null
        constraint webhooks_kinds_known check (
            cardinality(kinds) between 1 and 7
            and array_position(kinds, null) is null
            and kinds <@ array['key.issued', 'key.rotated', 'key.revoked', 'key.restored', 'key.expiring',
                               'key.rotation_due', 'key.first_used']),
    -- The signing secret, sealed under a sub-key of the pepper that the fingerprint names.
    sealed_secret      bytea       not null,
    pepper_fingerprint bytea       not null
        constraint webhooks_pepper_fingerprint_size check (octet_length(pepper_fingerprint) = 8),
    active             boolean     not null default true,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now()
);
create index webhooks_of_partner on webhooks (partner_id, created_at, webhook_id);

create table notices (
    notice_id  uuid        primary key default gen_random_uuid(),
    kind       text        not null
        constraint notices_kind_known check (kind in
            ('key.issued', 'key.rotated', 'key.revoked', 'key.restored', 'key.expiring', 'key.rotation_due',
             'key.first_used')),
    partner_id uuid        not null
        constraint notices_partner references partners (partner_id),
    key_id     text        not null
        constraint notices_key references api_keys (key_id) on delete cascade,
    at         timestamptz not null,
    -- Content in addition to the key's id; never any part of its secret.
    data       jsonb       not null default '{}',
    -- Unique name of a notification that is sent only once, such as one expiry warning of a key.
    once       text
        constraint notices_once unique,
    handed_out boolean     not null default false
);
create index notices_waiting on notices (at) where not handed_out;

create table deliveries (
    delivery_id     uuid        primary key default gen_random_uuid(),
    notice_id       uuid        not null
        constraint deliveries_notice references notices (notice_id) on delete cascade,
    partner_id      uuid        not null,
    webhook_id      uuid
        constraint deliveries_webhook references webhooks (webhook_id) on delete cascade,
    email           text,
    status          text        not null default 'pending'
        constraint deliveries_status_known check (status in ('pending', 'delivered', 'failed')),
    attempts        integer     not null default 0,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    give_up_at      timestamptz not null,
    last_attempt_at timestamptz,
    -- The last attempt's outcome: an HTTP status or SMTP reply code, or the error that prevented an
    -- response. Never any text of a response.
    last_code       integer,
    last_error      text,
    last_millis     integer,
    constraint deliveries_by_one_way check ((webhook_id is null) <> (email is null))
);
create index deliveries_due on deliveries (next_attempt_at) where status = 'pending';
create index deliveries_of_notice on deliveries (notice_id);
create index deliveries_of_partner on deliveries (partner_id, created_at desc, delivery_id desc);
create index deliveries_of_webhook on deliveries (webhook_id, created_at desc, delivery_id desc)
    where webhook_id is not null;
