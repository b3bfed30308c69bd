//! The second factor of operators: set up, shown, taken away (OWASP Multifactor Authentication Cheat
//! Sheet; RFC 6238).

use std::net::IpAddr;

use data_encoding::BASE32_NOPAD;
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::qr;
use super::refusals::Failure;
use super::sessions::NewSession;
use super::{Origin, Registry, Whence};
use crate::domain::audit::{Action, Actor, ActorKind};
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::mfa::{self, Enrolment, MfaStatus, RECOVERY_CODES, TypedCode};
use crate::domain::operator::Operator;
use crate::domain::secret::Secret;
use crate::server::crypto::pepper::{Fingerprint, Pepper};
use crate::server::crypto::seal::{self, Sealed};
use crate::server::crypto::{password, totp};
use crate::server::store::factors::{self, FactorRow};
use crate::server::store::operators;

/// Who the codes are for, as apps show it.
const ISSUER: &str = "MyProof Registry";
/// Random bytes of a recovery code: sixteen characters of base32.
const RECOVERY_CODE_BYTES: usize = 10;

impl Registry {
    /// What an operator has.
    ///
    /// # Errors
    /// The database's.
    pub async fn factor_of(&self, operator: &Operator) -> AppResult<MfaStatus> {
        let mut connection = self.pool.acquire().await?;
        let known = self.known_peppers()?;
        Ok(factors::view(&mut connection, operator.operator_id, &known).await?)
    }

    fn known_peppers(&self) -> AppResult<Vec<Fingerprint>> {
        let peppers = self.peppers.as_deref().ok_or(AppError::Internal)?;
        Ok(peppers.all().map(Pepper::fingerprint).collect())
    }

    /// How many recovery codes no known pepper covers: they open nothing until it is known again.
    ///
    /// # Errors
    /// The database's.
    pub async fn uncovered_recovery_codes(&self) -> AppResult<i64> {
        let known = self.known_peppers()?;
        let mut connection = self.pool.acquire().await?;
        Ok(factors::count_uncovered_codes(&mut connection, &known).await?)
    }

    /// The operators who have one.
    ///
    /// # Errors
    /// The database's.
    pub async fn operators_with_factor(&self) -> AppResult<Vec<Uuid>> {
        let mut connection = self.pool.acquire().await?;
        Ok(factors::operators(&mut connection).await?)
    }

    /// Begins to set up a factor: it counts once a code of it was entered. Whoever has nothing but a
    /// session can't: it takes the password.
    ///
    /// # Errors
    /// [`AppError::Invalid`] naming `password` where it is another, [`AppError::RateLimited`] after several
    /// wrong ones, [`Conflict::FactorExists`], or the database's.
    pub async fn begin_factor(
        &self,
        origin: &Origin,
        operator: &Operator,
        password: Zeroizing<String>,
    ) -> AppResult<Enrolment> {
        let checked = self
            .check_password(&operator.email, password, origin.ip)
            .await;
        checked.map_err(|error| match error {
            AppError::WrongCredentials => AppError::field("password", "is not your password"),
            other => other,
        })?;
        let secret: Zeroizing<[u8; totp::SECRET_BYTES]> = Zeroizing::new(self.entropy.bytes());
        let sealed = self.seal_factor(operator.operator_id, &secret[..])?;
        let mut connection = self.pool.acquire().await?;
        let begun = factors::begin(
            &mut connection,
            operator.operator_id,
            &sealed.bytes,
            &sealed.fingerprint,
            self.now(),
        );
        if !begun.await? {
            return Err(Conflict::FactorExists.into());
        }
        let secret = Secret::from(BASE32_NOPAD.encode(&secret[..]));
        let uri = provisioning_uri(&operator.email, &secret);
        let qr = qr::draw(&uri)?;
        Ok(Enrolment { secret, uri, qr })
    }

