//! Signing in and out, and what a session's cookie stands for (OWASP Session Management).

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::refusals::Failure;
use super::{Origin, Registry, Whence};
use crate::domain::audit::{Action, Actor, ActorKind};
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::mfa::RECENT_AUTH_WINDOW;
use crate::domain::operator::{self, Operator};
use crate::domain::session::SessionView;
use crate::server::crypto::password;
use crate::server::store::factors;
use crate::server::store::operators::{
    self, InsertSession, ListedSession, OperatorRow, SessionRow,
};

/// A session that is not used for this long is over.
pub const IDLE_TIMEOUT: TimeDelta = TimeDelta::hours(1);
/// A session is over after this long, used or not.
pub const ABSOLUTE_TIMEOUT: TimeDelta = TimeDelta::hours(12);
/// How long a sign-in waits for the second factor.
pub const FACTOR_TIMEOUT: TimeDelta = TimeDelta::minutes(5);
/// How often a session in use is noted: not with every request.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// How far the clocks of instances may be apart.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(10);
/// How long the cookie before the present one still opens a session: the page has requests under way when
/// it gets another.
const FORMER_COOKIE: TimeDelta = TimeDelta::seconds(10);
/// Longest password that is hashed at sign-in, in bytes; no stored one can be longer.
const MAX_PASSWORD_BYTES: usize = 1024;

/// A session that was just opened: its cookie's value, for the one answer that sets it.
pub struct NewSession {
    /// The cookie's value: 64 hex digits of 32 random bytes.
    pub cookie: Zeroizing<String>,
    /// Who signed in.
    pub operator: Operator,
    /// Whether the second factor is still to be shown: until then the cookie opens nothing else.
    pub awaits_factor: bool,
}

/// An operator whose password was right.
pub(super) struct CheckedPassword {
    operator: Operator,
    /// What it was checked against.
    password_hash: String,
    /// The password, where that is to be hashed anew.
    typed: Option<Zeroizing<String>>,
}

/// Who is signed in, and how surely.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The operator.
    pub operator: Operator,
    /// Whether they have a second factor.
    pub has_factor: bool,
    /// When they last showed it in this session.
    pub factor_at: Option<DateTime<Utc>>,
}

impl SignedIn {
    /// Whether the second factor was shown a short while ago.
    #[must_use]
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        // One that was shown in the future was shown before the clock was set back, whenever that was; or by
        // another instance, whose clock is a little ahead.
        self.factor_at
            .is_some_and(|at| at - now < CLOCKS_DIFFER && now - at < RECENT_AUTH_WINDOW)
    }
}

impl Registry {
    /// Opens a session, and ends the one whose cookie came with the attempt: a browser has one at most
    /// (OWASP ASVS 5.0, V7.2). An unknown e-mail, a disabled operator and a wrong password take the same
    /// time, tell the same and are slowed alike.
    ///
    /// # Errors
    /// [`AppError::WrongCredentials`], [`AppError::RateLimited`] where the attempt comes too soon
    /// after failed ones, [`AppError::Unavailable`] where the hashing queue is full, or the
    /// database's.
    pub async fn sign_in(
        &self,
        email: &str,
        password: Zeroizing<String>,
        whence: Whence,
        presented: Option<&str>,
    ) -> AppResult<NewSession> {
        let checked = self.check_password(email, password, whence.ip).await?;
        let operator = checked.operator;
        let mut transaction = self.pool.begin().await?;
        // The password may have been replaced, or a factor set up, while it was hashed.
        let operator_id = operator.operator_id;
        let hash = Some(checked.password_hash.as_str());
        if !operators::hold(&mut transaction, operator_id, hash).await? {
            return Err(AppError::WrongCredentials);
        }
        if let Some(presented) = presented {
            self.end_session(&mut transaction, presented, &whence)
                .await?;
        }
        let session = self
            .insert_session(&mut transaction, operator, &whence, None)
            .await?;
        if !session.awaits_factor {
            let actor = Actor::new(ActorKind::Operator, session.operator.email.clone());
            let (origin, action) = (whence.of(actor), Action::OperatorSignedIn);
            audit::record(self, &mut transaction, &origin, action, Subject::default()).await?;
        }
        transaction.commit().await?;
        if let Some(typed) = checked.typed {
            self.renew_hash(operator_id, &checked.password_hash, typed)
                .await;
        }
        Ok(session)
    }

