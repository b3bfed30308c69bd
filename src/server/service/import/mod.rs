//! Taking over partners and keys of the registry's earlier Node pack. Its tokens keep working: the
//! rows keep their ids, windows and hashes, and are marked legacy.
//!
//! Safe to run again: what is here already stays as it is, except that a key which the source calls
//! revoked by now is revoked here too.

mod source;

use serde_json::json;
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;

use self::source::{SourceKey, SourcePartner};
use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult};
use crate::domain::key::{KeyStatus, RevocationReason};
use crate::domain::key_input::RevokeKey;
use crate::domain::scope::Scope;
use crate::server::store::error::describe;
use crate::server::store::import::{self as rows, ImportedKeyRow, Source};
use crate::server::store::keys;
use crate::server::store::partners;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Partners that were taken.
    pub partners: usize,
    /// Keys that were taken.
    pub keys: usize,
    /// Rows that were here already.
    pub known: usize,
    /// Keys that were here already and are revoked now, as they are in the source.
    pub revoked: usize,
    /// Rows that were not taken: which, and why.
    pub refused: Vec<(String, String)>,
    /// Columns of the source that were not looked at.
    pub unread_columns: Vec<String>,
}

/// Why an import ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source can't be read; with the cause, which holds no secret.
    #[error("the source can't be read: {0}")]
    Source(String),
    /// The registry's own database.
    #[error(transparent)]
    Registry(#[from] AppError),
}

impl Registry {
    /// Reads every partner and key of the source and takes what is right; each row in a transaction
    /// of its own. Keys with `admin:*` are taken only where that is allowed.
    ///
    /// # Errors
    /// [`ImportError`]; what was taken before stays.
    pub async fn import(
        &self,
        origin: &Origin,
        from: PgConnectOptions,
        allow_admin: bool,
    ) -> Result<Imported, ImportError> {
        let unreadable = |error: sqlx::Error| ImportError::Source(describe(&error));
        let mut from = Source::open(from).await.map_err(unreadable)?;
        let mut imported = Imported::default();
        for (table, needed, known) in [
            (
                "partners",
                &source::PARTNER_NEEDS[..],
                source::PARTNER_COLUMNS,
            ),
            ("api_keys", &source::KEY_NEEDS[..], source::KEY_COLUMNS),
        ] {
            let columns = from.columns(table).await.map_err(unreadable)?;
            if let Some(missing) = needed.iter().find(|names| {
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
                .filter(|column| !known.contains(&column.as_str()))
                .map(|column| format!("{table}.{column}"));
            imported.unread_columns.extend(unread);
        }
        let now = self.now();
        for row in from.rows("partners").await.map_err(unreadable)? {
            match SourcePartner::read(&row, now) {
                Err(why) => imported.refused.push((source::label("partner", &row), why)),
                Ok(partner) => {
                    let taken = self.import_partner(origin, &partner).await?;
                    *(if taken {
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
                Ok(key) if key.scopes.contains(&Scope::Admin) && !allow_admin => {
                    let why = "it has the scope admin:*: add --allow-admin to take it";
                    imported.refused.push((label, why.to_owned()));
                }
                Ok(key) => match self.import_key(origin, &key).await? {
                    Outcome::Taken => imported.keys += 1,
                    Outcome::Known => imported.known += 1,
                    Outcome::Revoked => imported.revoked += 1,
                    Outcome::Refused(why) => imported.refused.push((label, why.to_owned())),
                },
                Err(why) => imported.refused.push((label, why)),
            }
        }
        Ok(imported)
    }

    /// Whether the partner was taken: `false` where there is one of this id already.
    async fn import_partner(&self, origin: &Origin, partner: &SourcePartner) -> AppResult<bool> {
        let mut transaction = self.pool.begin().await?;
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
        let subject = Subject {
            partner_id: Some(partner.partner_id),
            details: json!({
                "name": partner.name, "contactEmail": partner.contact_email, "active": partner.active,
            }),
            ..Subject::default()
        };
        let action = Action::PartnerImported;
        audit::record(self, &mut transaction, origin, action, subject).await?;
        transaction.commit().await?;
        Ok(true)
    }

    async fn import_key(&self, origin: &Origin, key: &SourceKey) -> AppResult<Outcome> {
        let mut transaction = self.pool.begin().await?;
        if let Some(row) = keys::lock(&mut transaction, key.key_id.as_str()).await? {
            let here = row.view(self.now())?;
            let is_same = here.partner_id == key.partner_id
                && rows::is_legacy(&mut transaction, &key.key_id).await?;
            drop(transaction);
            return if !is_same {
                Ok(Outcome::Refused(
                    "a key of the registry has this id already",
                ))
            } else if key.revoked_at.is_some() && here.status != KeyStatus::Revoked {
                let command = RevokeKey {
                    reason: RevocationReason::Unspecified,
                    note: Some("revoked in the source of the import".to_owned()),
                };
                self.revoke_key(origin, key.key_id.as_str(), command)
                    .await?;
                Ok(Outcome::Revoked)
            } else {
                Ok(Outcome::Known)
            };
        }
        if partners::share(&mut transaction, key.partner_id)
            .await?
            .is_none()
        {
            return Ok(Outcome::Refused("its partner was not taken"));
        }
        self.insert_imported(&mut transaction, origin, key).await?;
        transaction.commit().await?;
        Ok(Outcome::Taken)
    }

    async fn insert_imported(
        &self,
        connection: &mut PgConnection,
        origin: &Origin,
        key: &SourceKey,
    ) -> AppResult<()> {
        let created_by = origin.actor.to_string();
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
        let subject = Subject {
            key_id: Some(&key.key_id),
            partner_id: Some(key.partner_id),
            details: json!({
                "name": key.name,
                "scopes": key.scopes,
                "environment": key.environment,
                "ratePerMinute": key.rate_per_minute,
                "notBefore": key.not_before,
                "notAfter": key.not_after,
                "revokedAt": key.revoked_at,
            }),
            ..Subject::default()
        };
        audit::record(self, connection, origin, Action::KeyImported, subject).await
    }
}

/// What became of a key.
enum Outcome {
    Taken,
    Known,
    Revoked,
    Refused(&'static str),
}
