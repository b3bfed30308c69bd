//! Signing in by password.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ClientInfo;
use super::audit::{self, Subject};
use super::denied_actions::Failure;
use super::sessions::{MFA_TIMEOUT, SessionService};
use crate::domain::audit::{Action, Actor, ActorKind};
use crate::domain::error::{AppError, AppResult};
use crate::domain::operator::{self, Operator};
use crate::server::crypto::password;
use crate::server::store::factors;
use crate::server::store::operators::{self, OperatorRow};
use crate::server::store::sessions::{self, InsertSession};

/// Longest password that is hashed at sign-in, in bytes. No stored password is longer.
const MAX_PASSWORD_BYTES: usize = 1024;

/// A new session.
pub struct NewSession {
    /// Value of the cookie: 32 random bytes as hex digits.
    pub cookie: Zeroizing<String>,
    pub operator: Operator,
    /// True while the second factor is missing; until then the session grants no access.
    pub awaits_factor: bool,
}

/// Result of a correct password.
pub(super) struct CheckedPassword {
    operator: Operator,
    /// The stored hash that matched.
    password_hash: String,
    /// The password, if its hash has outdated parameters.
    typed: Option<Zeroizing<String>>,
}

impl SessionService {
    /// Opens a session, and ends the one whose cookie came with the request: a browser has one at most
    /// (OWASP ASVS 5.0, V7.2). An unknown e-mail address, a disabled operator and a wrong password take
    /// the same time, give the same answer and are throttled alike.
    ///
    /// # Errors
    /// [`AppError::WrongCredentials`]; [`AppError::RateLimited`] while throttled;
    /// [`AppError::Unavailable`] if the hashing queue is full.
    pub async fn sign_in(
        &self,
        email: &str,
        password: Zeroizing<String>,
        client: ClientInfo,
        presented: Option<&str>,
    ) -> AppResult<NewSession> {
        let checked = self.check_password(email, password, client.ip).await?;
        let operator = checked.operator;
        let mut transaction = self.core.pool.begin().await?;
        // The password may have been changed, or a second factor added, during hashing.
        let operator_id = operator.operator_id;
        let hash = Some(checked.password_hash.as_str());
        if !operators::lock_active_shared(&mut transaction, operator_id, hash).await? {
            return Err(AppError::WrongCredentials);
        }
        if let Some(presented) = presented {
            self.end_by_cookie(&mut transaction, presented, &client)
                .await?;
        }
        let session = self
            .insert_session(&mut transaction, operator, &client, None)
            .await?;
        if !session.awaits_factor {
            let actor = Actor::new(ActorKind::Operator, session.operator.email.clone());
            let (context, action) = (client.acting_as(actor), Action::OperatorSignedIn);
            audit::record(
                &self.core,
                &mut transaction,
                &context,
                action,
                Subject::none(),
            )
            .await?;
        }
        transaction.commit().await?;
        if let Some(typed) = checked.typed {
            self.renew_hash(operator_id, &checked.password_hash, typed)
                .await;
        }
        Ok(session)
    }

    /// Inserts a session. It waits for the second factor if the operator has one and `factor_at` is `None`.
    pub(super) async fn insert_session(
        &self,
        transaction: &mut PgConnection,
        operator: Operator,
        client: &ClientInfo,
        factor_at: Option<DateTime<Utc>>,
    ) -> AppResult<NewSession> {
        let cookie = self.new_cookie();
        let factor = factors::find(transaction, operator.operator_id).await?;
        let has_factor = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        let session = InsertSession {
            session_hash: &password::session_hash(&cookie),
            operator_id: operator.operator_id,
            ip: client.ip,
            awaits_factor: has_factor && factor_at.is_none(),
            factor_at,
            now: self.core.now(),
        };
        sessions::insert(transaction, &session).await?;
        let awaits_factor = session.awaits_factor;
        Ok(NewSession {
            cookie,
            operator,
            awaits_factor,
        })
    }

    /// Returns the operator whose sign-in with this cookie waits for the second factor.
    pub async fn find_awaiting_mfa(&self, cookie: &str) -> AppResult<Option<Operator>> {
        let session_hash = password::session_hash(cookie);
        let created_after = self.core.now() - MFA_TIMEOUT;
        let mut connection = self.core.pool.acquire().await?;
        let row = sessions::find_awaiting(&mut connection, &session_hash, created_after).await?;
        Ok(row.map(|row| row.view()).transpose()?)
    }

    /// Checks e-mail address and password of an active operator, with throttling.
    pub(super) async fn check_password(
        &self,
        email: &str,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> AppResult<CheckedPassword> {
        let mut connection = self.core.pool.acquire().await?;
        let row = match operator::sign_in_email(email) {
            Ok(email) => operators::find_by_email(&mut connection, &email).await?,
            Err(_) => None,
        };
        // Return the connection before hashing, which takes far longer than the query.
        drop(connection);
        let account = row.as_ref().map(|row| row.email.clone());
        let checked = self.check_row(email, row, password, client).await;
        match &checked {
            Err(AppError::WrongCredentials) => {
                self.denied_actions.count_failed_sign_in(
                    self.core.now(),
                    account,
                    client,
                    Failure::Wrong,
                );
            }
            Err(AppError::RateLimited { .. }) => {
                self.denied_actions.count_failed_sign_in(
                    self.core.now(),
                    account,
                    client,
                    Failure::TooSoon,
                );
            }
            _ => {}
        }
        checked
    }

    async fn check_row(
        &self,
        email: &str,
        row: Option<OperatorRow>,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> AppResult<CheckedPassword> {
        let attempt = self.begin_password_attempt(email, client).await?;
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(AppError::WrongCredentials);
        }
        let typed = password.clone();
        let phc = row.as_ref().map(|row| row.password_hash.clone());
        let matches = password::verify(&self.hashing, password, phc).await?;
        let row = row.filter(|_| matches).ok_or(AppError::WrongCredentials)?;
        let operator = row.view()?;
        if !operator.active {
            return Err(AppError::WrongCredentials);
        }
        self.attempt_succeeded(&attempt).await?;
        let outdated = !password::is_current(&row.password_hash);
        Ok(CheckedPassword {
            operator,
            password_hash: row.password_hash,
            typed: outdated.then_some(typed),
        })
    }

    /// Rehashes a correct password whose hash has outdated parameters. Errors are only logged: the next
    /// sign-in tries again.
    async fn renew_hash(&self, operator_id: Uuid, before: &str, password: Zeroizing<String>) {
        let renewed = async {
            let salt = self.core.entropy.bytes();
            let hash = password::hash(&self.hashing, password, salt).await?;
            let mut connection = self.core.pool.acquire().await?;
            operators::replace_hash(&mut connection, operator_id, before, &hash).await?;
            AppResult::Ok(())
        };
        if let Err(error) = renewed.await {
            tracing::warn!(%error, %operator_id, "a password could not be rehashed");
        }
    }
}
