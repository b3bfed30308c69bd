//! Server functions of the operator's own second factor.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::factor::{Enrolment, FactorView};
use crate::domain::secret::Secret;

/// The operator's own second factor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorPage {
    /// The server's time.
    pub now: DateTime<Utc>,
    pub factor: FactorView,
}

/// Reads the second factor of the signed-in operator.
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

/// Starts an enrolment, which [`confirm_factor`] completes.
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

/// Completes an enrolment: ends the operator's other sessions, rotates this session's cookie, and returns the
/// recovery codes.
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

/// Verifies a code, so that the session counts as recently authenticated. Rotates its cookie.
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

/// Replaces the recovery codes.
#[server(prefix = "/rpc", endpoint = "factor/renew-codes", input = Json, output = Json)]
pub async fn renew_recovery_codes() -> Result<Vec<Secret>, AppError> {
    use crate::server::context;

    let operator = context::proven_operator()?;
    let origin = context::origin(&operator)?;
    let state = context::state()?;
    let renewed = state.registry.renew_recovery_codes(&origin, &operator);
    renewed.await.map_err(context::told)
}

/// Removes the second factor, and ends the operator's other sessions.
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
