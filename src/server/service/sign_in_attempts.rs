//! Guessing passwords and codes is slowed, per account and per address, and never ends in a lock: whoever
//! knows the password waits a minute at the most (OWASP Authentication Cheat Sheet, "Login
//! Throttling"; NIST SP 800-63B §5.2.2).
//!
//! An attempt counts as a failure before its password is looked at, so that many at once are no
//! way around the count; a success takes that back. Accounts that don't exist are counted alike.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Registry;
use crate::domain::error::{AppError, AppResult};
use crate::server::store::sign_in_attempts::{self as attempts, AttemptsRow};

/// How attempts of a kind are slowed.
#[derive(Clone, Copy)]
struct Limit {
    /// Failures that cost no wait.
    free: i32,
    /// Longest wait between two attempts.
    longest_wait: TimeDelta,
    /// Failures are forgotten after so long without an attempt.
    quiet: TimeDelta,
}

/// Of one address; an office may share one.
const ADDRESS: Limit = Limit {
    free: 20,
    longest_wait: TimeDelta::seconds(60),
    quiet: TimeDelta::hours(1),
};
/// At the password of one account: whoever knows it is not shut out.
const PASSWORD: Limit = Limit {
    free: 5,
    longest_wait: TimeDelta::seconds(60),
    quiet: TimeDelta::hours(1),
};
/// At the codes by time of one account. They have few choices: at one a minute one would be found within
/// months by whoever has the password already, and an hour's rest must not begin the count anew.
const CODE: Limit = Limit {
    free: 5,
    longest_wait: TimeDelta::minutes(30),
    quiet: LONGEST_QUIET,
};
/// At the recovery codes of one account. Nobody guesses 80 random bits: whoever tries is not to keep their
/// owner out, for whom they are the way in while the codes by time are slowed.
const RECOVERY_CODE: Limit = Limit {
    free: 5,
    longest_wait: TimeDelta::seconds(2),
    quiet: TimeDelta::hours(1),
};
/// The longest of those.
const LONGEST_QUIET: TimeDelta = TimeDelta::days(1);

/// An attempt that was let through: what a success takes back.
pub(super) struct Attempt {
    account: [u8; 32],
    address: Option<[u8; 32]>,
}

impl Registry {
    /// Lets an attempt through and counts it.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] where it comes too soon, or the database's.
    pub(super) async fn begin_sign_in(
        &self,
        email: &str,
        client: Option<IpAddr>,
    ) -> AppResult<Attempt> {
        let account = subject("account", email.trim().to_lowercase().as_bytes());
        self.begin_attempt(account, PASSWORD, client).await
    }

    /// The same for a code of the second factor, which is counted apart from the password: whoever knows
    /// the one gets no more tries at the other.
    ///
    /// # Errors
    /// As [`Registry::begin_sign_in`].
    pub(super) async fn begin_code(
        &self,
        operator_id: Uuid,
        is_recovery: bool,
        client: Option<IpAddr>,
    ) -> AppResult<Attempt> {
        let (account, limit) = if is_recovery {
            let account = subject("recovery code", operator_id.as_bytes());
            (account, RECOVERY_CODE)
        } else {
            (codes_of(operator_id), CODE)
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
        let now = self.now();
        let mut transaction = self.pool.begin().await?;
        // Addresses before accounts, always: two attempts can't wait for each other.
        let limits = [
            (attempt.address.as_ref(), ADDRESS),
            (Some(&attempt.account), limit),
        ];
        for (subject, limit) in limits {
            let Some(subject) = subject else { continue };
            let row = attempts::lock(&mut transaction, subject, now).await?;
            match count(row, limit, now) {
                Ok(row) => attempts::write(&mut transaction, subject, &row).await?,
                Err(wait) => {
                    // The address has been counted, whatever the account says.
                    transaction.commit().await?;
                    return Err(AppError::RateLimited { retry_after: wait });
                }
            }
        }
        transaction.commit().await?;
        Ok(attempt)
    }

    /// It was right: the account's failures are forgotten, the address's are one fewer.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn end_sign_in(&self, attempt: &Attempt) -> AppResult<()> {
        let mut transaction = self.pool.begin().await?;
        if let Some(address) = &attempt.address {
            attempts::take_back(&mut transaction, address).await?;
        }
        attempts::clear(&mut transaction, &attempt.account).await?;
        Ok(transaction.commit().await?)
    }

    /// Forgets the failures at an operator's codes by time: there is no such code any more.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn forget_codes(
        &self,
        connection: &mut PgConnection,
        operator_id: Uuid,
    ) -> AppResult<()> {
        Ok(attempts::clear(connection, &codes_of(operator_id)).await?)
    }

    /// Deletes attempts that count no more; how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_sign_in_attempts(&self) -> AppResult<u64> {
        let mut connection = self.pool.acquire().await?;
        Ok(attempts::sweep(&mut connection, self.now() - LONGEST_QUIET).await?)
    }
}

fn codes_of(operator_id: Uuid) -> [u8; 32] {
    subject("code", operator_id.as_bytes())
}

/// The row after one more failure, or the whole seconds to wait.
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

/// None for the free failures, then 1, 2, 4 … seconds.
fn wait_after(failures: i32, limit: Limit) -> TimeDelta {
    let Ok(doublings) = u32::try_from(failures - limit.free) else {
        return TimeDelta::zero();
    };
    match doublings.checked_sub(1) {
        None => TimeDelta::zero(),
        Some(doublings) => TimeDelta::seconds(1_i64 << doublings.min(20)).min(limit.longest_wait),
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

/// What of an address one subscriber holds: an IPv4 address, or an IPv6 network of 64 bits.
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
        assert_eq!(wait_after(i32::MAX, PASSWORD), PASSWORD.longest_wait);
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
            blocked_until: now + PASSWORD.longest_wait,
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
