//! Inserts sample data for development by COPY.

use sqlx::{AssertSqlSafe, PgConnection};

/// Table of the sample data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Partners,
    Keys,
    LastUses,
    Usage,
}

impl Table {
    /// All tables, each before those that refer to it.
    pub const ALL: [Self; 4] = [Self::Partners, Self::Keys, Self::LastUses, Self::Usage];

    const fn name(self) -> &'static str {
        match self {
            Self::Partners => "partners",
            Self::Keys => "api_keys",
            Self::LastUses => "api_key_last_use",
            Self::Usage => "api_key_usage",
        }
    }

    const fn columns(self) -> &'static str {
        match self {
            Self::Partners => "partner_id, name, contact_email, created_at, updated_at",
            Self::Keys => {
                "key_id, partner_id, name, environment, scopes, rate_per_minute, secret_hash, check_tag,
                 pepper_fingerprint, not_before, not_after, created_at, created_by, rotated_from, lineage,
                 generation, retires_at, grace_seconds, grace_starts, grace_started_at, revoked_at,
                 revoked_reason"
            }
            Self::LastUses => "key_id, partner_id, created_at, last_used_at, last_used_ip",
            Self::Usage => "key_id, hour, outcome, uses",
        }
    }
}

/// Triggers of `api_keys` whose columns and rows the sample already contains.
const TRIGGERS: [&str; 2] = ["api_keys_identity_for_life", "api_keys_begin_use"];

/// Definitions of the indexes that are dropped during the insert: creating them at the end is much faster.
pub struct DroppedIndexes(Vec<String>);

/// Prepares the transaction: disables triggers and drops indexes.
pub async fn begin(connection: &mut PgConnection) -> sqlx::Result<DroppedIndexes> {
    let mut definitions = Vec::new();
    execute(connection, "set local statement_timeout = 0".to_owned()).await?;
    for trigger in TRIGGERS {
        let statement = format!("alter table api_keys disable trigger {trigger}");
        execute(connection, statement).await?;
    }
    for table in Table::ALL.map(Table::name) {
        let indexes: Vec<(String, String)> = sqlx::query_as(
            "select c.relname::text, pg_get_indexdef(i.indexrelid)
               from pg_index i join pg_class c on c.oid = i.indexrelid
              where i.indrelid = to_regclass($1) and not i.indisunique",
        )
        .bind(table)
        .fetch_all(&mut *connection)
        .await?;
        for (index, definition) in indexes {
            execute(connection, format!("drop index {index}")).await?;
            definitions.push(definition);
        }
    }
    Ok(DroppedIndexes(definitions))
}

/// Inserts rows in COPY's text format.
pub async fn copy(connection: &mut PgConnection, table: Table, rows: &str) -> sqlx::Result<u64> {
    let statement = format!("copy {} ({}) from stdin", table.name(), table.columns());
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(rows.as_bytes()).await?;
    copy.finish().await
}

/// Recreates the indexes, enables the triggers and notifies running servers.
pub async fn finish(connection: &mut PgConnection, indexes: DroppedIndexes) -> sqlx::Result<()> {
    execute(
        connection,
        "set local maintenance_work_mem = '256MB'".to_owned(),
    )
    .await?;
    for definition in indexes.0 {
        execute(connection, definition).await?;
    }
    for trigger in TRIGGERS {
        let statement = format!("alter table api_keys enable trigger {trigger}");
        execute(connection, statement).await?;
    }
    execute(connection, "notify myproof_registry, '*'".to_owned()).await
}

/// Vacuums and analyzes the tables, for index-only scans and the planner. No transaction may be open.
pub async fn vacuum(connection: &mut PgConnection) -> sqlx::Result<()> {
    execute(connection, "set statement_timeout = 0".to_owned()).await?;
    for table in Table::ALL.map(Table::name) {
        execute(connection, format!("vacuum (analyze) {table}")).await?;
    }
    execute(connection, "reset statement_timeout".to_owned()).await
}

/// Executes a statement, which is built only from names in this module and from the catalogue.
async fn execute(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(|_| ())
}
