-- What the overview counts, and the filters that lead there.

-- When a key was last refused for what it is or for a wrong secret; a rate that was exceeded is no
-- refusal of the key. Apart from the counts by hour, which tell no minute.
create table api_key_last_refusal (
    key_id          text        primary key
        constraint api_key_last_refusal_key references api_keys (key_id) on delete cascade,
    last_refused_at timestamptz not null
) with (fillfactor = 70);
create index api_key_last_refusal_latest on api_key_last_refusal (last_refused_at desc);

create index api_keys_retiring on api_keys (retires_at) where revoked_at is null and retires_at is not null;
