//! The policy of key ages.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult};
use crate::domain::policy::{Policy, UpdatePolicy};
use crate::server::store::policy;

impl Registry {
    /// The policy.
    ///
    /// # Errors
    /// The database's.
    pub async fn policy(&self) -> AppResult<Policy> {
        let mut connection = self.pool.acquire().await?;
        Ok(policy::find(&mut connection).await?)
    }

    /// Changes the policy. Keys that exist go on as they are: some may be due at once.
    ///
    /// # Errors
    /// The database's.
    pub async fn update_policy(&self, origin: &Origin, command: UpdatePolicy) -> AppResult<Policy> {
        let mut transaction = self.pool.begin().await?;
        let before = policy::lock(&mut transaction).await?;
        let after = Policy {
            max_key_age_days: command.max_key_age_days.apply(before.max_key_age_days),
            max_lifetime_days: command.max_lifetime_days.apply(before.max_lifetime_days),
            stale_after_days: command.stale_after_days.apply(before.stale_after_days),
            updated_at: self.now(),
        };
        let details = audit::changes([
            (
                "maxKeyAgeDays",
                json!(before.max_key_age_days),
                json!(after.max_key_age_days),
            ),
            (
                "maxLifetimeDays",
                json!(before.max_lifetime_days),
                json!(after.max_lifetime_days),
            ),
            (
                "staleAfterDays",
                json!(before.stale_after_days),
                json!(after.stale_after_days),
            ),
        ]);
        if details.is_empty() {
            return Ok(before);
        }
        policy::update(&mut transaction, &after).await?;
        let subject = Subject {
            details: details.into(),
            ..Subject::default()
        };
        let action = Action::PolicyChanged;
        audit::record(self, &mut transaction, origin, action, subject).await?;
        transaction.commit().await?;
        Ok(after)
    }
}

/// Refuses an end that the policy doesn't allow a key that begins at `start`.
///
/// # Errors
/// [`AppError::Invalid`] naming `notAfter` and the limit, or the database's.
pub(super) async fn require_end(
    connection: &mut PgConnection,
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
) -> AppResult<()> {
    let policy = policy::find(connection).await?;
    let checked = policy.check_end(start, end);
    checked.map_err(|message| AppError::field("notAfter", message))
}
