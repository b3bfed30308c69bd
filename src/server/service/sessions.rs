//! Sessions of operators and their cookies (OWASP Session Management).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::denied_actions::DeniedActions;
use super::{AuditContext, ClientInfo, Core};
use crate::domain::audit::{Action, Actor, ActorKind};
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::mfa::RECENT_AUTH_WINDOW;
use crate::domain::operator::{self, Operator};
use crate::domain::session::SessionView;
use crate::server::crypto::password;
use crate::server::crypto::pool::HashPool;
use crate::server::store::operators;
use crate::server::store::sessions::{self, ListedSession, SessionRow};

/// Time after which an unused session ends.
const IDLE_TIMEOUT: TimeDelta = TimeDelta::hours(1);
/// Time after which any session ends.
const ABSOLUTE_TIMEOUT: TimeDelta = TimeDelta::hours(12);
/// Time in which a sign-in must be completed with the second factor.
pub(super) const MFA_TIMEOUT: TimeDelta = TimeDelta::minutes(5);
/// Interval at which the last use of a session is written.
const TOUCH_INTERVAL: TimeDelta = TimeDelta::minutes(1);
/// Clock skew between instances that is tolerated.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(10);
/// Time for which the previous cookie stays valid after a renewal: the page may have requests in flight.
const FORMER_COOKIE_TTL: TimeDelta = TimeDelta::seconds(10);

/// The operator of a session and the state of their second factor.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub operator: Operator,
    pub has_factor: bool,
    /// Last use of the second factor in this session.
    pub factor_at: Option<DateTime<Utc>>,
}

impl SignedIn {
    /// True if the second factor was used recently.
    pub fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        // A time in the future means that the clock was set back, or that the clock of another instance is
        // slightly ahead.
        self.factor_at
            .is_some_and(|at| at - now < MAX_CLOCK_SKEW && now - at < RECENT_AUTH_WINDOW)
    }
}

/// How an operator has authenticated again within a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reauthentication {
    Password,
    Mfa,
}

/// Sign-in and sessions of operators.
#[derive(Clone)]
pub struct SessionService {
    pub(super) core: Arc<Core>,
    pub(super) hashing: HashPool,
    pub(super) denied_actions: Arc<DeniedActions>,
}

impl SessionService {
    pub(super) fn new(
        core: Arc<Core>,
        hashing: HashPool,
        denied_actions: Arc<DeniedActions>,
    ) -> Self {
        Self {
            core,
            hashing,
            denied_actions,
        }
    }

    /// Replaces the cookie of a session whose operator has just authenticated again.
    pub(super) async fn renew(
        &self,
        connection: &mut PgConnection,
        cookie: &str,
        reauthentication: Reauthentication,
    ) -> AppResult<Zeroizing<String>> {
        let renewed = self.new_cookie();
        let (former, hash) = (
            password::session_hash(cookie),
            password::session_hash(&renewed),
        );
        let now = self.core.now();
        let factor_at = (reauthentication == Reauthentication::Mfa).then_some(now);
        if !sessions::renew(connection, &former, &hash, factor_at, now).await? {
            return Err(AppError::SignedOut);
        }
        Ok(renewed)
    }

    pub(super) fn new_cookie(&self) -> Zeroizing<String> {
        let random: Zeroizing<[u8; 32]> = Zeroizing::new(self.core.entropy.bytes());
        Zeroizing::new(data_encoding::HEXLOWER.encode(&random[..]))
    }

    /// Returns the operator of a live session, and notes its use; `None` if there is no such session.
    pub async fn find(&self, cookie: &str) -> AppResult<Option<SignedIn>> {
        let session_hash = password::session_hash(cookie);
        let now = self.core.now();
        let mut connection = self.core.pool.acquire().await?;
        let Some(session) = self.find_session(&mut connection, &session_hash).await? else {
            return Ok(None);
        };
        if now - session.last_seen_at >= TOUCH_INTERVAL {
            sessions::touch(&mut connection, &session_hash, now).await?;
        }
        Ok(Some(SignedIn {
            operator: session.operator.view()?,
            has_factor: session.has_factor,
            factor_at: session.factor_at,
        }))
    }

    /// True if the cookie belongs to a live session. Does not extend the session.
    pub async fn is_live(&self, cookie: &str) -> AppResult<bool> {
        let session_hash = password::session_hash(cookie);
        let mut connection = self.core.pool.acquire().await?;
        let found = self.find_session(&mut connection, &session_hash).await?;
        Ok(found.is_some())
    }

