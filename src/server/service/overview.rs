//! The keys at a glance.

use std::collections::HashMap;
use std::time::Duration;

use strum::VariantArray;
use uuid::Uuid;

use super::Registry;
use crate::domain::error::AppResult;
use crate::domain::key::KeyStatus;
use crate::domain::overview::{Count, Overview};
use crate::server::store::overview::{self, Outstanding};

/// How far the keys of one status are counted; beyond it the statistics say about how many there are.
const STATUSES_COUNTED: i64 = 10_000;
/// How far keys that stand out are counted.
const OUTSTANDING_COUNTED: i64 = 1_000;
/// How long one such count may take, however many keys there are; there are five.
const PATIENCE: Duration = Duration::from_millis(250);

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
        let statuses = KeyStatus::VARIANTS.iter().copied().map(|status| {
            let name = status.into_str();
            let count = Count::up_to(counted.get(name).copied().unwrap_or_default(), most);
            (status, count.or_about(estimates.get(name).copied()))
        });
        let mut count = async |which| {
            let most = OUTSTANDING_COUNTED;
            let counted =
                overview::count_outstanding(&mut connection, which, now, most, PATIENCE).await?;
            AppResult::Ok(counted.map_or(Count::Unknown, |number| Count::up_to(number, most)))
        };
        Ok(Overview {
            statuses: statuses.collect(),
            expiring: count(Outstanding::Expiring).await?,
            rotation_due: count(Outstanding::RotationDue).await?,
            still_used: count(Outstanding::StillUsed).await?,
            refused: count(Outstanding::Refused).await?,
            stale: count(Outstanding::Stale).await?,
        })
    }
}
