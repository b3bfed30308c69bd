//! Partners: create, list, show, change.

use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::list::{ChoiceQuery, MAX_CHOICES, PartnerQuery};
use crate::domain::page::Page;
use crate::domain::partner::{
    CreatePartner, Partner, PartnerChoice, PartnerChoices, UpdatePartner,
};
use crate::server::store::partners::{self, PartnerFields};

impl Registry {
    /// Makes a partner.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_partner(
        &self,
        origin: &Origin,
        command: CreatePartner,
    ) -> AppResult<Partner> {
        let mut transaction = self.pool.begin().await?;
        let partner = self
            .insert_partner(&mut transaction, origin, &command)
            .await?;
        transaction.commit().await?;
        Ok(partner)
    }

    async fn insert_partner(
        &self,
        transaction: &mut sqlx::PgConnection,
        origin: &Origin,
        command: &CreatePartner,
    ) -> AppResult<Partner> {
        let now = self.now();
        let partner = Partner {
            partner_id: self.entropy.uuid(),
            name: command.name.clone(),
            contact_email: command.contact_email.clone(),
            active: true,
            max_key_age_days: command.max_key_age_days,
            created_at: now,
            updated_at: now,
            active_keys: 0,
        };
        partners::insert(transaction, partner.partner_id, command, now).await?;
        let subject = Subject {
            partner_id: Some(partner.partner_id),
            details: json!({
                "name": partner.name,
                "contactEmail": partner.contact_email,
                "maxKeyAgeDays": partner.max_key_age_days,
            }),
            ..Subject::default()
        };
        audit::record(self, transaction, origin, Action::PartnerCreated, subject).await?;
        Ok(partner)
    }

    /// The partner of exactly this name; makes it where there is none.
    ///
    /// # Errors
    /// [`AppError::Invalid`] where two partners have the name, or the database's.
    pub async fn partner_named(&self, origin: &Origin, command: CreatePartner) -> AppResult<Uuid> {
        let mut transaction = self.pool.begin().await?;
        partners::lock_name(&mut transaction, &command.name).await?;
        let partner_id = match partners::ids_by_name(&mut transaction, &command.name).await?[..] {
            [] => {
                self.insert_partner(&mut transaction, origin, &command)
                    .await?
                    .partner_id
            }
            [partner_id] => partner_id,
            _ => return Err(ambiguous()),
        };
        transaction.commit().await?;
        Ok(partner_id)
    }

    /// The id of the partner of exactly this name, or of this id.
    ///
    /// # Errors
    /// [`Missing::PartnerNotFound`], [`AppError::Invalid`] where several have the name, or the
    /// database's.
    pub async fn partner_id(&self, name_or_id: &str) -> AppResult<Uuid> {
        if let Ok(partner_id) = Uuid::try_parse(name_or_id) {
            return Ok(self.partner(partner_id).await?.partner_id);
        }
        let mut connection = self.pool.acquire().await?;
        match partners::ids_by_name(&mut connection, name_or_id).await?[..] {
            [] => Err(Missing::PartnerNotFound.into()),
            [partner_id] => Ok(partner_id),
            _ => Err(ambiguous()),
        }
    }

    /// One page of partners, newest first.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the database can't be reached.
    pub async fn list_partners(&self, query: &PartnerQuery) -> AppResult<Page<Partner>> {
        let mut connection = self.pool.acquire().await?;
        let mut query = query.clone();
        let mut rows = partners::list(&mut connection, &query, self.now()).await?;
        if let Some(first) = query.page.first_page_instead(rows.len()) {
            query.page = first;
            rows = partners::list(&mut connection, &query, self.now()).await?;
        }
        Ok(Page::from_rows(rows, &query.page, |partner| {
            (partner.created_at, partner.partner_id.to_string())
        }))
    }

    /// Partners to choose from, by name.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the database can't be reached.
    pub async fn partner_choices(&self, query: &ChoiceQuery) -> AppResult<PartnerChoices> {
        let mut connection = self.pool.acquire().await?;
        let mut choices =
            partners::choices(&mut connection, query.q.as_deref(), MAX_CHOICES + 1).await?;
        let more = i64::try_from(choices.len()).is_ok_and(|found| found > MAX_CHOICES);
        if more {
            choices.pop();
        }
        if let Some(chosen) = query.chosen
            && choices.iter().all(|choice| choice.partner_id != chosen)
            && let Some(partner) = partners::find(&mut connection, chosen, self.now()).await?
        {
            choices.insert(0, PartnerChoice::from(&partner));
        }
        Ok(PartnerChoices {
            partners: choices,
            more,
            now: self.now(),
        })
    }

    /// One partner.
    ///
    /// # Errors
    /// [`Missing::PartnerNotFound`], or the database's.
    pub async fn partner(&self, partner_id: Uuid) -> AppResult<Partner> {
        let mut connection = self.pool.acquire().await?;
        let partner = partners::find(&mut connection, partner_id, self.now()).await?;
        partner.ok_or_else(|| Missing::PartnerNotFound.into())
    }

    /// Changes a partner. Deactivating it stops all its keys with the commit.
    ///
    /// # Errors
    /// [`Missing::PartnerNotFound`], or the database's.
    pub async fn update_partner(
        &self,
        origin: &Origin,
        partner_id: Uuid,
        command: UpdatePartner,
    ) -> AppResult<Partner> {
        let mut transaction = self.pool.begin().await?;
        let before = partners::lock(&mut transaction, partner_id)
            .await?
            .ok_or(Missing::PartnerNotFound)?;
        let after = PartnerFields {
            name: command.name.unwrap_or_else(|| before.name.clone()),
            contact_email: command.contact_email.apply(before.contact_email.clone()),
            active: command.active.unwrap_or(before.active),
            max_key_age_days: command.max_key_age_days.apply(before.max_key_age_days),
        };
        if after != before {
            partners::update(&mut transaction, partner_id, &after, self.now()).await?;
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
            let subject = Subject {
                partner_id: Some(partner_id),
                details: details.into(),
                ..Subject::default()
            };
            audit::record(
                self,
                &mut transaction,
                origin,
                Action::PartnerUpdated,
                subject,
            )
            .await?;
        }
        let partner = partners::find(&mut transaction, partner_id, self.now()).await?;
        transaction.commit().await?;
        partner.ok_or_else(|| Missing::PartnerNotFound.into())
    }
}

fn ambiguous() -> AppError {
    AppError::field(
        "partner",
        "names several partners: give the partner's id instead",
    )
}
