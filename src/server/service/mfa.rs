//! Second factors of operators: enrolment, use and removal (OWASP Multifactor Authentication Cheat Sheet).

use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::qr;
use super::sessions::{Reauthentication, SessionService};
use super::sign_in::NewSession;
use super::{AuditContext, ClientInfo, Core};
use crate::domain::audit::{Action, Actor, ActorKind};
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::mfa::{Enrolment, MfaStatus};
use crate::domain::operator::Operator;
use crate::domain::secret::Secret;
use crate::server::crypto::{password, totp};
use crate::server::store::{factors, operators, sessions};

/// Issuer that authenticator apps show.
const ISSUER: &str = "MyProof Registry";
/// Second factors of operators.
#[derive(Clone)]
pub struct MfaService {
    pub(super) core: Arc<Core>,
    pub(super) sessions: SessionService,
}

impl MfaService {
    pub(super) fn new(core: Arc<Core>, sessions: SessionService) -> Self {
        Self { core, sessions }
    }

    /// Returns the state of an operator's second factor.
    pub async fn get(&self, operator: &Operator) -> AppResult<MfaStatus> {
        let mut connection = self.core.pool.acquire().await?;
        let known = self.known_peppers()?;
        Ok(factors::view(&mut connection, operator.operator_id, &known).await?)
    }

    /// Returns the ids of all operators with a second factor.
    pub async fn enrolled_operators(&self) -> AppResult<Vec<Uuid>> {
        let mut connection = self.core.pool.acquire().await?;
        Ok(factors::confirmed_operators(&mut connection).await?)
    }

    /// Starts the enrolment of a second factor, which takes effect with [`Self::confirm_enrolment`]. Requires
    /// the password, so that a stolen session is not enough.
    pub async fn begin_enrolment(
        &self,
        context: &AuditContext,
        operator: &Operator,
        password: Zeroizing<String>,
    ) -> AppResult<Enrolment> {
        let checked = self
            .sessions
            .check_password(&operator.email, password, context.ip)
            .await;
        checked.map_err(|error| match error {
            AppError::WrongCredentials => AppError::field("password", "is not your password"),
            other => other,
        })?;
        let secret: Zeroizing<[u8; totp::SECRET_BYTES]> = Zeroizing::new(self.core.entropy.bytes());
        let sealed = self.seal(operator.operator_id, &secret[..])?;
        let mut connection = self.core.pool.acquire().await?;
        let begun = factors::begin(
            &mut connection,
            operator.operator_id,
            &sealed.bytes,
            &sealed.fingerprint,
            self.core.now(),
        );
        if !begun.await? {
            return Err(Conflict::FactorExists.into());
        }
        let secret = Secret::from(BASE32_NOPAD.encode(&secret[..]));
        let uri = provisioning_uri(&operator.email, &secret);
        let qr = qr::draw(&uri)?;
        Ok(Enrolment { secret, uri, qr })
    }

    /// Completes an enrolment with a first code, ends the operator's other sessions, and renews this session's
    /// cookie. Returns the recovery codes, of which only hashes are stored, and the cookie.
    pub async fn confirm_enrolment(
        &self,
        context: &AuditContext,
        operator: &Operator,
        cookie: &str,
        typed: &str,
    ) -> AppResult<(Vec<Secret>, Zeroizing<String>)> {
        let operator_id = operator.operator_id;
        let mut connection = self.core.pool.acquire().await?;
        let begun = factors::find(&mut connection, operator_id)
            .await?
            .ok_or(Missing::FactorNotFound)?;
        drop(connection);
        if begun.confirmed_at.is_some() {
            return Err(Conflict::FactorExists.into());
        }
        self.check_code(operator, typed, context.ip).await?;
        let mut transaction = self.core.pool.begin().await?;
        operators::lock_for_update(&mut transaction, operator_id).await?;
        if !factors::confirm(&mut transaction, &begun, self.core.now()).await? {
            return Err(Conflict::FactorExists.into());
        }
        let codes = self.replace_codes(&mut transaction, operator_id).await?;
        let cookie = self
            .sessions
            .renew(&mut transaction, cookie, Reauthentication::Mfa)
            .await?;
        let kept = password::session_hash(&cookie);
        sessions::delete_all(&mut transaction, operator_id, Some(&kept)).await?;
        let action = Action::OperatorFactorAdded;
        record(
            &self.core,
            &mut transaction,
            context,
            action,
            &operator.email,
        )
        .await?;
        transaction.commit().await?;
        Ok((codes, cookie))
    }

