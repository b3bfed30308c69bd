//! Sample data for development, written by COPY.

use sqlx::{AssertSqlSafe, PgConnection};

/// A table that sample data is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `partners`.
    Partners,
    /// `api_keys`.
    Keys,
    /// `api_key_last_use`.
    LastUses,
    /// `api_key_usage`.
    Usage,
}

impl Table {
    /// Every table, each before those that refer to it.
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

/// The triggers of `api_keys` whose work the rows bring along.
const TRIGGERS: [&str; 2] = ["api_keys_identity_for_life", "api_keys_begin_use"];

/// The indexes that are away while rows are written: made once at the end they cost a fraction.
pub struct SetAside(Vec<String>);

/// Prepares the transaction.
pub async fn begin(connection: &mut PgConnection) -> sqlx::Result<SetAside> {
    let mut definitions = Vec::new();
    run(connection, "set local statement_timeout = 0".to_owned()).await?;
    for trigger in TRIGGERS {
        let statement = format!("alter table api_keys disable trigger {trigger}");
        run(connection, statement).await?;
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
            run(connection, format!("drop index {index}")).await?;
            definitions.push(definition);
        }
    }
    Ok(SetAside(definitions))
}

/// Writes rows, a line each, as COPY reads text.
pub async fn copy(connection: &mut PgConnection, table: Table, rows: &str) -> sqlx::Result<u64> {
    let statement = format!("copy {} ({}) from stdin", table.name(), table.columns());
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(rows.as_bytes()).await?;
    copy.finish().await
}

/// Puts back what was set aside, and tells running servers.
pub async fn finish(connection: &mut PgConnection, aside: SetAside) -> sqlx::Result<()> {
    run(
        connection,
        "set local maintenance_work_mem = '256MB'".to_owned(),
    )
    .await?;
    for definition in aside.0 {
        run(connection, definition).await?;
    }
    for trigger in TRIGGERS {
        let statement = format!("alter table api_keys enable trigger {trigger}");
        run(connection, statement).await?;
    }
    run(connection, "notify myproof_registry, '*'".to_owned()).await
}

/// Has the planner know the rows, and index-only scans find them. No transaction may be open.
pub async fn settle(connection: &mut PgConnection) -> sqlx::Result<()> {
    run(connection, "set statement_timeout = 0".to_owned()).await?;
    for table in Table::ALL.map(Table::name) {
        run(connection, format!("vacuum (analyze) {table}")).await?;
    }
    run(connection, "reset statement_timeout".to_owned()).await
}

/// The statements are made of this module's names and of what the database's catalogue says.
async fn run(connection: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(|_| ())
}
