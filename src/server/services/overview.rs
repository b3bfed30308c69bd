//! The keys at a glance.

use std::collections::HashMap;

use uuid::Uuid;

use super::Registry;
use crate::domain::error::AppResult;
use crate::domain::key::{KeyStatus, LATELY, SOON};
use crate::domain::overview::{Count, Overview};
use crate::server::db::overview;

/// How far the keys of one status are counted; beyond it the statistics say about how many there are.
const STATUSES_COUNTED: i64 = 10_000;
/// How far keys that stand out are counted.
const OUTSTANDING_COUNTED: i64 = 1_000;

impl Registry {
    /// The keys at a glance; their statuses of one partner, where one is named.
    ///
    /// # Errors
    /// [`crate::domain::error::AppError::Unavailable`] where the database can't be reached.
    pub async fn overview(&self, partner_id: Option<Uuid>) -> AppResult<Overview> {
        let now = self.now();
        let mut connection = self.pool.acquire().await?;
        let most = STATUSES_COUNTED;
        let counted: HashMap<String, i64> =
            overview::count_statuses(&mut connection, partner_id, now, most)
                .await?
                .into_iter()
                .collect();
        let of_all = partner_id.is_none();
        let estimates: HashMap<String, i64> = if of_all && counted.values().any(|n| *n >= most) {
            let estimates = overview::estimate_statuses(&mut connection).await?;
            estimates.into_iter().collect()
        } else {
            HashMap::new()
        };
        let statuses = KeyStatus::ALL.map(|status| {
            let name = status.as_str();
            let count = Count::up_to(counted.get(name).copied().unwrap_or_default(), most);
            (status, count.or_about(estimates.get(name).copied()))
        });
        let most = OUTSTANDING_COUNTED;
        let found = overview::count_outstanding(&mut connection, now, (SOON, LATELY), most).await?;
        let count = |number| Count::up_to(number, most);
        Ok(Overview {
            statuses: statuses.into(),
            expiring: count(found.expiring),
            rotation_due: count(found.rotation_due),
            still_used: count(found.still_used),
            refused: count(found.refused),
            stale: count(found.stale),
        })
    }
}