    /// Adds a session. Of an operator with a second factor that was not shown just now, it waits for it.
    pub(super) async fn insert_session(
        &self,
        transaction: &mut PgConnection,
        operator: Operator,
        whence: &Whence,
        factor_at: Option<DateTime<Utc>>,
    ) -> AppResult<NewSession> {
        let cookie = self.new_cookie();
        let factor = factors::find(transaction, operator.operator_id).await?;
        let has_factor = factor.is_some_and(|factor| factor.confirmed_at.is_some());
        let session = InsertSession {
            session_hash: &password::session_hash(&cookie),
            operator_id: operator.operator_id,
            ip: whence.ip,
            awaits_factor: has_factor && factor_at.is_none(),
            factor_at,
            now: self.now(),
        };
        operators::insert_session(transaction, &session).await?;
        let awaits_factor = session.awaits_factor;
        Ok(NewSession {
            cookie,
            operator,
            awaits_factor,
        })
    }

    /// Gives a session another cookie, in the place of the one its operator came with, who has shown anew
    /// who they are: by their second factor, or by the password alone.
    pub(super) async fn renew_session(
        &self,
        connection: &mut PgConnection,
        cookie: &str,
        by_factor: bool,
    ) -> AppResult<Zeroizing<String>> {
        let renewed = self.new_cookie();
        let (former, hash) = (
            password::session_hash(cookie),
            password::session_hash(&renewed),
        );
        let now = self.now();
        let factor_at = by_factor.then_some(now);
        if !operators::renew_session(connection, &former, &hash, factor_at, now).await? {
            return Err(AppError::SignedOut);
        }
        Ok(renewed)
    }

    fn new_cookie(&self) -> Zeroizing<String> {
        let random: Zeroizing<[u8; 32]> = Zeroizing::new(self.entropy.bytes());
        Zeroizing::new(data_encoding::HEXLOWER.encode(&random[..]))
    }

    /// The operator whose sign-in with this cookie waits for the second factor.
    ///
    /// # Errors
    /// The database's.
    pub async fn awaiting(&self, cookie: &str) -> AppResult<Option<Operator>> {
        let session_hash = password::session_hash(cookie);
        let made_after = self.now() - FACTOR_TIMEOUT;
        let mut connection = self.pool.acquire().await?;
        let row = operators::find_awaiting(&mut connection, &session_hash, made_after).await?;
        Ok(row.map(|row| row.view()).transpose()?)
    }

