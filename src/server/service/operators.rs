//! Operators, as the command line manages them, and their own passwords.

use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::operator::{self, Operator, Role, UpdateOperator};
use crate::server::crypto::{breached, password};
use crate::server::store::{error, operators};

impl Registry {
    /// Makes an operator.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a bad address or password, [`Conflict::OperatorExists`], or the
    /// database's.
    pub async fn create_operator(
        &self,
        origin: &Origin,
        email: &str,
        role: Role,
        password: Zeroizing<String>,
    ) -> AppResult<Operator> {
        let email = sign_in_email(email)?;
        let password_hash = self.hash_new_password(&email, password).await?;
        let operator = Operator {
            operator_id: self.entropy.uuid(),
            email,
            role,
            active: true,
        };
        let mut transaction = self.pool.begin().await?;
        operators::insert(
            &mut transaction,
            operator.operator_id,
            &operator.email,
            role,
            &password_hash,
            self.now(),
        )
        .await
        .map_err(|error| match error::violated_constraint(&error) {
            Some("operators_email_unique") => Conflict::OperatorExists.into(),
            _ => AppError::from(error),
        })?;
        let subject = Subject {
            details: json!({ "email": operator.email, "role": role }),
            ..Subject::default()
        };
        audit::record(
            self,
            &mut transaction,
            origin,
            Action::OperatorCreated,
            subject,
        )
        .await?;
        transaction.commit().await?;
        Ok(operator)
    }

    /// Sets an operator's password and ends all their sessions.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a bad password, [`Missing::OperatorNotFound`], or the database's.
    pub async fn set_operator_password(
        &self,
        origin: &Origin,
        email: &str,
        password: Zeroizing<String>,
    ) -> AppResult<()> {
        let email = sign_in_email(email)?;
        let password_hash = self.hash_new_password(&email, password).await?;
        let mut transaction = self.pool.begin().await?;
        let row = operators::find_by_email(&mut transaction, &email)
            .await?
            .ok_or(Missing::OperatorNotFound)?;
        self.replace_password(&mut transaction, origin, &row.view()?, &password_hash, None)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Sets the password of an operator who knows the present one, ends all their sessions but the one
    /// with this cookie, and gives that another one.
    ///
    /// # Errors
    /// [`AppError::Invalid`] naming `current` where the present password is another, or `new`
    /// where the new one won't do; [`AppError::RateLimited`] after several wrong ones;
    /// [`AppError::SignedOut`] where the session has ended meanwhile; or the database's.
    pub async fn change_own_password(
        &self,
        origin: &Origin,
        operator: &Operator,
        cookie: &str,
        current: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> AppResult<Zeroizing<String>> {
        acceptable("new", &operator.email, &new)?;
        let checked = self
            .check_password(&operator.email, current, origin.ip)
            .await;
        checked.map_err(|error| match error {
            AppError::WrongCredentials => {
                AppError::field("current", "is not your present password")
            }
            other => other,
        })?;
        let password_hash = self.hash_new_password(&operator.email, new).await?;
        let mut transaction = self.pool.begin().await?;
        // Operators before their sessions, as everywhere: two can't wait for each other.
        operators::lock(&mut transaction, operator.operator_id).await?;
        let cookie = self.renew_session(&mut transaction, cookie, false).await?;
        let kept = password::session_hash(&cookie);
        self.replace_password(
            &mut transaction,
            origin,
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
        origin: &Origin,
        operator: &Operator,
        password_hash: &str,
        kept_session: Option<&[u8; 32]>,
    ) -> AppResult<()> {
        let operator_id = operator.operator_id;
        operators::set_password(transaction, operator_id, password_hash, self.now()).await?;
        operators::delete_sessions_of(transaction, operator_id, kept_session).await?;
        let subject = Subject {
            details: json!({ "email": operator.email }),
            ..Subject::default()
        };
        let action = Action::OperatorPasswordSet;
        audit::record(self, transaction, origin, action, subject).await
    }

    /// All operators by address.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_operators(&self) -> AppResult<Vec<Operator>> {
        let mut connection = self.pool.acquire().await?;
        let rows = operators::list(&mut connection).await?;
        Ok(rows
            .iter()
            .map(operators::OperatorRow::view)
            .collect::<sqlx::Result<_>>()?)
    }

    /// Takes an operator's right to sign in and ends all their sessions. Repeating it changes
    /// nothing.
    ///
    /// # Errors
    /// [`Missing::OperatorNotFound`], [`Conflict::LastAdmin`], or the database's.
    pub async fn disable_operator(&self, origin: &Origin, email: &str) -> AppResult<()> {
        let email = sign_in_email(email)?;
        let mut connection = self.pool.acquire().await?;
        let row = operators::find_by_email(&mut connection, &email).await?;
        let operator_id = row.ok_or(Missing::OperatorNotFound)?.operator_id;
        drop(connection);
        let off = UpdateOperator {
            role: None,
            active: Some(false),
        };
        self.update_operator(origin, operator_id, off).await?;
        Ok(())
    }

    /// Gives an operator another role, or takes or gives back the right to sign in. Who loses
    /// something has all sessions ended.
    ///
    /// # Errors
    /// [`Missing::OperatorNotFound`], [`Conflict::LastAdmin`], or the database's.
    pub async fn update_operator(
        &self,
        origin: &Origin,
        operator_id: Uuid,
        command: UpdateOperator,
    ) -> AppResult<Operator> {
        let mut transaction = self.pool.begin().await?;
        // All of them: of two admins who disable each other, one must see the other's order.
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
            self.now(),
        )
        .await?;
        let loses = !after.active || (before.role == Role::Admin && after.role != Role::Admin);
        if loses {
            operators::delete_sessions_of(&mut transaction, operator_id, None).await?;
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
        let subject = Subject {
            details,
            ..Subject::default()
        };
        audit::record(self, &mut transaction, origin, action, subject).await?;
        transaction.commit().await?;
        Ok(after)
    }

    async fn hash_new_password(
        &self,
        email: &str,
        password: Zeroizing<String>,
    ) -> AppResult<String> {
        acceptable("password", email, &password)?;
        password::hash(&self.password_hashing, password, self.entropy.bytes()).await
    }
}

/// Whether a new password may be taken: long enough, and not among those that are tried first, of
/// everybody or of this operator.
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
