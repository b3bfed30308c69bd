//! Table `api_keys`: bulk actions.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::key_conditions as conditions;
use super::keys::{KeyRow, select_keys};
use crate::domain::bulk::{BulkAction, MAX_KEYS};
use crate::domain::bulk_input::Selection;
use crate::domain::token::KeyId;

/// Selected keys, oldest first: the existing listed ones, or the live matching ones that the action
/// applies to. Matching returns at most one key more than a request may change.
pub async fn select(
    connection: &mut PgConnection,
    selection: &Selection,
    action: BulkAction,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<KeyRow>> {
    match selection {
        Selection::Listed(ids) => {
            sqlx::query_as(select_keys!(
                "where k.key_id = any($1) order by k.created_at, k.key_id"
            ))
            .bind(as_strs(ids))
            .fetch_all(connection)
            .await
        }
        Selection::Matching {
            partner_id,
            made_before,
            rotation_due,
        } => {
            let mut statement = QueryBuilder::new(select_keys!(
                "where k.revoked_at is null and (k.retires_at is null or k.retires_at > "
            ));
            statement.push_bind(now);
            statement.push(") and (k.not_after is null or k.not_after > ");
            statement.push_bind(now);
            statement.push(")");
            if let Some(partner_id) = partner_id {
                statement.push(" and k.partner_id = ");
                statement.push_bind(*partner_id);
            }
            if let Some(made_before) = made_before {
                statement.push(" and k.created_at < ");
                statement.push_bind(*made_before);
            }
            if action == BulkAction::Rotate {
                statement.push(" and s.key_id is null");
            }
            if *rotation_due {
                statement.push(" and ");
                conditions::push(&mut statement, conditions::ROTATION_DUE, now);
            }
            statement.push(" order by k.created_at, k.key_id limit ");
            statement.push_bind(MAX_KEYS as i64 + 1);
            statement.build_query_as().fetch_all(connection).await
        }
    }
}

/// Locks these keys and the first keys of their lineages until the transaction ends. The order (lineage,
/// generation) matches the locks of single-key writes, which prevents deadlocks.
pub async fn lock_for_update(connection: &mut PgConnection, ids: &[KeyId]) -> sqlx::Result<()> {
    sqlx::query(
        "select from api_keys
          where key_id = any($1) or key_id in (select lineage from api_keys where key_id = any($1))
          order by lineage, generation for no key update",
    )
    .bind(as_strs(ids))
    .execute(connection)
    .await
    .map(|_| ())
}

/// Keys among `ids` that have another live key in their lineage.
pub async fn with_live_sibling(
    connection: &mut PgConnection,
    ids: &[KeyId],
    now: DateTime<Utc>,
) -> sqlx::Result<HashSet<String>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "select distinct k.key_id
           from api_keys k
           join api_keys other on other.lineage = k.lineage and other.key_id <> k.key_id
          where k.key_id = any($1) and other.revoked_at is null
            and (other.retires_at is null or other.retires_at > $2)
            and (other.not_after is null or other.not_after > $2)",
    )
    .bind(as_strs(ids))
    .bind(now)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Active partners among `partner_ids`, with a shared lock until the transaction ends.
pub async fn lock_active_shared(
    connection: &mut PgConnection,
    partner_ids: &[Uuid],
) -> sqlx::Result<HashSet<Uuid>> {
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(
        "select partner_id, active from partners where partner_id = any($1)
          order by partner_id for share",
    )
    .bind(partner_ids)
    .fetch_all(connection)
    .await?;
    let active = rows.into_iter().filter(|(_, active)| *active);
    Ok(active.map(|(partner_id, _)| partner_id).collect())
}

fn as_strs(ids: &[KeyId]) -> Vec<&str> {
    ids.iter().map(KeyId::as_str).collect()
}