    /// Has the factor count that was begun, ends the operator's other sessions, and gives this one another
    /// cookie. Gives the recovery codes, which are kept as hashes alone, and the cookie.
    ///
    /// # Errors
    /// [`AppError::WrongCode`], [`AppError::RateLimited`] after several wrong ones, [`Missing::FactorNotFound`]
    /// where none was begun, [`Conflict::FactorExists`], or the database's.
    pub async fn confirm_factor(
        &self,
        origin: &Origin,
        operator: &Operator,
        cookie: &str,
        typed: &str,
    ) -> AppResult<(Vec<Secret>, Zeroizing<String>)> {
        let operator_id = operator.operator_id;
        let mut connection = self.pool.acquire().await?;
        let begun = factors::find(&mut connection, operator_id)
            .await?
            .ok_or(Missing::FactorNotFound)?;
        drop(connection);
        if begun.confirmed_at.is_some() {
            return Err(Conflict::FactorExists.into());
        }
        self.check_code(operator, typed, origin.ip).await?;
        let mut transaction = self.pool.begin().await?;
        operators::lock(&mut transaction, operator_id).await?;
        if !factors::confirm(&mut transaction, &begun, self.now()).await? {
            return Err(Conflict::FactorExists.into());
        }
        let codes = self.new_codes(&mut transaction, operator_id).await?;
        let cookie = self.renew_session(&mut transaction, cookie, true).await?;
        let kept = password::session_hash(&cookie);
        operators::delete_sessions_of(&mut transaction, operator_id, Some(&kept)).await?;
        let action = Action::OperatorFactorAdded;
        record(self, &mut transaction, origin, action, &operator.email).await?;
        transaction.commit().await?;
        Ok((codes, cookie))
    }

    /// New recovery codes in the place of those that were.
    ///
    /// # Errors
    /// [`Missing::FactorNotFound`], or the database's.
    pub async fn renew_recovery_codes(
        &self,
        origin: &Origin,
        operator: &Operator,
    ) -> AppResult<Vec<Secret>> {
        let mut transaction = self.pool.begin().await?;
        // Of two who renew at once, the codes of one count.
        operators::lock(&mut transaction, operator.operator_id).await?;
        let row = factors::find(&mut transaction, operator.operator_id).await?;
        row.filter(|row| row.confirmed_at.is_some())
            .ok_or(Missing::FactorNotFound)?;
        let codes = self
            .new_codes(&mut transaction, operator.operator_id)
            .await?;
        let action = Action::OperatorRecoveryCodesRenewed;
        record(self, &mut transaction, origin, action, &operator.email).await?;
        transaction.commit().await?;
        Ok(codes)
    }

    /// Takes an operator's factor away: they sign in by password alone until they set up another. All
    /// their sessions end, but for the one with this cookie.
    ///
    /// # Errors
    /// [`Missing::OperatorNotFound`], [`Missing::FactorNotFound`], or the database's.
    pub async fn remove_factor(
        &self,
        origin: &Origin,
        email: &str,
        cookie: Option<&str>,
    ) -> AppResult<()> {
        let email = crate::domain::operator::sign_in_email(email)
            .map_err(|message| AppError::field("email", message))?;
        let mut transaction = self.pool.begin().await?;
        let row = operators::find_by_email(&mut transaction, &email)
            .await?
            .ok_or(Missing::OperatorNotFound)?;
        operators::lock(&mut transaction, row.operator_id).await?;
        if !factors::delete(&mut transaction, row.operator_id).await? {
            return Err(Missing::FactorNotFound.into());
        }
        self.forget_codes(&mut transaction, row.operator_id).await?;
        let kept = cookie.map(password::session_hash);
        operators::delete_sessions_of(&mut transaction, row.operator_id, kept.as_ref()).await?;
        if let Some(kept) = kept {
            operators::forget_proof(&mut transaction, &kept).await?;
        }
        let action = Action::OperatorFactorRemoved;
        record(self, &mut transaction, origin, action, &email).await?;
        Ok(transaction.commit().await?)
    }

