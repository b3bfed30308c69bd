-- A recovery code's hash can't move over to another pepper: without its own the code opens nothing, and
-- its operator has to know. Null for codes that were made before anybody noted it.
alter table operator_recovery_codes
    add column pepper_fingerprint bytea
        constraint operator_recovery_codes_fingerprint_size check (octet_length(pepper_fingerprint) = 8);
