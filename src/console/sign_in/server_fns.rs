//! Signing in and out, and who is signed in.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::Operator;
use crate::domain::session::SessionView;

/// One's own sessions, with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionsPage {
    /// When they were listed.
    pub now: DateTime<Utc>,
    /// Those that have not ended, the last used first.
    pub sessions: Vec<SessionView>,
}

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedIn {
    /// To its end.
    Done,
    /// To the second factor.
    AwaitsFactor,
}

/// Signs in and goes on to `next`, a path of this site, or to where the second factor is asked for.
///
/// # Errors
/// [`AppError::WrongCredentials`], [`AppError::RateLimited`] after several failures, or why nobody
/// can sign in right now.
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

/// Ends a sign-in that waits for the second factor, and goes on to `next`. A plain form's post: it works
/// without WASM.
///
/// # Errors
/// [`AppError::SignedOut`] where none waits, [`AppError::WrongCode`], [`AppError::RateLimited`] after several
/// failures, or why nobody can sign in right now.
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

/// Ends the session, on the server too, and goes to the sign-in page.
///
/// # Errors
/// Why the session could not be ended right now.
#[server(prefix = "/rpc", endpoint = "session/sign-out", output = Json)]
pub async fn sign_out() -> Result<(), AppError> {
    use crate::server::context;

    let state = context::state()?;
    context::close_session(&state).await?;
    context::go_to(crate::domain::routes::LOGIN);
    Ok(())
}

/// Changes the signed-in operator's own password, ends their other sessions and gives this one another cookie.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::Invalid`] naming `current` or `new`,
/// [`AppError::RateLimited`] after several wrong passwords, or why it can't be done right now.
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
    let changed = state.services.operators.change_own_password(
        &audit_context,
        &operator,
        &cookie,
        current,
        new,
    );
    let renewed = changed.await?;
    context::set_cookie(&state, &renewed);
    Ok(())
}

/// Who is signed in.
///
/// # Errors
/// [`AppError::SignedOut`] for nobody.
#[server(prefix = "/rpc", endpoint = "session/operator", input = Json, output = Json)]
pub async fn current_operator() -> Result<Operator, AppError> {
    crate::server::context::operator()
}

/// The signed-in operator's own sessions.
///
/// # Errors
/// [`AppError::SignedOut`], or why they can't be listed right now.
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

/// Ends one of the signed-in operator's own sessions; one that has ended already is as good as ended.
///
/// # Errors
/// [`AppError::SignedOut`], or why it can't be done right now.
#[server(prefix = "/rpc", endpoint = "session/end", input = Json, output = Json)]
pub async fn end_session(session_id: Uuid) -> Result<(), AppError> {
    use crate::server::context;

    let operator = context::operator()?;
    let state = context::state()?;
    let audit_context = context::audit_context(&operator)?;
    let ended = state
        .services
        .sessions
        .end(&audit_context, &operator, session_id);
    ended.await
}
