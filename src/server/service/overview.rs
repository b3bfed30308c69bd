//! The overview: counts of keys by status and of keys that stand out.

use std::collections::HashMap;
use std::time::Duration;

use strum::VariantArray;
use uuid::Uuid;

use super::keys::KeyService;
use crate::domain::error::AppResult;
use crate::domain::key::KeyStatus;
use crate::domain::key_list::KeyQuery;
use crate::domain::overview::{Count, Overview};
use crate::server::store::overview;

/// Limit up to which keys of one status are counted; beyond it the number is estimated.
const MAX_STATUS_COUNT: i64 = 10_000;
/// Limit up to which keys that stand out are counted.
const MAX_OUTSTANDING_COUNT: i64 = 1_000;
/// Time limit of one of the five counts, however many keys there are.
const TIMEOUT: Duration = Duration::from_millis(250);

impl KeyService {
    /// Counts keys; by status for one partner, if one is given.
    pub async fn overview(&self, partner_id: Option<Uuid>) -> AppResult<Overview> {
        let now = self.core.now();
        let mut connection = self.core.pool.acquire().await?;
        let most = MAX_STATUS_COUNT;
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
        let statuses = KeyStatus::VARIANTS.iter().copied().map(|status| {
            let name = status.into_str();
            let count = Count::up_to(counted.get(name).copied().unwrap_or_default(), most);
            (status, count.or_about(estimates.get(name).copied()))
        });
        let mut count = async |query: KeyQuery| {
            let most = MAX_OUTSTANDING_COUNT;
            let counted = overview::count(&mut connection, &query, now, most, TIMEOUT).await?;
            AppResult::Ok(counted.map_or(Count::Unknown, |number| Count::up_to(number, most)))
        };
        let all = KeyQuery::default;
        Ok(Overview {
            statuses: statuses.collect(),
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