    /// Notes that the factor was shown in the session with this cookie, and gives it another one.
    ///
    /// # Errors
    /// [`AppError::SignedOut`] where the session has ended meanwhile, [`AppError::WrongCode`], [`AppError::RateLimited`] after several wrong ones, [`Missing::FactorNotFound`],
    /// or the database's.
    pub async fn prove_factor(
        &self,
        operator: &Operator,
        cookie: &str,
        typed: &str,
        client: Option<IpAddr>,
    ) -> AppResult<Zeroizing<String>> {
        let mut connection = self.pool.acquire().await?;
        let row = factors::find(&mut connection, operator.operator_id).await?;
        row.filter(|row| row.confirmed_at.is_some())
            .ok_or(Missing::FactorNotFound)?;
        drop(connection);
        self.check_code(operator, typed, client).await?;
        let mut connection = self.pool.acquire().await?;
        self.renew_session(&mut connection, cookie, true).await
    }

    /// Ends a sign-in that awaits the factor: opens the session in the place of the one that waited, under
    /// a cookie of its own.
    ///
    /// # Errors
    /// [`AppError::SignedOut`] where none waits, or no longer; [`AppError::WrongCode`],
    /// [`AppError::RateLimited`] after several wrong ones, or the database's.
    pub async fn finish_sign_in(
        &self,
        typed: &str,
        whence: Whence,
        cookie: &str,
    ) -> AppResult<NewSession> {
        let operator = self.awaiting(cookie).await?.ok_or(AppError::SignedOut)?;
        self.check_code(&operator, typed, whence.ip).await?;
        let mut transaction = self.pool.begin().await?;
        let waited = password::session_hash(cookie);
        if !operators::hold(&mut transaction, operator.operator_id, None).await? {
            return Err(AppError::SignedOut);
        }
        if !operators::delete_awaiting(&mut transaction, &waited).await? {
            return Err(AppError::SignedOut);
        }
        let session = self
            .insert_session(&mut transaction, operator, &whence, Some(self.now()))
            .await?;
        let actor = Actor::new(ActorKind::Operator, session.operator.email.clone());
        let origin = whence.of(actor);
        let action = Action::OperatorSignedIn;
        audit::record(self, &mut transaction, &origin, action, Subject::default()).await?;
        transaction.commit().await?;
        Ok(session)
    }

    /// Seals the secrets that another pepper sealed under the current one; how many could not be opened.
    ///
    /// # Errors
    /// The database's.
    pub async fn reseal_factors(&self) -> AppResult<usize> {
        let peppers = self.peppers.as_deref().ok_or(AppError::Internal)?;
        let mut connection = self.pool.acquire().await?;
        let current = peppers.current().fingerprint();
        let mut unopened = 0;
        for row in factors::sealed_otherwise(&mut connection, &current).await? {
            let Some(secret) = self.open_factor(&row) else {
                unopened += 1;
                continue;
            };
            let sealed = self.seal_factor(row.operator_id, &secret)?;
            factors::reseal(&mut connection, &row, &sealed.bytes, &sealed.fingerprint).await?;
        }
        Ok(unopened)
    }

    /// Takes a code. Each is taken once; guessing is slowed as it is for passwords.
    async fn check_code(
        &self,
        operator: &Operator,
        typed: &str,
        client: Option<IpAddr>,
    ) -> AppResult<()> {
        let typed = mfa::typed_code(typed).map_err(|message| AppError::field("code", message))?;
        let checked = self.take_code(operator, typed, client).await;
        let failure = match &checked {
            Err(AppError::WrongCode) => Some(Failure::Wrong),
            Err(AppError::RateLimited { .. }) => Some(Failure::TooSoon),
            _ => None,
        };
        if let Some(failure) = failure {
            self.sign_in_failed(Some(operator.email.clone()), client, failure);
        }
        checked
    }

