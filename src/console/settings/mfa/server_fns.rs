//! The signed-in operator's own second factor.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::mfa::{Enrolment, MfaStatus};
use crate::domain::secret::Secret;

/// One's own second factor, with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorPage {
    /// When it was looked at.
    pub now: DateTime<Utc>,
    /// What there is.
    pub factor: MfaStatus,
}

/// What the signed-in operator has.
///
/// # Errors
/// [`AppError::SignedOut`], or why it can't be read right now.
#[server(prefix = "/rpc", endpoint = "factor/get", input = Json, output = Json)]
pub async fn get_factor() -> Result<FactorPage, AppError> {
    use crate::server::context;

    let operator = context::operator()?;
    let registry = &context::state()?.registry;
    let factor = registry.factor_of(&operator).await;
    Ok(FactorPage {
        now: registry.now(),
        factor: factor.map_err(context::told)?,
    })
}

/// Begins to set one up. It counts once [`confirm_factor`] got a code of it.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::Invalid`] naming `password`, [`AppError::RateLimited`], or what the
/// service refuses.
#[server(prefix = "/rpc", endpoint = "factor/begin", input = Json, output = Json)]
pub async fn begin_factor(password: String) -> Result<Enrolment, AppError> {
    use crate::server::context;

    let password = zeroize::Zeroizing::new(password);
    let operator = context::operator()?;
    let origin = context::origin(&operator)?;
    let state = context::state()?;
    let begun = state.registry.begin_factor(&origin, &operator, password);
    begun.await.map_err(context::told)
}

/// Has it count, ends one's other sessions, gives this one another cookie, and gives the recovery codes.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::Invalid`] naming `code`, [`AppError::WrongCode`],
/// [`AppError::RateLimited`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "factor/confirm", input = Json, output = Json)]
pub async fn confirm_factor(code: String) -> Result<Vec<Secret>, AppError> {
    use crate::server::context;

    let code = zeroize::Zeroizing::new(code);
    let operator = context::operator()?;
    let origin = context::origin(&operator)?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let confirmed = state
        .registry
        .confirm_factor(&origin, &operator, &cookie, &code);
    let (codes, renewed) = confirmed.await.map_err(context::told)?;
    context::set_cookie(&state, &renewed);
    Ok(codes)
}

/// Shows it: what asks for a fresh factor asks no more for a while. The session gets another cookie.
///
/// # Errors
/// As [`confirm_factor`].
#[server(prefix = "/rpc", endpoint = "factor/prove", input = Json, output = Json)]
pub async fn prove_factor(code: String) -> Result<(), AppError> {
    use crate::server::context;

    let code = zeroize::Zeroizing::new(code);
    let operator = context::operator()?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let proven = state
        .registry
        .prove_factor(&operator, &cookie, &code, context::whence().ip);
    let renewed = proven.await.map_err(context::told)?;
    context::set_cookie(&state, &renewed);
    Ok(())
}

/// Gives new recovery codes; the old ones are worth nothing from then on.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "factor/renew-codes", input = Json, output = Json)]
pub async fn renew_recovery_codes() -> Result<Vec<Secret>, AppError> {
    use crate::server::context;

    let operator = context::proven_operator()?;
    let origin = context::origin(&operator)?;
    let state = context::state()?;
    let renewed = state.registry.renew_recovery_codes(&origin, &operator);
    renewed.await.map_err(context::told)
}

/// Takes it away, and ends one's other sessions.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "factor/remove", input = Json, output = Json)]
pub async fn remove_factor() -> Result<(), AppError> {
    use crate::server::context;

    let operator = context::proven_operator()?;
    let origin = context::origin(&operator)?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let removed = state
        .registry
        .remove_factor(&origin, &operator.email, Some(&cookie));
    removed.await.map_err(context::told)
}
