//! Counts of failed sign-ins and of actions that a role did not allow. Anybody can fail to sign in as
//! often as they like, so failures are counted here and written to the audit log as one event a
//! minute, which no flood can drown. Memory is bounded by the number of operators and by
//! [`MAX_ADDRESSES`]. A killed process loses the counts since the last event.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde_json::json;

use super::audit::{self, Subject};
use super::{AuditContext, Core};
use crate::domain::audit::Action;
use crate::domain::error::AppResult;

/// Addresses that one event names at most.
const MAX_ADDRESSES: usize = 20;

/// Reason of a failed sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Unknown or disabled account, or wrong password or code.
    Wrong,
    /// Throttled after other failures; the password or code was not checked.
    TooSoon,
}

/// Counts that are not in the audit log yet.
#[derive(Debug, Default)]
pub(super) struct DeniedActions(Mutex<Counted>);

impl DeniedActions {
    /// Counts a failed sign-in. `account` is an operator's e-mail address: text that is nobody's
    /// address may be a password in the wrong field, and is stored nowhere.
    pub(super) fn count_failed_sign_in(
        &self,
        now: DateTime<Utc>,
        account: Option<String>,
        client: Option<IpAddr>,
        failure: Failure,
    ) {
        let mut counted = self.0.lock();
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

    /// Counts an action that the operator's role did not allow.
    pub(super) fn count_denied(
        &self,
        now: DateTime<Utc>,
        context: &AuditContext,
        function: String,
    ) {
        let mut counted = self.0.lock();
        let denied = counted
            .roles
            .entry(context.actor.id.clone())
            .or_insert_with(|| DeniedByRole {
                since: now,
                last: context.clone(),
                functions: BTreeMap::new(),
            });
        denied.last = context.clone();
        *denied.functions.entry(function).or_default() += 1;
    }

    /// Writes the counts into the audit log; those that can't be written are kept.
    pub(super) async fn write(&self, core: &Core) -> AppResult<()> {
        let counted = std::mem::take(&mut *self.0.lock());
        let written = record(core, &counted).await;
        if written.is_err() {
            self.0.lock().add(counted);
        }
        written
    }
}

#[derive(Debug, Default)]
struct Counted {
    sign_ins: Option<FailedSignIns>,
    roles: BTreeMap<String, DeniedByRole>,
}

/// Failed sign-ins.
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
        if self.addresses.len() < MAX_ADDRESSES {
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
        Subject::of(json!({
            "since": self.since,
            "attempts": self.attempts,
            "tooSoon": self.too_soon,
            "accounts": self.accounts,
            "unknownAccounts": self.attempts - known,
            "addresses": self.addresses,
            "moreAddresses": self.more_addresses,
        }))
    }
}

/// Actions that one operator's role did not allow.
#[derive(Debug)]
struct DeniedByRole {
    since: DateTime<Utc>,
    last: AuditContext,
    functions: BTreeMap<String, u64>,
}

impl DeniedByRole {
    fn add(&mut self, older: Self) {
        self.since = self.since.min(older.since);
        for (function, attempts) in older.functions {
            *self.functions.entry(function).or_default() += attempts;
        }
    }

    fn subject(&self) -> Subject<'static> {
        let attempts: u64 = self.functions.values().sum();
        Subject::of(json!({
            "since": self.since,
            "attempts": attempts,
            "functions": self.functions,
        }))
    }
}

impl Counted {
    /// Adds earlier counts that could not be written.
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

async fn record(core: &Core, counted: &Counted) -> AppResult<()> {
    if counted.sign_ins.is_none() && counted.roles.is_empty() {
        return Ok(());
    }
    let mut transaction = core.pool.begin().await?;
    for denied in counted.roles.values() {
        let action = Action::OperatorRefused;
        audit::record(
            core,
            &mut transaction,
            &denied.last,
            action,
            denied.subject(),
        )
        .await?;
    }
    if let Some(failed) = &counted.sign_ins {
        let context = AuditContext::server();
        let action = Action::OperatorSignInFailed;
        audit::record(core, &mut transaction, &context, action, failed.subject()).await?;
    }
    Ok(transaction.commit().await?)
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
        assert_eq!(sum.addresses.len(), MAX_ADDRESSES);
        assert!(sum.more_addresses);
    }
}
