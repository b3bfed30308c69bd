-- The policy of key ages, for the whole installation and for partners of their own.
--
-- Nothing here refuses a request: a key past its age goes on working and is shown as due. Null
-- switches a rule off.

create table policy (
    only_row          boolean primary key default true
        constraint policy_only_row check (only_row),
    -- A key that was made longer ago than this is due for rotation.
    max_key_age_days  integer
        constraint policy_max_key_age_bounded check (max_key_age_days between 1 and 3650),
    -- A new key may not live longer than this.
    max_lifetime_days integer
        constraint policy_max_lifetime_bounded check (max_lifetime_days between 1 and 3650),
    -- A key that was not accepted for this long is stale.
    stale_after_days  integer default 90
        constraint policy_stale_after_bounded check (stale_after_days between 1 and 3650),
    updated_at        timestamptz not null default now()
);
insert into policy default values;

create function policy_refuse_removal() returns trigger language plpgsql as $$
begin
    raise exception 'the policy can be changed, not removed: set its rules to null'
        using errcode = 'check_violation', constraint = 'policy_stays';
end
$$;
create trigger policy_stays before delete on policy for each row execute function policy_refuse_removal();

-- A partner's own maximum takes the installation's place, stricter or laxer.
alter table partners
    add column max_key_age_days integer
        constraint partners_max_key_age_bounded check (max_key_age_days between 1 and 3650);

-- Keys that can be due, oldest first: they are counted with every view of the tab.
create index api_keys_not_ended_by_age on api_keys (created_at, key_id)
    where revoked_at is null and retires_at is null;
