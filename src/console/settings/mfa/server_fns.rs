//! Server functions of the signed-in operator's second factor.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::mfa::{Enrolment, MfaStatus};
use crate::domain::secret::Secret;

/// The operator's second factor, with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorPage {
    pub now: DateTime<Utc>,
    pub factor: MfaStatus,
}

/// Returns the state of the second factor.
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

/// Starts the enrolment, which [`confirm_factor`] completes.
#[server(prefix = "/rpc", endpoint = "factor/begin", input = Json, output = Json)]
pub async fn begin_factor(password: String) -> Result<Enrolment, AppError> {
    use crate::server::context;

    let password = zeroize::Zeroizing::new(password);
    let operator = context::operator()?;
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    state
        .services
        .mfa
        .begin_enrolment(&audit_context, &operator, password)
        .await
}

/// Confirms the enrolment: ends the operator's other sessions, renews this session's cookie, and returns
/// the recovery codes.
#[server(prefix = "/rpc", endpoint = "factor/confirm", input = Json, output = Json)]
pub async fn confirm_factor(code: String) -> Result<Vec<Secret>, AppError> {
    use crate::server::context;

    let code = zeroize::Zeroizing::new(code);
    let operator = context::operator()?;
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let (codes, renewed) = state
        .services
        .mfa
        .confirm_enrolment(&audit_context, &operator, &cookie, &code)
        .await?;
    context::set_cookie(&state, &renewed);
    Ok(codes)
}

/// Checks a code, so that the operator counts as recently authenticated, and renews the session's cookie.
#[server(prefix = "/rpc", endpoint = "factor/prove", input = Json, output = Json)]
pub async fn prove_factor(code: String) -> Result<(), AppError> {
    use crate::server::context;

    let code = zeroize::Zeroizing::new(code);
    let operator = context::operator()?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let renewed = state
        .services
        .mfa
        .verify(&operator, &cookie, &code, context::client_info().ip)
        .await?;
    context::set_cookie(&state, &renewed);
    Ok(())
}

/// Replaces the recovery codes.
#[server(prefix = "/rpc", endpoint = "factor/renew-codes", input = Json, output = Json)]
pub async fn renew_recovery_codes() -> Result<Vec<Secret>, AppError> {
    use crate::server::context;

    let operator = context::proven_operator()?;
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    state
        .services
        .mfa
        .renew_recovery_codes(&audit_context, &operator)
        .await
}

/// Removes the second factor, and ends the operator's other sessions.
#[server(prefix = "/rpc", endpoint = "factor/remove", input = Json, output = Json)]
pub async fn remove_factor() -> Result<(), AppError> {
    use crate::server::context;

    let operator = context::proven_operator()?;
    let audit_context = context::audit_context(&operator)?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    state
        .services
        .mfa
        .remove(&audit_context, &operator.email, Some(&cookie))
        .await
}
