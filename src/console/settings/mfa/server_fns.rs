//! The signed-in operator's own second factor.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::factor::{Enrolment, FactorView};
use crate::domain::secret::Secret;

/// One's own second factor, with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorPage {
    /// When it was looked at.
    pub now: DateTime<Utc>,
    /// What there is.
    pub factor: FactorView,
}

/// What the signed-in operator has.
///
/// # Errors
/// [`AppError::SignedOut`], or why it can't be read right now.
#[server(prefix = "/rpc", endpoint = "factor/get", input = Json, output = Json)]
pub async fn get_factor() -> Result<FactorPage, AppError> {
    use crate::server::context;

    let operator = context::operator()?;
    let services = &context::state()?.services;
    let factor = services.mfa.get(&operator).await;
    Ok(FactorPage {
        now: services.now(),
        factor: factor?,
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
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    let begun = state
        .services
        .mfa
        .begin_enrolment(&audit_context, &operator, password);
    begun.await
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
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let confirmed = state
        .services
        .mfa
        .confirm_enrolment(&audit_context, &operator, &cookie, &code);
    let (codes, renewed) = confirmed.await?;
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
        .services
        .mfa
        .verify(&operator, &cookie, &code, context::client_info().ip);
    let renewed = proven.await?;
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
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    let renewed = state
        .services
        .mfa
        .renew_recovery_codes(&audit_context, &operator);
    renewed.await
}

/// Takes it away, and ends one's other sessions.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "factor/remove", input = Json, output = Json)]
pub async fn remove_factor() -> Result<(), AppError> {
    use crate::server::context;

    let operator = context::proven_operator()?;
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let removed = state
        .services
        .mfa
        .remove(&audit_context, &operator.email, Some(&cookie));
    removed.await
}
