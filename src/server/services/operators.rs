//! Operators, as the command line manages them, and their own passwords.

use serde_json::json;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::operator::{self, Operator, Role};
use crate::server::crypto::password;
use crate::server::db::{error, operators};

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
        let password_hash = self.hash_new_password(password).await?;
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
        let password_hash = self.hash_new_password(password).await?;
        let mut transaction = self.pool.begin().await?;
        let row = operators::find_by_email(&mut transaction, &email)
            .await?
            .ok_or(Missing::OperatorNotFound)?;
        self.replace_password(&mut transaction, origin, &row.view()?, &password_hash, None)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Sets the password of an operator who knows the present one, and ends all their sessions but
    /// the one with this cookie.
    ///
    /// # Errors
    /// [`AppError::Invalid`] naming `current` where the present password is another, or `new`
    /// where the new one won't do; [`AppError::RateLimited`] after several wrong ones; or the
    /// database's.
    pub async fn change_own_password(
        &self,
        origin: &Origin,
        operator: &Operator,
        cookie: &str,
        current: Zeroizing<String>,
        new: Zeroizing<String>,
    ) -> AppResult<()> {
        operator::new_password(&new).map_err(|message| AppError::field("new", message))?;
        let checked = self
            .check_password(&operator.email, current, origin.ip)
            .await;
        checked.map_err(|error| match error {
            AppError::WrongCredentials => {
                AppError::field("current", "is not your present password")
            }
            other => other,
        })?;
        let password_hash = self.hash_new_password(new).await?;
        let mut transaction = self.pool.begin().await?;
        let kept = password::session_hash(cookie);
        self.replace_password(
            &mut transaction,
            origin,
            operator,
            &password_hash,
            Some(&kept),
        )
        .await?;
        Ok(transaction.commit().await?)
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
    /// [`Missing::OperatorNotFound`], or the database's.
    pub async fn disable_operator(&self, origin: &Origin, email: &str) -> AppResult<()> {
        let email = sign_in_email(email)?;
        let mut transaction = self.pool.begin().await?;
        let row = operators::find_by_email(&mut transaction, &email)
            .await?
            .ok_or(Missing::OperatorNotFound)?;
        let changed = operators::disable(&mut transaction, row.operator_id, self.now()).await?;
        operators::delete_sessions_of(&mut transaction, row.operator_id, None).await?;
        if changed {
            let subject = Subject {
                details: json!({ "email": email }),
                ..Subject::default()
            };
            audit::record(
                self,
                &mut transaction,
                origin,
                Action::OperatorDisabled,
                subject,
            )
            .await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn hash_new_password(&self, password: Zeroizing<String>) -> AppResult<String> {
        operator::new_password(&password)
            .map_err(|message| AppError::field("password", message))?;
        password::hash(&self.password_hashing, password, self.entropy.bytes()).await
    }
}

fn sign_in_email(email: &str) -> AppResult<String> {
    operator::sign_in_email(email).map_err(|message| AppError::field("email", message))
}
