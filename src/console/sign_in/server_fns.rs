//! Server functions of signing in and out, and of sessions.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::Operator;
use crate::domain::session::SessionView;

/// The operator's own sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionsPage {
    /// The server's time.
    pub now: DateTime<Utc>,
    /// Live sessions, recently used first.
    pub sessions: Vec<SessionView>,
}

/// The progress of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedIn {
    /// Complete.
    Done,
    /// The second factor is required.
    AwaitsFactor,
}

/// Signs in and redirects to `next`, a path of this site, or to the page of the second factor.
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
        .registry
        .sign_in(&email, password, context::whence(), presented)
        .await
        .map_err(context::told)?;
    context::set_cookie(&state, &session.cookie);
    if session.awaits_factor {
        context::go_to(&crate::domain::routes::login_code(&next));
        return Ok(SignedIn::AwaitsFactor);
    }
    context::go_to(crate::domain::routes::local_path(&next));
    Ok(SignedIn::Done)
}

/// Completes a sign-in with the second factor, and redirects to `next`. The post of a plain form, which works
/// without WASM.
#[server(prefix = "/rpc", endpoint = "session/verify-code", output = Json)]
pub async fn verify_code(code: String, #[server(default)] next: String) -> Result<(), AppError> {
    use crate::server::context;

    let code = zeroize::Zeroizing::new(code);
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let finished = state
        .registry
        .finish_sign_in(&code, context::whence(), &cookie);
    let session = finished.await.map_err(|error| match error {
        AppError::Invalid { .. } => context::told(AppError::WrongCode),
        other => context::told(other),
    })?;
    context::set_cookie(&state, &session.cookie);
    context::go_to(crate::domain::routes::local_path(&next));
    Ok(())
}

/// Ends the session and redirects to the sign-in page.
#[server(prefix = "/rpc", endpoint = "session/sign-out", output = Json)]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::server::context;

    let state = context::state()?;
    context::close_session(&state)
        .await
        .map_err(context::told)?;
    context::go_to(crate::domain::routes::LOGIN);
    Ok(())
}

/// Changes the operator's own password, ends their other sessions and rotates this session's cookie.
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
    let origin = context::origin(&operator)?;
    let changed = state
        .registry
        .change_own_password(&origin, &operator, &cookie, current, new);
    let renewed = changed.await.map_err(context::told)?;
    context::set_cookie(&state, &renewed);
    Ok(())
}

/// Reads the signed-in operator.
#[server(prefix = "/rpc", endpoint = "session/operator", input = Json, output = Json)]
pub async fn current_operator() -> Result<Operator, AppError> {
    crate::server::context::operator()
}

/// Lists the operator's own sessions.
#[server(prefix = "/rpc", endpoint = "session/list", input = Json, output = Json)]
pub async fn list_sessions() -> Result<SessionsPage, AppError> {
    use crate::server::context;

    let operator = context::operator()?;
    let state = context::state()?;
    let cookie = context::cookie(&state)?;
    let sessions = state.registry.sessions_of(&operator, &cookie).await;
    Ok(SessionsPage {
        now: state.registry.now(),
        sessions: sessions.map_err(context::told)?,
    })
}

/// Ends one of the operator's own sessions. Idempotent.
#[server(prefix = "/rpc", endpoint = "session/end", input = Json, output = Json)]
pub async fn end_session(session_id: Uuid) -> Result<(), AppError> {
    use crate::server::context;

    let operator = context::operator()?;
    let state = context::state()?;
    let origin = context::origin(&operator)?;
    let ended = state
        .registry
        .end_session_of(&origin, &operator, session_id);
    ended.await.map_err(context::told)
}
