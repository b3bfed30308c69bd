//! What operators were refused: failed sign-ins, and what a role does not allow. Anybody can fail to
//! sign in, as often as they like; so failures are counted here and the history gets one event a
//! minute of them, which no flood can drown. What is counted is bounded by the number of operators
//! and by [`MOST_ADDRESSES`]. A process that is killed loses what it counted since the last event.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde_json::json;

use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::AppResult;

/// Most addresses that one event names.
const MOST_ADDRESSES: usize = 20;

/// Why somebody failed to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such account, a disabled one, or another password.
    Wrong,
    /// Too soon after other failures: the password was not looked at.
    TooSoon,
}

/// What was refused and is not in the history yet.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    sign_ins: Option<FailedSignIns>,
    roles: BTreeMap<String, RoleRefusals>,
}

/// Failures to sign in.
#[derive(Debug)]
struct FailedSignIns {
    since: DateTime<Utc>,
    attempts: u64,
    too_soon: u64,
    accounts: BTreeMap<String, u64>,
    addresses: BTreeSet<IpAddr>,
    more_addresses: bool,
}

impl FailedSignIns {
    fn since(since: DateTime<Utc>) -> Self {
        Self {
            since,
            attempts: 0,
            too_soon: 0,
            accounts: BTreeMap::new(),
            addresses: BTreeSet::new(),
            more_addresses: false,
        }
    }

    fn add_address(&mut self, address: IpAddr) {
        if self.addresses.len() < MOST_ADDRESSES {
            self.addresses.insert(address);
        } else if !self.addresses.contains(&address) {
            self.more_addresses = true;
        }
    }

    fn add(&mut self, older: Self) {
        self.since = self.since.min(older.since);
        self.attempts += older.attempts;
        self.too_soon += older.too_soon;
        self.more_addresses |= older.more_addresses;
        for (account, attempts) in older.accounts {
            *self.accounts.entry(account).or_default() += attempts;
        }
        for address in older.addresses {
            self.add_address(address);
        }
    }

    fn subject(&self) -> Subject<'static> {
        let known: u64 = self.accounts.values().sum();
        Subject {
            details: json!({
                "since": self.since,
                "attempts": self.attempts,
                "tooSoon": self.too_soon,
                "accounts": self.accounts,
                "unknownAccounts": self.attempts - known,
                "addresses": self.addresses,
                "moreAddresses": self.more_addresses,
            }),
            ..Subject::default()
        }
    }
}

/// What one operator's role did not allow.
#[derive(Debug)]
struct RoleRefusals {
    since: DateTime<Utc>,
    last: Origin,
    functions: BTreeMap<String, u64>,
}

impl RoleRefusals {
    fn add(&mut self, older: Self) {
        self.since = self.since.min(older.since);
        for (function, attempts) in older.functions {
            *self.functions.entry(function).or_default() += attempts;
        }
    }

    fn subject(&self) -> Subject<'static> {
        let attempts: u64 = self.functions.values().sum();
        Subject {
            details: json!({
                "since": self.since,
                "attempts": attempts,
                "functions": self.functions,
            }),
            ..Subject::default()
        }
    }
}

impl Counted {
    /// Adds what was counted before and could not be written.
    fn add(&mut self, older: Self) {
        match (&mut self.sign_ins, older.sign_ins) {
            (Some(now), Some(older)) => now.add(older),
            (none @ None, older) => *none = older,
            (Some(_), None) => {}
        }
        for (email, older) in older.roles {
            match self.roles.entry(email) {
                std::collections::btree_map::Entry::Occupied(mut now) => now.get_mut().add(older),
                std::collections::btree_map::Entry::Vacant(none) => {
                    none.insert(older);
                }
            }
        }
    }
}

impl Registry {
    /// Counts a failure to sign in. `account` is an operator's e-mail: what was typed and is nobody's
    /// may be a password in the wrong field, and is kept nowhere.
    pub(super) fn sign_in_failed(
        &self,
        account: Option<String>,
        client: Option<IpAddr>,
        failure: Failure,
    ) {
        let now = self.now();
        let mut counted = self.refusals.0.lock();
        let failed = counted
            .sign_ins
            .get_or_insert_with(|| FailedSignIns::since(now));
        failed.attempts += 1;
        failed.too_soon += u64::from(failure == Failure::TooSoon);
        if let Some(account) = account {
            *failed.accounts.entry(account).or_default() += 1;
        }
        if let Some(client) = client {
            failed.add_address(client);
        }
    }

    /// Counts what an operator's role did not allow: `function` is the address of what they called.
    pub fn refused_by_role(&self, origin: &Origin, function: String) {
        let now = self.now();
        let mut counted = self.refusals.0.lock();
        let refused = counted
            .roles
            .entry(origin.actor.id.clone())
            .or_insert_with(|| RoleRefusals {
                since: now,
                last: origin.clone(),
                functions: BTreeMap::new(),
            });
        refused.last = origin.clone();
        *refused.functions.entry(function).or_default() += 1;
    }

    /// Writes what was counted into the history. What can't be written waits for the next time.
    ///
    /// # Errors
    /// The database's.
    pub async fn write_refusals(&self) -> AppResult<()> {
        let counted = std::mem::take(&mut *self.refusals.0.lock());
        let written = self.record_refusals(&counted).await;
        if written.is_err() {
            self.refusals.0.lock().add(counted);
        }
        written
    }

    async fn record_refusals(&self, counted: &Counted) -> AppResult<()> {
        if counted.sign_ins.is_none() && counted.roles.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pool.begin().await?;
        for refused in counted.roles.values() {
            let action = Action::OperatorRefused;
            let subject = refused.subject();
            audit::record(self, &mut transaction, &refused.last, action, subject).await?;
        }
        if let Some(failed) = &counted.sign_ins {
            let origin = Origin::server();
            let action = Action::OperatorSignInFailed;
            audit::record(self, &mut transaction, &origin, action, failed.subject()).await?;
        }
        Ok(transaction.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_written_is_added_to_what_came_since() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let failed = |seconds, from: u8| {
            let mut failed = FailedSignIns::since(at(seconds));
            failed.attempts = 2;
            failed.accounts.insert("ops@example.com".into(), 1);
            for n in 0..15 {
                failed.add_address([192, 0, from, n].into());
            }
            failed
        };
        let mut counted = Counted {
            sign_ins: Some(failed(60, 2)),
            ..Counted::default()
        };
        counted.add(Counted {
            sign_ins: Some(failed(5, 3)),
            ..Counted::default()
        });
        counted.add(Counted::default());
        let sum = counted.sign_ins.unwrap();
        assert_eq!((sum.since, sum.attempts), (at(5), 4));
        assert_eq!(sum.accounts["ops@example.com"], 2);
        assert_eq!(sum.addresses.len(), MOST_ADDRESSES);
        assert!(sum.more_addresses);
    }
}
