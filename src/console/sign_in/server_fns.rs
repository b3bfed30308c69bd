//! Server functions of sign-in, sessions and the own password.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::Operator;
use crate::domain::session::SessionView;

/// The operator's sessions, with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionsPage {
    pub now: DateTime<Utc>,
    /// Live sessions, most recently used first.
    pub sessions: Vec<SessionView>,
}

/// Result of a correct password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedIn {
    Done,
    AwaitsFactor,
}

/// Signs in, and redirects to `next`, a path of this site, or to the form for the second factor.
#[server(prefix = "/rpc", endpoint = "session/sign-in", output = Json)]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] next: String,
) -> Result<SignedIn, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let password = zeroize::Zeroizing::new(password);
    let presented = context::presented_cookie(&state);
    let presented = presented.as_deref().map(String::as_str);
    let session = state
        .services
        .sessions
        .sign_in(&email, password, context::client_info(), presented)
        .await?;
    context::set_cookie(&state, &session.cookie);
    if session.awaits_factor {
        context::go_to(&crate::domain::routes::login_code(&next));
        return Ok(SignedIn::AwaitsFactor);
    }
    context::go_to(crate::domain::routes::local_path(&next));
    Ok(SignedIn::Done)
}

/// Completes a sign-in with the second factor, and redirects to `next`. Works as a plain form post, without
/// WASM.
#[server(prefix = "/rpc", endpoint = "session/verify-code", output = Json)]
pub async fn verify_code(code: String, #[server(default)] next: String) -> Result<(), AppError> {
    use crate::server::context;

    let code = zeroize::Zeroizing::new(code);
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let finished = state
        .services
        .mfa
        .finish_sign_in(&code, context::client_info(), &cookie);
    let session = finished.await.map_err(|error| match error {
        AppError::Invalid { .. } => AppError::WrongCode,
        other => other,
    })?;
    context::set_cookie(&state, &session.cookie);
    context::go_to(crate::domain::routes::local_path(&next));
    Ok(())
}

/// Ends the session, and redirects to the sign-in page.
#[server(prefix = "/rpc", endpoint = "session/sign-out", output = Json)]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::server::context;

    let state = context::state()?;
    context::close_session(&state).await?;
    context::go_to(crate::domain::routes::LOGIN);
    Ok(())
}

/// Changes the operator's own password, ends their other sessions, and renews this session's cookie.
#[server(prefix = "/rpc", endpoint = "session/change-password", input = Json, output = Json)]
pub async fn change_password(current: String, new: String) -> Result<(), AppError> {
    use crate::server::context;

    let (current, new) = (
        zeroize::Zeroizing::new(current),
        zeroize::Zeroizing::new(new),
    );
    let operator = context::operator()?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let audit_context = context::audit_context(&operator)?;
    let renewed = state
        .services
        .operators
        .change_own_password(&audit_context, &operator, &cookie, current, new)
        .await?;
    context::set_cookie(&state, &renewed);
    Ok(())
}

/// Returns the signed-in operator.
#[server(prefix = "/rpc", endpoint = "session/operator", input = Json, output = Json)]
pub async fn current_operator() -> Result<Operator, AppError> {
    crate::server::context::operator()
}

/// Returns the operator's own sessions.
#[server(prefix = "/rpc", endpoint = "session/list", input = Json, output = Json)]
pub async fn list_sessions() -> Result<SessionsPage, AppError> {
    use crate::server::context;

    let operator = context::operator()?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let sessions = state.services.sessions.list(&operator, &cookie).await;
    Ok(SessionsPage {
        now: state.services.now(),
        sessions: sessions?,
    })
}

/// Ends one of the operator's own sessions. Idempotent.
#[server(prefix = "/rpc", endpoint = "session/end", input = Json, output = Json)]
pub async fn end_session(session_id: Uuid) -> Result<(), AppError> {
    use crate::server::context;

    let operator = context::operator()?;
    let state = context::state()?;
    let audit_context = context::audit_context(&operator)?;
    state
        .services
        .sessions
        .end(&audit_context, &operator, session_id)
        .await
}
