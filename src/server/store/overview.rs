//! Table `api_keys`: counts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, QueryBuilder};
use strum::VariantArray;
use uuid::Uuid;

use super::error::is_timeout;
use super::key_list::push_count;
use crate::domain::key::KeyStatus;
use crate::domain::key_list::KeyQuery;

/// Sample size of an estimate.
const SAMPLE_ROWS: f64 = 20_000.0;

/// Number of keys per status, each counted up to `max`.
pub async fn count_statuses(
    connection: &mut PgConnection,
    partner_id: Option<Uuid>,
    now: DateTime<Utc>,
    max: i64,
) -> sqlx::Result<Vec<(String, i64)>> {
    let mut statement = QueryBuilder::new("");
    for (n, status) in KeyStatus::VARIANTS.iter().copied().enumerate() {
        let query = KeyQuery {
            partner_id,
            status: Some(status),
            ..KeyQuery::default()
        };
        let union = if n == 0 { "" } else { " union all " };
        statement.push(format!("{union}select '{}', ", status.into_str()));
        push_count(&mut statement, &query, now, max);
    }
    statement
        .build_query_as()
        .persistent(false)
        .fetch_all(connection)
        .await
}

/// Estimated number of keys per status, from a sample of the table's pages.
pub async fn estimate_statuses(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "select s.status, (count(*) * (select reltuples from pg_class where oid = 'api_keys'::regclass)
                           / sum(count(*)) over ())::bigint
           from api_keys k tablesample system (
                    100 * $2 / greatest($2, (select reltuples from pg_class where oid = 'api_keys'::regclass)))
           join unnest($3::text[]) s (status)
             on api_key_is(s.status, k.revoked_at, k.retires_at, k.not_before, k.not_after, $1)
          group by s.status",
    )
    .bind(now)
    .bind(SAMPLE_ROWS)
    .bind(KeyStatus::VARIANTS.iter().map(|status| status.into_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
}

/// Number of keys that match a query, ignoring its search, counted up to `max`; `None` after `timeout`,
/// since old keys that are still live may be scattered among many that are not.
pub async fn count(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
    max: i64,
    timeout: Duration,
) -> sqlx::Result<Option<i64>> {
    let mut transaction = connection.begin().await?;
    sqlx::query("select set_config('statement_timeout', $1, true)")
        .bind(timeout.as_millis().to_string())
        .execute(&mut *transaction)
        .await?;
    let mut statement = QueryBuilder::new("select ");
    push_count(&mut statement, query, now, max);
    let counted = statement
        .build_query_scalar()
        .persistent(false)
        .fetch_one(&mut *transaction)
        .await;
    transaction.rollback().await?;
    match counted {
        Err(error) if is_timeout(&error) => Ok(None),
        counted => counted.map(Some),
    }
}
