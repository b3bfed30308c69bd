//! Import of partners and keys from the registry's earlier Node version. Its tokens keep working: the
//! rows keep their ids, windows and hashes, and are marked legacy.
//!
//! Safe to repeat: existing rows stay unchanged, except that keys revoked in the source since then are
//! revoked here too.

mod source;

use serde_json::json;
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;

use self::source::{SourceKey, SourcePartner};
use super::audit::{self, Subject};
use super::{AuditContext, Services};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult};
use crate::domain::key::{KeyStatus, RevocationReason};
use crate::domain::key_input::RevokeKey;
use crate::domain::scope::Scope;
use crate::server::store::error::describe;
use crate::server::store::import::{self as rows, ImportedKeyRow, Source};
use crate::server::store::keys;
use crate::server::store::partners;

/// Whether keys with the scope `admin:*` are imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminKeys {
    Import,
    Skip,
}

/// Result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Imported partners.
    pub partners: usize,
    /// Imported keys.
    pub keys: usize,
    /// Rows that already existed.
    pub known: usize,
    /// Existing keys that were revoked because the source has them revoked.
    pub revoked: usize,
    /// Rows that were not imported, each with its reason.
    pub refused: Vec<(String, String)>,
    /// Columns of the source that were not read.
    pub unread_columns: Vec<String>,
}

/// Reason why an import was aborted.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Failure to read the source, with a cause that contains no secret.
    #[error("the source can't be read: {0}")]
    Source(String),
    /// Failure of the registry itself.
    #[error(transparent)]
    Registry(#[from] AppError),
}

impl Services {
    /// Imports all valid partners and keys of the source, each row in its own transaction. After an error,
    /// rows imported before it stay.
    pub async fn import_node_pack(
        &self,
        context: &AuditContext,
        from: PgConnectOptions,
        admin_keys: AdminKeys,
    ) -> Result<Imported, ImportError> {
        let unreadable = |error: sqlx::Error| ImportError::Source(describe(&error));
        let mut from = Source::open(from).await.map_err(unreadable)?;
        let mut imported = Imported::default();
        for (table, required, read) in [
            (
                "partners",
                &source::PARTNER_REQUIRED[..],
                source::PARTNER_COLUMNS,
            ),
            ("api_keys", &source::KEY_REQUIRED[..], source::KEY_COLUMNS),
        ] {
            let columns = from.columns(table).await.map_err(unreadable)?;
            if let Some(missing) = required.iter().find(|names| {
                !columns
                    .iter()
                    .any(|column| names.contains(&column.as_str()))
            }) {
                return Err(ImportError::Source(match columns.is_empty() {
                    true => format!("it has no table {table}"),
                    false => format!("its table {table} has no column {}", missing[0]),
                }));
            }
            let unread = columns
                .into_iter()
                .filter(|column| !read.contains(&column.as_str()))
                .map(|column| format!("{table}.{column}"));
            imported.unread_columns.extend(unread);
        }
        let now = self.core.now();
        for row in from.rows("partners").await.map_err(unreadable)? {
            match SourcePartner::read(&row, now) {
                Err(why) => imported.refused.push((source::label("partner", &row), why)),
                Ok(partner) => {
                    let is_new = self.import_partner(context, &partner).await?;
                    *(if is_new {
                        &mut imported.partners
                    } else {
                        &mut imported.known
                    }) += 1;
                }
            }
        }
        for row in from.rows("api_keys").await.map_err(unreadable)? {
            let label = source::label("key", &row);
            match SourceKey::read(&row, now) {
                Ok(key) if key.scopes.contains(&Scope::Admin) && admin_keys == AdminKeys::Skip => {
                    let why = "it has the scope admin:*: add --allow-admin to take it";
                    imported.refused.push((label, why.to_owned()));
                }
                Ok(key) => match self.import_key(context, &key).await? {
                    Outcome::Imported => imported.keys += 1,
                    Outcome::Known => imported.known += 1,
                    Outcome::Revoked => imported.revoked += 1,
                    Outcome::Refused(why) => imported.refused.push((label, why.to_owned())),
                },
                Err(why) => imported.refused.push((label, why)),
            }
        }
        Ok(imported)
    }

    /// Returns false if the id exists.
    async fn import_partner(
        &self,
        context: &AuditContext,
        partner: &SourcePartner,
    ) -> AppResult<bool> {
        let mut transaction = self.core.pool.begin().await?;
        if !rows::insert_partner(
            &mut transaction,
            partner.partner_id,
            &partner.name,
            partner.contact_email.as_deref(),
            partner.active,
            partner.created_at,
        )
        .await?
        {
            return Ok(false);
        }
        let subject = Subject::partner(
            partner.partner_id,
            json!({
                "name": partner.name, "contactEmail": partner.contact_email, "active": partner.active,
            }),
        );
        let action = Action::PartnerImported;
        audit::record(&self.core, &mut transaction, context, action, subject).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn import_key(&self, context: &AuditContext, key: &SourceKey) -> AppResult<Outcome> {
        let mut transaction = self.core.pool.begin().await?;
        if let Some(row) = keys::lock_for_update(&mut transaction, key.key_id.as_str()).await? {
            let existing = row.view(self.core.now())?;
            let is_same = existing.partner_id == key.partner_id
                && rows::is_legacy(&mut transaction, &key.key_id).await?;
            drop(transaction);
            return if !is_same {
                Ok(Outcome::Refused(
                    "a key of the registry has this id already",
                ))
            } else if key.revoked_at.is_some() && existing.status != KeyStatus::Revoked {
                let command = RevokeKey {
                    reason: RevocationReason::Unspecified,
                    note: Some("revoked in the source of the import".to_owned()),
                };
                self.keys
                    .revoke(context, key.key_id.as_str(), command)
                    .await?;
                Ok(Outcome::Revoked)
            } else {
                Ok(Outcome::Known)
            };
        }
        if partners::lock_shared(&mut transaction, key.partner_id)
            .await?
            .is_none()
        {
            return Ok(Outcome::Refused("its partner was not taken"));
        }
        self.insert_imported(&mut transaction, context, key).await?;
        transaction.commit().await?;
        Ok(Outcome::Imported)
    }

    async fn insert_imported(
        &self,
        connection: &mut PgConnection,
        context: &AuditContext,
        key: &SourceKey,
    ) -> AppResult<()> {
        let created_by = context.actor.to_string();
        let row = ImportedKeyRow {
            key_id: &key.key_id,
            partner_id: key.partner_id,
            name: key.name.as_deref(),
            environment: key.environment,
            scopes: &key.scopes,
            rate_per_minute: key.rate_per_minute,
            secret_hash: &key.secret_hash,
            not_before: key.not_before,
            not_after: key.not_after,
            created_at: key.created_at,
            created_by: &created_by,
            revoked_at: key.revoked_at,
        };
        rows::insert_key(connection, &row).await?;
        let subject = Subject::key(
            &key.key_id,
            key.partner_id,
            json!({
                "name": key.name,
                "scopes": key.scopes,
                "environment": key.environment,
                "ratePerMinute": key.rate_per_minute,
                "notBefore": key.not_before,
                "notAfter": key.not_after,
                "revokedAt": key.revoked_at,
            }),
        );
        audit::record(
            &self.core,
            connection,
            context,
            Action::KeyImported,
            subject,
        )
        .await
    }
}

/// Result of importing one key.
enum Outcome {
    Imported,
    Known,
    Revoked,
    Refused(&'static str),
}
