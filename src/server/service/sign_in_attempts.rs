//! Throttling of password and code guesses per account and per address, without lockout: the owner waits
//! for a minute at most (OWASP Authentication Cheat Sheet, "Login Throttling"; NIST SP 800-63B §5.2.2).
//!
//! An attempt counts as a failure before it is checked, so that concurrent attempts can't evade the count;
//! a success reverts that. Unknown accounts are counted too.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::sessions::SessionService;
use crate::domain::error::{AppError, AppResult};
use crate::server::store::sign_in_attempts::{self as attempts, AttemptsRow};

/// Throttling parameters of one kind of attempt.
#[derive(Clone, Copy)]
struct Limit {
    /// Failures without a wait.
    free: i32,
    max_wait: TimeDelta,
    /// Time without attempts after which failures are forgotten.
    quiet: TimeDelta,
}

/// Per client address, which an office may share.
const ADDRESS: Limit = Limit {
    free: 20,
    max_wait: TimeDelta::seconds(60),
    quiet: TimeDelta::hours(1),
};
/// Password of one account.
const PASSWORD: Limit = Limit {
    free: 5,
    max_wait: TimeDelta::seconds(60),
    quiet: TimeDelta::hours(1),
};
/// TOTP codes of one account. There are few codes: at one guess a minute, an attacker with the password
/// would succeed within months, and an hour of rest must not reset the count.
const TOTP_CODE: Limit = Limit {
    free: 5,
    max_wait: TimeDelta::minutes(30),
    quiet: MAX_QUIET,
};
/// Recovery codes of one account. They have 80 random bits, so guessing is hopeless. Throttle lightly: an
/// attacker must not lock out the owner, who needs them while TOTP codes are throttled.
const RECOVERY_CODE: Limit = Limit {
    free: 5,
    max_wait: TimeDelta::seconds(2),
    quiet: TimeDelta::hours(1),
};
/// The longest `quiet` of all limits.
const MAX_QUIET: TimeDelta = TimeDelta::days(1);

/// Kinds of second-factor codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeKind {
    Totp,
    Recovery,
}

/// A counted attempt.
pub(super) struct Attempt {
    account: [u8; 32],
    address: Option<[u8; 32]>,
}

impl SessionService {
    /// Counts a password attempt, or rejects it with [`AppError::RateLimited`].
    pub(super) async fn begin_password_attempt(
        &self,
        email: &str,
        client: Option<IpAddr>,
    ) -> AppResult<Attempt> {
        let account = subject("account", email.trim().to_lowercase().as_bytes());
        self.begin_attempt(account, PASSWORD, client).await
    }

    /// Same for a second-factor code, which is counted separately: a correct password does not reset it.
    pub(super) async fn begin_code_attempt(
        &self,
        operator_id: Uuid,
        kind: CodeKind,
        client: Option<IpAddr>,
    ) -> AppResult<Attempt> {
        let (account, limit) = match kind {
            CodeKind::Totp => (totp_subject(operator_id), TOTP_CODE),
            CodeKind::Recovery => {
                let account = subject("recovery code", operator_id.as_bytes());
                (account, RECOVERY_CODE)
            }
        };
        self.begin_attempt(account, limit, client).await
    }

    async fn begin_attempt(
        &self,
        account: [u8; 32],
        limit: Limit,
        client: Option<IpAddr>,
    ) -> AppResult<Attempt> {
        let attempt = Attempt {
            account,
            address: client.map(|client| subject("address", &network(client))),
        };
        let now = self.core.now();
        let mut transaction = self.core.pool.begin().await?;
        // Lock addresses before accounts, to avoid deadlocks.
        let limits = [
            (attempt.address.as_ref(), ADDRESS),
            (Some(&attempt.account), limit),
        ];
        for (subject, limit) in limits {
            let Some(subject) = subject else { continue };
            let row = attempts::lock_for_update(&mut transaction, subject, now).await?;
            match count(row, limit, now) {
                Ok(row) => attempts::write(&mut transaction, subject, &row).await?,
                Err(wait) => {
                    // The address stays counted even if the account is throttled.
                    transaction.commit().await?;
                    return Err(AppError::RateLimited { retry_after: wait });
                }
            }
        }
        transaction.commit().await?;
        Ok(attempt)
    }

    /// Reverts the count after a success: clears the account's failures, and takes one from the address's.
    pub(super) async fn attempt_succeeded(&self, attempt: &Attempt) -> AppResult<()> {
        let mut transaction = self.core.pool.begin().await?;
        if let Some(address) = &attempt.address {
            attempts::uncount_failure(&mut transaction, address).await?;
        }
        attempts::clear(&mut transaction, &attempt.account).await?;
        Ok(transaction.commit().await?)
    }

    /// Clears the failures of an operator's TOTP codes, when the second factor is removed.
    pub(super) async fn clear_code_attempts(
        &self,
        connection: &mut PgConnection,
        operator_id: Uuid,
    ) -> AppResult<()> {
        Ok(attempts::clear(connection, &totp_subject(operator_id)).await?)
    }

    /// Deletes expired attempts and returns their number.
    pub async fn sweep_attempts(&self) -> AppResult<u64> {
        let mut connection = self.core.pool.acquire().await?;
        Ok(attempts::sweep(&mut connection, self.core.now() - MAX_QUIET).await?)
    }
}

fn totp_subject(operator_id: Uuid) -> [u8; 32] {
    subject("code", operator_id.as_bytes())
}

/// Returns the row after one more failure, or the seconds to wait.
fn count(row: AttemptsRow, limit: Limit, now: DateTime<Utc>) -> Result<AttemptsRow, u32> {
    let quiet = now - row.last_at >= limit.quiet;
    let wait = row.blocked_until - now;
    if !quiet && wait > TimeDelta::zero() {
        let seconds = (wait + TimeDelta::milliseconds(999)).num_seconds();
        return Err(u32::try_from(seconds).unwrap_or(1).max(1));
    }
    let failures = if quiet {
        1
    } else {
        row.failures.saturating_add(1)
    };
    Ok(AttemptsRow {
        failures,
        last_at: now,
        blocked_until: now + wait_after(failures, limit),
    })
}

/// Wait after so many failures: none for the free ones, then 1, 2, 4 … seconds.
fn wait_after(failures: i32, limit: Limit) -> TimeDelta {
    let Ok(doublings) = u32::try_from(failures - limit.free) else {
        return TimeDelta::zero();
    };
    match doublings.checked_sub(1) {
        None => TimeDelta::zero(),
        Some(doublings) => TimeDelta::seconds(1_i64 << doublings.min(20)).min(limit.max_wait),
    }
}

fn subject(kind: &str, value: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(value)
        .finalize()
        .into()
}

/// Address range of one subscriber: an IPv4 address or an IPv6 /64 network.
fn network(client: IpAddr) -> Vec<u8> {
    match client.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<i64> = (1..=15)
            .map(|failures| wait_after(failures, PASSWORD).num_seconds())
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(wait_after(i32::MAX, PASSWORD), PASSWORD.max_wait);
    }

    #[test]
    fn one_subscriber_is_one_subject() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn quiet_forgets() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let row = AttemptsRow {
            failures: 50,
            last_at: now - PASSWORD.quiet,
            blocked_until: now + PASSWORD.max_wait,
        };
        assert_eq!(count(row, PASSWORD, now).unwrap().failures, 1);
        let row = AttemptsRow {
            last_at: now,
            blocked_until: now + TimeDelta::milliseconds(1_200),
            ..row
        };
        assert_eq!(count(row, PASSWORD, now), Err(2));
    }
}
