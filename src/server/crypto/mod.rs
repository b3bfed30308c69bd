//! The only place that sees a secret: pepper, key hashing, check tag, passwords.

pub mod breached;
pub mod password;
pub mod pepper;
pub mod pool;
pub mod seal;
pub mod secret;
pub mod totp;

/// Compares two byte strings in time that depends only on their lengths.
pub fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(left, right).into()
}
