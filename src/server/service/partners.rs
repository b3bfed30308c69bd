//! Partners: create, list, show, change.

use std::sync::Arc;

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{self, Subject};
use super::paging::{newest_first, page_of};
use super::{AuditContext, Core};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::list::{ChoiceQuery, MAX_CHOICES, PartnerQuery};
use crate::domain::page::Page;
use crate::domain::partner::{
    CreatePartner, Partner, PartnerChoice, PartnerChoices, UpdatePartner,
};
use crate::server::store::partners::{self, PartnerFields};

/// The organisations that own keys.
#[derive(Clone)]
pub struct PartnerService {
    core: Arc<Core>,
}

impl PartnerService {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Creates a partner.
    pub async fn create(
        &self,
        context: &AuditContext,
        command: CreatePartner,
    ) -> AppResult<Partner> {
        let mut transaction = self.core.pool.begin().await?;
        let partner = self.insert(&mut transaction, context, &command).await?;
        transaction.commit().await?;
        Ok(partner)
    }

    async fn insert(
        &self,
        transaction: &mut PgConnection,
        context: &AuditContext,
        command: &CreatePartner,
    ) -> AppResult<Partner> {
        let now = self.core.now();
        let partner = Partner {
            partner_id: self.core.entropy.uuid(),
            name: command.name.clone(),
            contact_email: command.contact_email.clone(),
            active: true,
            max_key_age_days: command.max_key_age_days,
            created_at: now,
            updated_at: now,
            active_keys: 0,
        };
        partners::insert(transaction, partner.partner_id, command, now).await?;
        let subject = Subject::partner(
            partner.partner_id,
            json!({
                "name": partner.name,
                "contactEmail": partner.contact_email,
                "maxKeyAgeDays": partner.max_key_age_days,
            }),
        );
        audit::record(
            &self.core,
            transaction,
            context,
            Action::PartnerCreated,
            subject,
        )
        .await?;
        Ok(partner)
    }

    /// Returns the id of the partner of exactly this name, creating it if there is none.
    pub async fn find_or_create(
        &self,
        context: &AuditContext,
        command: CreatePartner,
    ) -> AppResult<Uuid> {
        let mut transaction = self.core.pool.begin().await?;
        partners::lock_name(&mut transaction, &command.name).await?;
        let partner_id = match partners::ids_by_name(&mut transaction, &command.name).await?[..] {
            [] => {
                self.insert(&mut transaction, context, &command)
                    .await?
                    .partner_id
            }
            [partner_id] => partner_id,
            _ => return Err(ambiguous()),
        };
        transaction.commit().await?;
        Ok(partner_id)
    }

    /// Returns the id of the partner with exactly this name or this id.
    pub async fn resolve_id(&self, name_or_id: &str) -> AppResult<Uuid> {
        if let Ok(partner_id) = Uuid::try_parse(name_or_id) {
            return Ok(self.get(partner_id).await?.partner_id);
        }
        let mut connection = self.core.pool.acquire().await?;
        match partners::ids_by_name(&mut connection, name_or_id).await?[..] {
            [] => Err(Missing::PartnerNotFound.into()),
            [partner_id] => Ok(partner_id),
            _ => Err(ambiguous()),
        }
    }

    /// Returns one page of partners, newest first.
    pub async fn list(&self, query: &PartnerQuery) -> AppResult<Page<Partner>> {
        let mut connection = self.core.pool.acquire().await?;
        let mut query = query.clone();
        loop {
            let rows = partners::list(&mut connection, &query, self.core.now()).await?;
            let page = page_of(rows, &mut query.page, |partner| {
                newest_first(partner.created_at, partner.partner_id)
            });
            if let Some(page) = page {
                return Ok(page);
            }
        }
    }

    /// Returns partners to choose from, sorted by name.
    pub async fn choices(&self, query: &ChoiceQuery) -> AppResult<PartnerChoices> {
        let mut connection = self.core.pool.acquire().await?;
        let mut choices =
            partners::choices(&mut connection, query.q.as_deref(), MAX_CHOICES + 1).await?;
        let more = i64::try_from(choices.len()).is_ok_and(|found| found > MAX_CHOICES);
        if more {
            choices.pop();
        }
        if let Some(chosen) = query.chosen
            && choices.iter().all(|choice| choice.partner_id != chosen)
            && let Some(partner) = partners::find(&mut connection, chosen, self.core.now()).await?
        {
            choices.insert(0, PartnerChoice::from(&partner));
        }
        Ok(PartnerChoices {
            partners: choices,
            more,
            now: self.core.now(),
        })
    }

    pub async fn get(&self, partner_id: Uuid) -> AppResult<Partner> {
        let mut connection = self.core.pool.acquire().await?;
        let partner = partners::find(&mut connection, partner_id, self.core.now()).await?;
        partner.ok_or_else(|| Missing::PartnerNotFound.into())
    }

    /// Changes a partner. Deactivating it stops all its keys with the commit.
    pub async fn update(
        &self,
        context: &AuditContext,
        partner_id: Uuid,
        command: UpdatePartner,
    ) -> AppResult<Partner> {
        let mut transaction = self.core.pool.begin().await?;
        let before = partners::lock_for_update(&mut transaction, partner_id)
            .await?
            .ok_or(Missing::PartnerNotFound)?;
        let after = PartnerFields {
            name: command.name.unwrap_or_else(|| before.name.clone()),
            contact_email: command.contact_email.apply(before.contact_email.clone()),
            active: command.active.unwrap_or(before.active),
            max_key_age_days: command.max_key_age_days.apply(before.max_key_age_days),
        };
        if after != before {
            partners::update(&mut transaction, partner_id, &after, self.core.now()).await?;
            let details = audit::changes([
                ("name", json!(before.name), json!(after.name)),
                (
                    "contactEmail",
                    json!(before.contact_email),
                    json!(after.contact_email),
                ),
                ("active", json!(before.active), json!(after.active)),
                (
                    "maxKeyAgeDays",
                    json!(before.max_key_age_days),
                    json!(after.max_key_age_days),
                ),
            ]);
            let subject = Subject::partner(partner_id, details.into());
            audit::record(
                &self.core,
                &mut transaction,
                context,
                Action::PartnerUpdated,
                subject,
            )
            .await?;
        }
        let partner = partners::find(&mut transaction, partner_id, self.core.now()).await?;
        transaction.commit().await?;
        partner.ok_or_else(|| Missing::PartnerNotFound.into())
    }
}

/// Rejects a partner that does not exist or is deactivated.
pub(super) fn require_active(partner_active: Option<bool>) -> AppResult<()> {
    match partner_active {
        Some(true) => Ok(()),
        Some(false) => Err(Conflict::PartnerInactive.into()),
        None => Err(Missing::PartnerNotFound.into()),
    }
}

/// Rejects a partner that does not exist.
pub(super) async fn require_exists(
    connection: &mut PgConnection,
    partner_id: Uuid,
) -> AppResult<()> {
    match partners::is_active(connection, partner_id).await? {
        Some(_) => Ok(()),
        None => Err(Missing::PartnerNotFound.into()),
    }
}

fn ambiguous() -> AppError {
    AppError::field(
        "partner",
        "names several partners: give the partner's id instead",
    )
}