    /// Replaces the recovery codes and returns the new ones.
    pub async fn renew_recovery_codes(
        &self,
        context: &AuditContext,
        operator: &Operator,
    ) -> AppResult<Vec<Secret>> {
        let mut transaction = self.core.pool.begin().await?;
        // Serialise concurrent renewals, so that one set of codes is valid.
        operators::lock_for_update(&mut transaction, operator.operator_id).await?;
        let row = factors::find(&mut transaction, operator.operator_id).await?;
        row.filter(|row| row.confirmed_at.is_some())
            .ok_or(Missing::FactorNotFound)?;
        let codes = self
            .replace_codes(&mut transaction, operator.operator_id)
            .await?;
        let action = Action::OperatorRecoveryCodesRenewed;
        record(
            &self.core,
            &mut transaction,
            context,
            action,
            &operator.email,
        )
        .await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// Removes an operator's second factor and ends all their sessions but the one with this cookie.
    pub async fn remove(
        &self,
        context: &AuditContext,
        email: &str,
        cookie: Option<&str>,
    ) -> AppResult<()> {
        let email = crate::domain::operator::sign_in_email(email)
            .map_err(|message| AppError::field("email", message))?;
        let mut transaction = self.core.pool.begin().await?;
        let row = operators::find_by_email(&mut transaction, &email)
            .await?
            .ok_or(Missing::OperatorNotFound)?;
        operators::lock_for_update(&mut transaction, row.operator_id).await?;
        if !factors::delete(&mut transaction, row.operator_id).await? {
            return Err(Missing::FactorNotFound.into());
        }
        self.sessions
            .clear_code_attempts(&mut transaction, row.operator_id)
            .await?;
        let kept = cookie.map(password::session_hash);
        sessions::delete_all(&mut transaction, row.operator_id, kept.as_ref()).await?;
        if let Some(kept) = kept {
            sessions::clear_mfa(&mut transaction, &kept).await?;
        }
        let action = Action::OperatorFactorRemoved;
        record(&self.core, &mut transaction, context, action, &email).await?;
        Ok(transaction.commit().await?)
    }

    /// Checks a code within the session with this cookie, and renews the cookie.
    pub async fn verify(
        &self,
        operator: &Operator,
        cookie: &str,
        typed: &str,
        client: Option<IpAddr>,
    ) -> AppResult<Zeroizing<String>> {
        let mut connection = self.core.pool.acquire().await?;
        let row = factors::find(&mut connection, operator.operator_id).await?;
        row.filter(|row| row.confirmed_at.is_some())
            .ok_or(Missing::FactorNotFound)?;
        drop(connection);
        self.check_code(operator, typed, client).await?;
        let mut connection = self.core.pool.acquire().await?;
        self.sessions
            .renew(&mut connection, cookie, Reauthentication::Mfa)
            .await
    }

    /// Completes a sign-in that waits for the second factor, and replaces its session by one with a new cookie.
    /// Fails with [`AppError::SignedOut`] if no sign-in waits under this cookie.
    pub async fn finish_sign_in(
        &self,
        typed: &str,
        client: ClientInfo,
        cookie: &str,
    ) -> AppResult<NewSession> {
        let awaiting = self.sessions.find_awaiting_mfa(cookie).await?;
        let operator = awaiting.ok_or(AppError::SignedOut)?;
        self.check_code(&operator, typed, client.ip).await?;
        let mut transaction = self.core.pool.begin().await?;
        let waited = password::session_hash(cookie);
        if !operators::lock_active_shared(&mut transaction, operator.operator_id, None).await? {
            return Err(AppError::SignedOut);
        }
        if !sessions::delete_awaiting(&mut transaction, &waited).await? {
            return Err(AppError::SignedOut);
        }
        let session = self
            .sessions
            .insert_session(&mut transaction, operator, &client, Some(self.core.now()))
            .await?;
        let actor = Actor::new(ActorKind::Operator, session.operator.email.clone());
        let context = client.acting_as(actor);
        let action = Action::OperatorSignedIn;
        audit::record(
            &self.core,
            &mut transaction,
            &context,
            action,
            Subject::none(),
        )
        .await?;
        transaction.commit().await?;
        Ok(session)
    }
}

/// Provisioning URI (Google Authenticator's "Key URI Format", which other apps accept too).
fn provisioning_uri(email: &str, secret: &str) -> Secret {
    // Form encoding, except that `+` does not mean a space in a path.
    let encode = |text: &str| {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        encoded.replace('+', "%20")
    };
    let (issuer, email) = (encode(ISSUER), encode(email));
    format!("otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}").into()
}

async fn record(
    core: &Core,
    connection: &mut PgConnection,
    context: &AuditContext,
    action: Action,
    email: &str,
) -> AppResult<()> {
    let subject = Subject::of(json!({ "email": email }));
    audit::record(core, connection, context, action, subject).await
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_address_for_apps() {
        assert_eq!(
            &*super::provisioning_uri("o+ps@example.com", "GEZDGNBV"),
            "otpauth://totp/MyProof%20Registry:o%2Bps%40example.com?secret=GEZDGNBV&issuer=MyProof%20Registry"
        );
    }
}
