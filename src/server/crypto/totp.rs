//! TOTP (RFC 6238) over HOTP (RFC 4226) with HMAC-SHA1, six digits and steps of thirty seconds: the
//! parameters that every authenticator app supports.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// Length of a secret: the output size of HMAC-SHA1 (RFC 4226 §4, R6).
pub const SECRET_BYTES: usize = 20;
/// Length of a time step, in seconds.
pub const STEP_SECONDS: i64 = 30;
/// Accepted clock drift in steps, ahead or behind (RFC 6238 §5.2 recommends one).
const DRIFT: i64 = 1;

pub fn step(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(STEP_SECONDS)
}

/// Returns the code of a step, below a million.
pub fn code(secret: &[u8], step: i64) -> u32 {
    // HMAC takes keys of any length (RFC 2104 §2); the error type is the trait's, not HMAC's.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else {
        return 0;
    };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 15);
    let part = [
        hash[offset] & 127,
        hash[offset + 1],
        hash[offset + 2],
        hash[offset + 3],
    ];
    u32::from_be_bytes(part) % 1_000_000
}

/// Returns the step within the accepted drift whose code was typed. Compares all of them, in constant time.
pub fn matching_step(secret: &[u8], typed: u32, now: DateTime<Utc>) -> Option<i64> {
    let mut found = 0_u64;
    for near in step(now) - DRIFT..=step(now) + DRIFT {
        let is_it = code(secret, near).ct_eq(&typed);
        found.conditional_assign(&near.unsigned_abs(), is_it);
    }
    i64::try_from(found).ok().filter(|step| *step > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8; SECRET_BYTES] = b"12345678901234567890";

    /// RFC 6238, appendix B; six digits are the last of its eight.
    #[test]
    fn codes_match_the_test_vectors_of_rfc_6238() {
        for (seconds, expected) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(code(SECRET, step(at)), expected, "{seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let typed = code(SECRET, step(at(1_111_111_111)));
        for (seconds, is_taken) in [
            (-60, false),
            (-30, true),
            (0, true),
            (30, true),
            (60, false),
        ] {
            let found = matching_step(SECRET, typed, at(1_111_111_111 + seconds));
            assert_eq!(found.is_some(), is_taken, "{seconds}");
            assert!(found.is_none_or(|found| found == step(at(1_111_111_111))));
        }
    }
}
