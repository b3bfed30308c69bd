//! Import from the earlier Node version: reads its tables and inserts partners and keys.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::postgres::PgConnectOptions;
use sqlx::types::Json;
use sqlx::{ConnectOptions, Connection, PgConnection};
use uuid::Uuid;

use crate::domain::key::Environment;
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;

/// Source database.
pub struct Source(PgConnection);

impl Source {
    /// Connects in a read-only transaction on one snapshot.
    pub async fn open(options: PgConnectOptions) -> sqlx::Result<Self> {
        let options = options
            .application_name("myproof-registry-import")
            .log_statements(tracing::log::LevelFilter::Off);
        let mut connection = PgConnection::connect_with(&options).await?;
        sqlx::query("set time zone 'UTC'")
            .execute(&mut connection)
            .await?;
        sqlx::query("begin isolation level repeatable read, read only")
            .execute(&mut connection)
            .await?;
        Ok(Self(connection))
    }

    /// Column names of a table; empty if the table does not exist.
    pub async fn columns(&mut self, table: &str) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar(
            "select attname::text from pg_attribute
              where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum",
        )
        .bind(table)
        .fetch_all(&mut self.0)
        .await
    }

    /// All rows of a table as JSON.
    pub async fn rows(&mut self, table: &str) -> sqlx::Result<Vec<Map<String, Value>>> {
        let sql = match table {
            "partners" => "select row_to_json(t) from partners t",
            _ => "select row_to_json(t) from api_keys t",
        };
        let rows: Vec<Json<Map<String, Value>>> =
            sqlx::query_scalar(sql).fetch_all(&mut self.0).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

/// Inserts a partner; returns false if the id exists.
pub async fn insert_partner(
    connection: &mut PgConnection,
    partner_id: Uuid,
    name: &str,
    contact_email: Option<&str>,
    active: bool,
    created_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "insert into partners (partner_id, name, contact_email, active, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $5) on conflict (partner_id) do nothing",
    )
    .bind(partner_id)
    .bind(name)
    .bind(contact_email)
    .bind(active)
    .bind(created_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// A key to import.
#[derive(Debug)]
pub struct ImportedKeyRow<'a> {
    pub key_id: &'a KeyId,
    pub partner_id: Uuid,
    pub name: Option<&'a str>,
    pub environment: Environment,
    pub scopes: &'a [Scope],
    pub rate_per_minute: i32,
    /// PHC string.
    pub secret_hash: &'a str,
    /// Start of the validity window, inclusive.
    pub not_before: DateTime<Utc>,
    /// End of the validity window, exclusive.
    pub not_after: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// Actor of the import.
    pub created_by: &'a str,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Inserts a key marked legacy, without check tag and fingerprint until its first success.
pub async fn insert_key(
    connection: &mut PgConnection,
    key: &ImportedKeyRow<'_>,
) -> sqlx::Result<()> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.into_str()).collect();
    sqlx::query(
        "insert into api_keys (key_id, partner_id, name, environment, scopes, rate_per_minute,
                               secret_hash, not_before, not_after, created_at, created_by, revoked_at,
                               revoked_reason, legacy)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                 case when $12 is not null then 'unspecified' end, true)",
    )
    .bind(key.key_id.as_str())
    .bind(key.partner_id)
    .bind(key.name)
    .bind(key.environment.into_str())
    .bind(scopes)
    .bind(key.rate_per_minute)
    .bind(key.secret_hash)
    .bind(key.not_before)
    .bind(key.not_after)
    .bind(key.created_at)
    .bind(key.created_by)
    .bind(key.revoked_at)
    .execute(connection)
    .await
    .map(|_| ())
}

/// True if the key was imported from the Node version.
pub async fn is_legacy(connection: &mut PgConnection, key_id: &KeyId) -> sqlx::Result<bool> {
    sqlx::query_scalar("select legacy from api_keys where key_id = $1")
        .bind(key_id.as_str())
        .fetch_one(connection)
        .await
}
