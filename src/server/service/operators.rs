//! Operators and their passwords.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::sessions::{Reauthentication, SessionService};
use super::{AuditContext, Core};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::operator::{self, Operator, Role, UpdateOperator};
use crate::server::crypto::pool::HashPool;
use crate::server::crypto::{breached, password};
use crate::server::store::{error, operators, sessions};

/// Operators and their passwords.
#[derive(Clone)]
pub struct OperatorService {
    core: Arc<Core>,
    hashing: HashPool,
    sessions: SessionService,
}

impl OperatorService {
    pub(super) fn new(core: Arc<Core>, hashing: HashPool, sessions: SessionService) -> Self {
        Self {
            core,
            hashing,
            sessions,
        }
    }

    /// Creates an operator.
    pub async fn create(
        &self,
        context: &AuditContext,
        email: &str,
        role: Role,
        password: Zeroizing<String>,
    ) -> AppResult<Operator> {
        let email = sign_in_email(email)?;
        let password_hash = self.hash_new_password(&email, password).await?;
        let operator = Operator {
            operator_id: self.core.entropy.uuid(),
            email,
            role,
            active: true,
        };
        let mut transaction = self.core.pool.begin().await?;
        operators::insert(
            &mut transaction,
            operator.operator_id,
            &operator.email,
            role,
            &password_hash,
            self.core.now(),
        )
        .await
        .map_err(|error| match error::violated_constraint(&error) {
            Some("operators_email_unique") => Conflict::OperatorExists.into(),
            _ => AppError::from(error),
        })?;
        let subject = Subject::of(json!({ "email": operator.email, "role": role }));
        audit::record(
            &self.core,
            &mut transaction,
            context,
            Action::OperatorCreated,
            subject,
        )
        .await?;
        transaction.commit().await?;
        Ok(operator)
    }

