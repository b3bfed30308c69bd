//! The keys at a glance.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::Registry;
use crate::domain::error::AppResult;
use crate::domain::key::KeyStatus;
use crate::domain::key_list::KeyQuery;
use crate::domain::overview::{Count, Overview};
use crate::server::db::overview;

/// How far the keys of one status are counted; beyond it a sample says about how many there are.
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
            let estimates = overview::estimate_statuses(&mut connection, now).await?;
            estimates.into_iter().collect()
        } else {
            HashMap::new()
        };
        let statuses = KeyStatus::ALL.map(|status| {
            let name = status.as_str();
            let count = Count::up_to(counted.get(name).copied().unwrap_or_default(), most);
            (status, count.or_about(estimates.get(name).copied()))
        });
        let mut count = async |query: KeyQuery| {
            let most = OUTSTANDING_COUNTED;
            let counted = overview::count(&mut connection, &query, now, most, PATIENCE).await?;
            AppResult::Ok(counted.map_or(Count::Unknown, |number| Count::up_to(number, most)))
        };
        let all = KeyQuery::default;
        Ok(Overview {
            statuses: statuses.into(),
            expiring: count(KeyQuery {
                expiring: Some(true),
                ..all()
            })
            .await?,
            rotation_due: count(KeyQuery {
                rotation_due: Some(true),
                ..all()
            })
            .await?,
            still_used: count(KeyQuery {
                still_used: Some(true),
                ..all()
            })
            .await?,
            refused: count(KeyQuery {
                refused: Some(true),
                ..all()
            })
            .await?,
            stale: count(KeyQuery {
                stale: Some(true),
                ..all()
            })
            .await?,
        })
    }
}
