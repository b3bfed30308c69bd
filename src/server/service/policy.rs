//! The policy of key ages.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

use super::audit::{self, Subject};
use super::{AuditContext, Core};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult};
use crate::domain::policy::{Policy, UpdatePolicy};
use crate::server::store::policy;

/// The policy of key ages.
#[derive(Clone)]
pub struct PolicyService {
    core: Arc<Core>,
}

impl PolicyService {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    pub async fn get(&self) -> AppResult<Policy> {
        let mut connection = self.core.pool.acquire().await?;
        Ok(policy::find(&mut connection).await?)
    }

    /// Changes the policy. Existing keys stay valid, but some may become due for rotation.
    pub async fn update(&self, context: &AuditContext, command: UpdatePolicy) -> AppResult<Policy> {
        let mut transaction = self.core.pool.begin().await?;
        let before = policy::lock_for_update(&mut transaction).await?;
        let after = Policy {
            max_key_age_days: command.max_key_age_days.apply(before.max_key_age_days),
            max_lifetime_days: command.max_lifetime_days.apply(before.max_lifetime_days),
            stale_after_days: command.stale_after_days.apply(before.stale_after_days),
            updated_at: self.core.now(),
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
        let subject = Subject::of(details.into());
        let action = Action::PolicyChanged;
        audit::record(&self.core, &mut transaction, context, action, subject).await?;
        transaction.commit().await?;
        Ok(after)
    }
}

/// Rejects an end that the policy doesn't allow for a key that starts at `start`.
pub(super) async fn require_end(
    connection: &mut PgConnection,
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
) -> AppResult<()> {
    let policy = policy::find(connection).await?;
    let checked = policy.check_end(start, end);
    checked.map_err(|message| AppError::field("notAfter", message))
}