    /// Sets an operator's password and ends all their sessions.
    pub async fn set_password(
        &self,
        context: &AuditContext,
        email: &str,
        password: Zeroizing<String>,
    ) -> AppResult<()> {
        let email = sign_in_email(email)?;
        let password_hash = self.hash_new_password(&email, password).await?;
        let mut transaction = self.core.pool.begin().await?;
        let row = operators::find_by_email(&mut transaction, &email)
            .await?
            .ok_or(Missing::OperatorNotFound)?;
        self.replace_password(
            &mut transaction,
            context,
            &row.view()?,
            &password_hash,
            None,
        )
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Sets the password of an operator who knows the current one, ends all their sessions but the
    /// one with this cookie, and renews that session's cookie, which it returns.
    ///
    /// # Errors
    /// [`AppError::Invalid`] naming `current` if the current password is wrong, or `new` if the new
    /// one is not acceptable; [`AppError::RateLimited`] after several wrong ones;
    /// [`AppError::SignedOut`] if the session has ended meanwhile.
    pub async fn change_own_password(
        &self,
        context: &AuditContext,
        operator: &Operator,
        cookie: &str,
        current: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> AppResult<Zeroizing<String>> {
        acceptable("new", &operator.email, &new)?;
        let checked = self
            .sessions
            .check_password(&operator.email, current, context.ip)
            .await;
        checked.map_err(|error| match error {
            AppError::WrongCredentials => {
                AppError::field("current", "is not your present password")
            }
            other => other,
        })?;
        let password_hash = self.hash_new_password(&operator.email, new).await?;
        let mut transaction = self.core.pool.begin().await?;
        // Lock operators before their sessions, as everywhere, to avoid deadlocks.
        operators::lock_for_update(&mut transaction, operator.operator_id).await?;
        let cookie = self
            .sessions
            .renew(&mut transaction, cookie, Reauthentication::Password)
            .await?;
        let kept = password::session_hash(&cookie);
        self.replace_password(
            &mut transaction,
            context,
            operator,
            &password_hash,
            Some(&kept),
        )
        .await?;
        transaction.commit().await?;
        Ok(cookie)
    }

    async fn replace_password(
        &self,
        transaction: &mut sqlx::PgConnection,
        context: &AuditContext,
        operator: &Operator,
        password_hash: &str,
        kept_session: Option<&[u8; 32]>,
    ) -> AppResult<()> {
        let operator_id = operator.operator_id;
        operators::set_password(transaction, operator_id, password_hash, self.core.now()).await?;
        sessions::delete_all(transaction, operator_id, kept_session).await?;
        let subject = Subject::of(json!({ "email": operator.email }));
        let action = Action::OperatorPasswordSet;
        audit::record(&self.core, transaction, context, action, subject).await
    }

    /// Returns all operators, sorted by e-mail address.
    pub async fn list(&self) -> AppResult<Vec<Operator>> {
        let mut connection = self.core.pool.acquire().await?;
        let rows = operators::list(&mut connection).await?;
        Ok(rows
            .iter()
            .map(operators::OperatorRow::view)
            .collect::<sqlx::Result<_>>()?)
    }

    /// Disables an operator and ends all their sessions. Idempotent.
    pub async fn disable(&self, context: &AuditContext, email: &str) -> AppResult<()> {
        let email = sign_in_email(email)?;
        let mut connection = self.core.pool.acquire().await?;
        let row = operators::find_by_email(&mut connection, &email).await?;
        let operator_id = row.ok_or(Missing::OperatorNotFound)?.operator_id;
        drop(connection);
        let off = UpdateOperator {
            role: None,
            active: Some(false),
        };
        self.update(context, operator_id, off).await?;
        Ok(())
    }

    /// Changes an operator's role, or disables or re-enables them. Losing a right ends all sessions.
    pub async fn update(
        &self,
        context: &AuditContext,
        operator_id: Uuid,
        command: UpdateOperator,
    ) -> AppResult<Operator> {
        let mut transaction = self.core.pool.begin().await?;
        // Lock all operators: of two admins who disable each other, one must see the other's change.
        let rows = operators::lock_all(&mut transaction).await?;
        let all: Vec<Operator> = rows
            .iter()
            .map(operators::OperatorRow::view)
            .collect::<sqlx::Result<_>>()?;
        let found = all.iter().find(|one| one.operator_id == operator_id);
        let before = found.ok_or(Missing::OperatorNotFound)?;
        let after = Operator {
            role: command.role.unwrap_or(before.role),
            active: command.active.unwrap_or(before.active),
            ..before.clone()
        };
        if after == *before {
            return Ok(after);
        }
        let manages = |one: &Operator| one.active && one.role == Role::Admin;
        let others = all.iter().filter(|one| one.operator_id != operator_id);
        if manages(before) && !manages(&after) && !others.into_iter().any(manages) {
            return Err(Conflict::LastAdmin.into());
        }
        operators::update(
            &mut transaction,
            operator_id,
            after.role,
            after.active,
            self.core.now(),
        )
        .await?;
        let loses = !after.active || (before.role == Role::Admin && after.role != Role::Admin);
        if loses {
            sessions::delete_all(&mut transaction, operator_id, None).await?;
        }
        let (action, details) = if before.active && !after.active {
            (Action::OperatorDisabled, json!({ "email": after.email }))
        } else {
            let mut details = audit::changes([
                ("role", json!(before.role), json!(after.role)),
                ("active", json!(before.active), json!(after.active)),
            ]);
            details.insert("email".to_owned(), json!(after.email));
            (Action::OperatorChanged, details.into())
        };
        let subject = Subject::of(details);
        audit::record(&self.core, &mut transaction, context, action, subject).await?;
        transaction.commit().await?;
        Ok(after)
    }

    async fn hash_new_password(
        &self,
        email: &str,
        password: Zeroizing<String>,
    ) -> AppResult<String> {
        acceptable("password", email, &password)?;
        password::hash(&self.hashing, password, self.core.entropy.bytes()).await
    }
}

/// Rejects a new password that is too short, commonly guessed, or derived from the account.
fn acceptable(field: &str, email: &str, password: &str) -> AppResult<()> {
    operator::new_password(password).map_err(|message| AppError::field(field, message))?;
    if breached::is_listed(password) {
        let message = "is among those that are known from leaks and tried first: choose another";
        return Err(AppError::field(field, message));
    }
    if breached::mentions_service(password, email) {
        let message = "is made of names that are tried first here: choose another";
        return Err(AppError::field(field, message));
    }
    Ok(())
}

fn sign_in_email(email: &str) -> AppResult<String> {
    operator::sign_in_email(email).map_err(|message| AppError::field("email", message))
}