    async fn find_session(
        &self,
        connection: &mut PgConnection,
        session_hash: &[u8; 32],
    ) -> sqlx::Result<Option<SessionRow>> {
        let now = self.core.now();
        sessions::find(
            connection,
            session_hash,
            now - ABSOLUTE_TIMEOUT,
            now - IDLE_TIMEOUT,
            // Tolerates clock skew between instances.
            now - FORMER_COOKIE_TTL..now + FORMER_COOKIE_TTL,
        )
        .await
    }

    /// Ends the session with this cookie.
    pub async fn sign_out(&self, cookie: &str, client: ClientInfo) -> AppResult<()> {
        let mut transaction = self.core.pool.begin().await?;
        self.end_by_cookie(&mut transaction, cookie, &client)
            .await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn end_by_cookie(
        &self,
        transaction: &mut PgConnection,
        cookie: &str,
        client: &ClientInfo,
    ) -> AppResult<()> {
        let session_hash = password::session_hash(cookie);
        let (oldest, least) = (
            self.core.now() - ABSOLUTE_TIMEOUT,
            self.core.now() - IDLE_TIMEOUT,
        );
        let renewed_after = self.core.now() - FORMER_COOKIE_TTL;
        let ended =
            sessions::delete(transaction, &session_hash, oldest, least, renewed_after).await?;
        let Some(email) = ended else {
            return Ok(());
        };
        let context = client
            .clone()
            .acting_as(Actor::new(ActorKind::Operator, email));
        let action = Action::OperatorSignedOut;
        audit::record(&self.core, transaction, &context, action, Subject::none()).await?;
        Ok(())
    }

    /// Returns the live sessions of an operator. `cookie` identifies the current one.
    pub async fn list(&self, operator: &Operator, cookie: &str) -> AppResult<Vec<SessionView>> {
        let this = password::session_hash(cookie);
        let (oldest, least) = (
            self.core.now() - ABSOLUTE_TIMEOUT,
            self.core.now() - IDLE_TIMEOUT,
        );
        let mut connection = self.core.pool.acquire().await?;
        let rows = sessions::list(&mut connection, operator.operator_id, oldest, least).await?;
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

    /// Ends all sessions of an operator, or of all operators, and returns their number.
    pub async fn end_all(&self, context: &AuditContext, email: Option<&str>) -> AppResult<usize> {
        let email = email
            .map(|email| {
                operator::sign_in_email(email).map_err(|message| AppError::field("email", message))
            })
            .transpose()?;
        let (oldest, least) = (
            self.core.now() - ABSOLUTE_TIMEOUT,
            self.core.now() - IDLE_TIMEOUT,
        );
        let mut transaction = self.core.pool.begin().await?;
        // Serialise with sign-ins: each is committed before, or starts after.
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
            let open = sessions::list(&mut transaction, id, oldest, least).await?;
            sessions::delete_all(&mut transaction, id, None).await?;
            if !open.is_empty() {
                ended.push((row.email, open.len()));
            }
        }
        // Write the audit events last: each takes the chain-head lock, which serialises all writers.
        for (email, _) in &ended {
            let subject = Subject::of(json!({ "email": email }));
            let action = Action::OperatorSignedOut;
            audit::record(&self.core, &mut transaction, context, action, subject).await?;
        }
        transaction.commit().await?;
        Ok(ended.iter().map(|(_, sessions)| sessions).sum())
    }

    /// Ends one of an operator's own sessions. Idempotent.
    pub async fn end(
        &self,
        context: &AuditContext,
        operator: &Operator,
        session_id: Uuid,
    ) -> AppResult<()> {
        let mut transaction = self.core.pool.begin().await?;
        let operator_id = operator.operator_id;
        if sessions::delete_by_id(&mut transaction, operator_id, session_id).await? {
            let action = Action::OperatorSignedOut;
            audit::record(
                &self.core,
                &mut transaction,
                context,
                action,
                Subject::none(),
            )
            .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Deletes the sessions that have timed out and returns their number.
    pub async fn sweep(&self) -> AppResult<u64> {
        let now = self.core.now();
        let mut connection = self.core.pool.acquire().await?;
        Ok(sessions::sweep(&mut connection, now - ABSOLUTE_TIMEOUT, now - IDLE_TIMEOUT).await?)
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