    /// The active operator whose e-mail and password these are.
    ///
    /// # Errors
    /// As [`Registry::sign_in`].
    pub(super) async fn check_password(
        &self,
        email: &str,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> AppResult<CheckedPassword> {
        let mut connection = self.pool.acquire().await?;
        let row = match operator::sign_in_email(email) {
            Ok(email) => operators::find_by_email(&mut connection, &email).await?,
            Err(_) => None,
        };
        // The connection goes back before hashing, which takes far longer than the query.
        drop(connection);
        let account = row.as_ref().map(|row| row.email.clone());
        let checked = self.check_row(email, row, password, client).await;
        match &checked {
            Err(AppError::WrongCredentials) => {
                self.sign_in_failed(account, client, Failure::Wrong);
            }
            Err(AppError::RateLimited { .. }) => {
                self.sign_in_failed(account, client, Failure::TooSoon);
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
        let attempt = self.begin_sign_in(email, client).await?;
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(AppError::WrongCredentials);
        }
        let typed = password.clone();
        let phc = row.as_ref().map(|row| row.password_hash.clone());
        let matches = password::verify(&self.password_hashing, password, phc).await?;
        let row = row.filter(|_| matches).ok_or(AppError::WrongCredentials)?;
        let operator = row.view()?;
        if !operator.active {
            return Err(AppError::WrongCredentials);
        }
        self.end_sign_in(&attempt).await?;
        let outdated = !password::is_current(&row.password_hash);
        Ok(CheckedPassword {
            operator,
            password_hash: row.password_hash,
            typed: outdated.then_some(typed),
        })
    }

    /// Replaces the hash of a password that was just right and was hashed with parameters of before. Whoever
    /// signs in has done so already: what goes wrong here is tried again the next time.
    async fn renew_hash(&self, operator_id: Uuid, before: &str, password: Zeroizing<String>) {
        let renewed = async {
            let salt = self.entropy.bytes();
            let hash = password::hash(&self.password_hashing, password, salt).await?;
            let mut connection = self.pool.acquire().await?;
            operators::replace_hash(&mut connection, operator_id, before, &hash).await?;
            AppResult::Ok(())
        };
        if let Err(error) = renewed.await {
            tracing::warn!(%error, %operator_id, "a password could not be hashed anew");
        }
    }

    /// The operator whose session this cookie stands for; `None` where it has ended or never was.
    ///
    /// # Errors
    /// The database's.
    pub async fn session(&self, cookie: &str) -> AppResult<Option<SignedIn>> {
        let session_hash = password::session_hash(cookie);
        let now = self.now();
        let mut connection = self.pool.acquire().await?;
        let Some(session) = self.find_session(&mut connection, &session_hash).await? else {
            return Ok(None);
        };
        if now - session.last_seen_at >= TOUCH_EVERY {
            operators::touch_session(&mut connection, &session_hash, now).await?;
        }
        Ok(Some(SignedIn {
            operator: session.operator.view()?,
            has_factor: session.has_factor,
            factor_at: session.factor_at,
        }))
    }

    /// Whether this cookie stands for a session. Asking does not keep it alive.
    ///
    /// # Errors
    /// The database's.
    pub async fn session_lives(&self, cookie: &str) -> AppResult<bool> {
        let session_hash = password::session_hash(cookie);
        let mut connection = self.pool.acquire().await?;
        let found = self.find_session(&mut connection, &session_hash).await?;
        Ok(found.is_some())
    }

    async fn find_session(
        &self,
        connection: &mut PgConnection,
        session_hash: &[u8; 32],
    ) -> sqlx::Result<Option<SessionRow>> {
        let now = self.now();
        operators::find_session(
            connection,
            session_hash,
            now - ABSOLUTE_TIMEOUT,
            now - IDLE_TIMEOUT,
            // Clocks of several instances differ, and one may be set back.
            now - FORMER_COOKIE..now + FORMER_COOKIE,
        )
        .await
    }

    /// Ends a session, on the server.
    ///
    /// # Errors
    /// The database's.
    pub async fn sign_out(&self, cookie: &str, whence: Whence) -> AppResult<()> {
        let mut transaction = self.pool.begin().await?;
        self.end_session(&mut transaction, cookie, &whence).await?;
        Ok(transaction.commit().await?)
    }

    async fn end_session(
        &self,
        transaction: &mut PgConnection,
        cookie: &str,
        whence: &Whence,
    ) -> AppResult<()> {
        let session_hash = password::session_hash(cookie);
        let (oldest, least) = (self.now() - ABSOLUTE_TIMEOUT, self.now() - IDLE_TIMEOUT);
        let renewed_after = self.now() - FORMER_COOKIE;
        let ended =
            operators::delete_session(transaction, &session_hash, oldest, least, renewed_after)
                .await?;
        let Some(email) = ended else {
            return Ok(());
        };
        let origin = whence.clone().of(Actor::new(ActorKind::Operator, email));
        let action = Action::OperatorSignedOut;
        audit::record(self, transaction, &origin, action, Subject::default()).await?;
        Ok(())
    }

    /// The sessions of an operator that have not ended; `cookie` is of the one that asks.
    ///
    /// # Errors
    /// The database's.
    pub async fn sessions_of(
        &self,
        operator: &Operator,
        cookie: &str,
    ) -> AppResult<Vec<SessionView>> {
        let this = password::session_hash(cookie);
        let (oldest, least) = (self.now() - ABSOLUTE_TIMEOUT, self.now() - IDLE_TIMEOUT);
        let mut connection = self.pool.acquire().await?;
        let rows =
            operators::sessions_of(&mut connection, operator.operator_id, oldest, least).await?;
        let view = |row: ListedSession| SessionView {
            session_id: row.session_id,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            ip: row.ip,
            is_this: row.session_hash == this
                || row.former_hash.is_some_and(|former| former == this),
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Ends all sessions of an operator, or of everybody; how many.
    ///
    /// # Errors
    /// [`Missing::OperatorNotFound`], or the database's.
    pub async fn end_sessions(&self, origin: &Origin, email: Option<&str>) -> AppResult<usize> {
        let email = email
            .map(|email| {
                operator::sign_in_email(email).map_err(|message| AppError::field("email", message))
            })
            .transpose()?;
        let (oldest, least) = (self.now() - ABSOLUTE_TIMEOUT, self.now() - IDLE_TIMEOUT);
        let mut transaction = self.pool.begin().await?;
        // A sign-in under way is over before, and counts, or begins after.
        let mut whose = operators::lock_all(&mut transaction).await?;
        if let Some(email) = email {
            whose.retain(|row| row.email == email);
            if whose.is_empty() {
                return Err(Missing::OperatorNotFound.into());
            }
        }
        let mut ended = Vec::new();
        for row in whose {
            let id = row.operator_id;
            let open = operators::sessions_of(&mut transaction, id, oldest, least).await?;
            operators::delete_sessions_of(&mut transaction, id, None).await?;
            if !open.is_empty() {
                ended.push((row.email, open.len()));
            }
        }
        // Told at the end: what is told waits for everybody else who tells.
        for (email, _) in &ended {
            let subject = Subject {
                details: json!({ "email": email }),
                ..Subject::default()
            };
            let action = Action::OperatorSignedOut;
            audit::record(self, &mut transaction, origin, action, subject).await?;
        }
        transaction.commit().await?;
        Ok(ended.iter().map(|(_, sessions)| sessions).sum())
    }

    /// Ends one of an operator's own sessions. One that has ended already is as good as ended.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_session_of(
        &self,
        origin: &Origin,
        operator: &Operator,
        session_id: Uuid,
    ) -> AppResult<()> {
        let mut transaction = self.pool.begin().await?;
        let operator_id = operator.operator_id;
        if operators::delete_session_of(&mut transaction, operator_id, session_id).await? {
            let action = Action::OperatorSignedOut;
            audit::record(self, &mut transaction, origin, action, Subject::default()).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Deletes the sessions that have timed out; how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_sessions(&self) -> AppResult<u64> {
        let now = self.now();
        let mut connection = self.pool.acquire().await?;
        Ok(
            operators::sweep_sessions(&mut connection, now - ABSOLUTE_TIMEOUT, now - IDLE_TIMEOUT)
                .await?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operator::Role;

    #[test]
    fn a_factor_is_fresh_for_five_minutes_and_not_before_it_was_shown() {
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0);
        let mut session = SignedIn {
            operator: Operator {
                operator_id: Uuid::nil(),
                email: "ops@example.com".into(),
                role: Role::Admin,
                active: true,
            },
            has_factor: true,
            factor_at: at(0),
        };
        for (seconds, is_fresh) in [
            (0, true),
            (299, true),
            (300, false),
            (-9, true),
            (-10, false),
        ] {
            assert_eq!(
                session.is_fresh(at(seconds).unwrap()),
                is_fresh,
                "{seconds}"
            );
        }
        session.factor_at = None;
        assert!(!session.is_fresh(at(0).unwrap()));
    }
}
