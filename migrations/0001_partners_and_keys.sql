-- Partners and their API keys.
--
-- The constraints hold whatever writes here, plain SQL included. Two rules shape them:
--   * `update api_keys set revoked_at = now()`, `set not_after = …`, `set rate_per_minute = …`,
--     `set scopes = …` and `update partners set active = false` each suffice alone, so no CHECK
--     ties one of these columns to another;
--   * nothing here can be turned back into a token: `secret_hash` is
--     argon2id(HMAC-SHA256(pepper, secret)), `check_tag` gives away 32 of the secret's bits.

create table partners (
    partner_id    uuid        primary key,
    name          text        not null
        constraint partners_name_length check (char_length(name) between 2 and 200)
        constraint partners_name_trimmed check (name = btrim(name))
        constraint partners_name_without_controls check (name !~ '[\u0001-\u001f\u007f-\u009f]'),
    contact_email text
        constraint partners_contact_email_form check (contact_email ~ '^[^@\s]+@[^@\s]+$'),
    active        boolean     not null default true,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);

-- Lists are newest first and page by this pair.
create index partners_newest on partners (created_at desc, partner_id desc);

create table api_keys (
    key_id             text        primary key
        constraint api_keys_key_id_form check (key_id ~ '^[A-Za-z0-9_-]{1,64}$'),
    partner_id         uuid        not null
        constraint api_keys_partner references partners (partner_id),
    name               text
        constraint api_keys_name_length check (char_length(name) between 1 and 100),
    environment        text        not null default 'production'
        constraint api_keys_environment_known check (environment in ('production', 'test', 'development')),
    scopes             text[]      not null
        constraint api_keys_scopes_known check (
            cardinality(scopes) between 1 and 7
            and array_position(scopes, null) is null
            and scopes <@ array['assets:mint', 'assets:read', 'status:update', 'transfer:execute',
                                'audit:read', 'reverify', 'admin:*']),
    rate_per_minute    integer     not null default 300
        constraint api_keys_rate_positive check (rate_per_minute > 0),

    -- A PHC string.
    secret_hash        text        not null
        constraint api_keys_secret_hash_argon2id check (secret_hash ~ '^\$argon2id\$v=19\$'),
    -- First 4 bytes of an HMAC-SHA256 of the secret under a sub-key of the pepper; a wrong secret
    -- fails on it without Argon2. A legacy row has none until its first success.
    check_tag          bytea
        constraint api_keys_check_tag_size check (octet_length(check_tag) = 4),
    -- Which pepper the hash was made under; an imported row has none until its first success.
    pepper_fingerprint bytea
        constraint api_keys_pepper_fingerprint_size check (octet_length(pepper_fingerprint) = 8),
    -- Made by the registry's earlier Node pack: the secret is 64 hex digits without a checksum.
    legacy             boolean     not null default false,

    -- Valid means not_before <= now < not_after.
    not_before         timestamptz not null default now(),
    not_after          timestamptz,

    created_at         timestamptz not null default now(),
    created_by         text        not null
        constraint api_keys_created_by_form check (created_by ~ '^(operator|key|cli|system):'),

    -- The predecessor. UNIQUE: of several rotations of one key at once, one succeeds.
    rotated_from       text
        constraint api_keys_rotated_from references api_keys (key_id)
        constraint api_keys_one_successor unique
        constraint api_keys_not_its_own_successor check (rotated_from <> key_id),
    -- Set by a rotation: when this, the old key, ends.
    retires_at         timestamptz,

    revoked_at         timestamptz,
    revoked_reason     text
        constraint api_keys_revoked_reason_known check (revoked_reason in
            ('unspecified', 'key_compromise', 'superseded', 'cessation_of_operation', 'privilege_withdrawn')),
    revoked_note       text
        constraint api_keys_revoked_note_length check (char_length(revoked_note) <= 200),

    constraint api_keys_modern_rows_are_complete check (
        legacy or (check_tag is not null and pepper_fingerprint is not null))
);

create index api_keys_newest on api_keys (created_at desc, key_id desc);
create index api_keys_of_partner_newest on api_keys (partner_id, created_at desc, key_id desc);

-- A CHECK can't see duplicates inside an array, so a trigger does.
create function api_keys_refuse_repeated_scopes() returns trigger language plpgsql as $$
begin
    if cardinality(new.scopes) <> (select count(distinct scope) from unnest(new.scopes) scope) then
        raise exception 'scopes of % repeat a scope', new.key_id
            using errcode = 'check_violation', constraint = 'api_keys_scopes_distinct';
    end if;
    return new;
end
$$;
create trigger api_keys_scopes_distinct before insert or update of scopes on api_keys
    for each row execute function api_keys_refuse_repeated_scopes();

-- What a key is for life: whose it is, where it came from and when it was made.
create function api_keys_refuse_new_identity() returns trigger language plpgsql as $$
begin
    raise exception 'key_id, partner_id, rotated_from and created_at of % are for life', old.key_id
        using errcode = 'check_violation', constraint = 'api_keys_identity_for_life';
end
$$;
create trigger api_keys_identity_for_life before update on api_keys
    for each row when (
        old.key_id <> new.key_id or old.partner_id <> new.partner_id
        or old.rotated_from is distinct from new.rotated_from or old.created_at <> new.created_at)
    execute function api_keys_refuse_new_identity();

-- What every request touches lives apart, so that it neither bloats nor locks the keys.
create table api_key_last_use (
    key_id       text        primary key
        constraint api_key_last_use_key references api_keys (key_id) on delete cascade,
    last_used_at timestamptz not null,
    last_used_ip inet
) with (fillfactor = 70);
