//! Codes of second factors: TOTP codes and recovery codes, and the sealed TOTP secrets (RFC 6238).

use std::net::IpAddr;

use data_encoding::BASE32_NOPAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::denied_actions::Failure;
use super::mfa::MfaService;
use super::sign_in_attempts::CodeKind;
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::mfa::{self, RECOVERY_CODES, TypedCode};
use crate::domain::operator::Operator;
use crate::domain::secret::Secret;
use crate::server::crypto::pepper::{Fingerprint, Pepper};
use crate::server::crypto::seal::{self, Sealed};
use crate::server::crypto::totp;
use crate::server::store::factors::{self, FactorRow};

/// Random bytes of a recovery code: sixteen characters of base32.
const RECOVERY_CODE_BYTES: usize = 10;

impl MfaService {
    pub(super) fn known_peppers(&self) -> AppResult<Vec<Fingerprint>> {
        let peppers = self.core.peppers()?;
        Ok(peppers.all().map(Pepper::fingerprint).collect())
    }

    /// Counts the recovery codes under an unknown pepper, which are not accepted.
    pub async fn count_uncovered_recovery_codes(&self) -> AppResult<i64> {
        let known = self.known_peppers()?;
        let mut connection = self.core.pool.acquire().await?;
        Ok(factors::count_uncovered_codes(&mut connection, &known).await?)
    }

    /// Reseals all secrets under the current pepper, and returns how many could not be opened.
    pub async fn reseal(&self) -> AppResult<usize> {
        let peppers = self.core.peppers()?;
        let mut connection = self.core.pool.acquire().await?;
        let current = peppers.current().fingerprint();
        let mut unopened = 0;
        for row in factors::sealed_with_other_pepper(&mut connection, &current).await? {
            let Some(secret) = self.open(&row) else {
                unopened += 1;
                continue;
            };
            let sealed = self.seal(row.operator_id, &secret)?;
            factors::reseal(&mut connection, &row, &sealed.bytes, &sealed.fingerprint).await?;
        }
        Ok(unopened)
    }

    /// Checks a code. Each is accepted once; guesses are throttled as those of passwords.
    pub(super) async fn check_code(
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
            self.sessions.denied_actions.count_failed_sign_in(
                self.core.now(),
                Some(operator.email.clone()),
                client,
                failure,
            );
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
        let kind = match typed {
            TypedCode::Timed(_) => CodeKind::Totp,
            TypedCode::Recovery(_) => CodeKind::Recovery,
        };
        let attempt = self
            .sessions
            .begin_code_attempt(operator_id, kind, client)
            .await?;
        let mut connection = self.core.pool.acquire().await?;
        let row = factors::find(&mut connection, operator_id)
            .await?
            .ok_or(Missing::FactorNotFound)?;
        let taken = match typed {
            TypedCode::Timed(code) => {
                let secret = self.open(&row).ok_or_else(|| {
                    tracing::error!(%operator_id, "a factor was sealed under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED");
                    AppError::Internal
                })?;
                match totp::matching_step(&secret, code, self.core.now()) {
                    Some(step) => factors::take_step(&mut connection, operator_id, step).await?,
                    None => false,
                }
            }
            TypedCode::Recovery(code) => {
                let code = Zeroizing::new(code);
                let peppers = self.core.peppers()?;
                let hashes: Vec<[u8; 32]> = peppers
                    .all()
                    .map(|pepper| pepper.recovery_hash(operator_id.as_bytes(), &code))
                    .collect();
                factors::take_code(&mut connection, operator_id, &hashes, self.core.now()).await?
            }
        };
        drop(connection);
        if !taken {
            return Err(AppError::WrongCode);
        }
        self.sessions.attempt_succeeded(&attempt).await
    }

    pub(super) async fn replace_codes(
        &self,
        connection: &mut sqlx::PgConnection,
        operator_id: Uuid,
    ) -> AppResult<Vec<Secret>> {
        let peppers = self.core.peppers()?;
        let codes: Vec<Zeroizing<String>> = (0..RECOVERY_CODES)
            .map(|_| {
                let random: Zeroizing<[u8; RECOVERY_CODE_BYTES]> =
                    Zeroizing::new(self.core.entropy.bytes());
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

    pub(super) fn seal(&self, operator_id: Uuid, secret: &[u8]) -> AppResult<Sealed> {
        let peppers = self.core.peppers()?;
        let nonce = self.core.entropy.bytes();
        seal::seal(peppers.current(), nonce, &owner(operator_id), secret)
    }

    fn open(&self, row: &FactorRow) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = Sealed {
            bytes: row.sealed_secret.clone(),
            fingerprint: row.pepper_fingerprint.as_slice().try_into().ok()?,
        };
        seal::open(
            self.core.peppers.as_deref()?,
            &sealed,
            &owner(row.operator_id),
        )
    }
}

/// Associated data of a sealed secret, which no webhook's secret has.
fn owner(operator_id: Uuid) -> Vec<u8> {
    [b"factor ", &operator_id.as_bytes()[..]].concat()
}