    async fn take_code(
        &self,
        operator: &Operator,
        typed: TypedCode,
        client: Option<IpAddr>,
    ) -> AppResult<()> {
        let operator_id = operator.operator_id;
        let is_recovery = matches!(typed, TypedCode::Recovery(_));
        let attempt = self.begin_code(operator_id, is_recovery, client).await?;
        let mut connection = self.pool.acquire().await?;
        let row = factors::find(&mut connection, operator_id)
            .await?
            .ok_or(Missing::FactorNotFound)?;
        let taken = match typed {
            TypedCode::Timed(code) => {
                let secret = self.open_factor(&row).ok_or_else(|| {
                    tracing::error!(%operator_id, "a factor was sealed under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED");
                    AppError::Internal
                })?;
                match totp::matching_step(&secret, code, self.now()) {
                    Some(step) => factors::take_step(&mut connection, operator_id, step).await?,
                    None => false,
                }
            }
            TypedCode::Recovery(code) => {
                let code = Zeroizing::new(code);
                let peppers = self.peppers.as_deref().ok_or(AppError::Internal)?;
                let hashes: Vec<[u8; 32]> = peppers
                    .all()
                    .map(|pepper| pepper.recovery_hash(operator_id.as_bytes(), &code))
                    .collect();
                factors::take_code(&mut connection, operator_id, &hashes, self.now()).await?
            }
        };
        drop(connection);
        if !taken {
            return Err(AppError::WrongCode);
        }
        self.end_sign_in(&attempt).await
    }

    async fn new_codes(
        &self,
        connection: &mut sqlx::PgConnection,
        operator_id: Uuid,
    ) -> AppResult<Vec<Secret>> {
        let peppers = self.peppers.as_deref().ok_or(AppError::Internal)?;
        let codes: Vec<Zeroizing<String>> = (0..RECOVERY_CODES)
            .map(|_| {
                let random: Zeroizing<[u8; RECOVERY_CODE_BYTES]> =
                    Zeroizing::new(self.entropy.bytes());
                let mut code = Zeroizing::new(BASE32_NOPAD.encode(&random[..]));
                code.make_ascii_lowercase();
                code
            })
            .collect();
        let hashes: Vec<[u8; 32]> = codes
            .iter()
            .map(|code| {
                peppers
                    .current()
                    .recovery_hash(operator_id.as_bytes(), code)
            })
            .collect();
        let fingerprint = peppers.current().fingerprint();
        factors::replace_codes(connection, operator_id, &hashes, &fingerprint).await?;
        Ok(codes
            .iter()
            .map(|code| mfa::format_recovery_code(code))
            .collect())
    }

    fn seal_factor(&self, operator_id: Uuid, secret: &[u8]) -> AppResult<Sealed> {
        let peppers = self.peppers.as_deref().ok_or(AppError::Internal)?;
        let nonce = self.entropy.bytes();
        seal::seal(peppers.current(), nonce, &owner(operator_id), secret)
    }

    fn open_factor(&self, row: &FactorRow) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = Sealed {
            bytes: row.sealed_secret.clone(),
            fingerprint: row.pepper_fingerprint.as_slice().try_into().ok()?,
        };
        seal::open(self.peppers.as_deref()?, &sealed, &owner(row.operator_id))
    }
}

/// What a factor's secret is bound to: no webhook's stands in its place.
fn owner(operator_id: Uuid) -> Vec<u8> {
    [b"factor ", &operator_id.as_bytes()[..]].concat()
}

/// What apps read (Google Authenticator's "Key URI Format", which the others take too).
fn provisioning_uri(email: &str, secret: &str) -> Secret {
    // A query's value, but for its sign for a space, which no path knows.
    let encode = |text: &str| {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        encoded.replace('+', "%20")
    };
    let (issuer, email) = (encode(ISSUER), encode(email));
    format!("otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}").into()
}

async fn record(
    registry: &Registry,
    connection: &mut sqlx::PgConnection,
    origin: &Origin,
    action: Action,
    email: &str,
) -> AppResult<()> {
    let subject = Subject {
        details: json!({ "email": email }),
        ..Subject::default()
    };
    audit::record(registry, connection, origin, action, subject).await
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
