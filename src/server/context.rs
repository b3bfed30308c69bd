//! What a server function's body asks of its surroundings: the state, the operator, the answer's
//! cookies and status. Guards stand here, inside the body, because the server's own rendering
//! calls server functions directly, past every layer.

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use futures::stream::{Stream, StreamExt};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde::Serialize;
use zeroize::Zeroizing;

use super::http::extract::cookies;
use super::http::extract::request::RequestInfo;
use super::http::middleware::session::Session;
use super::service::sessions::SignedIn;
use super::service::{Origin, Whence};
use super::state::AppState;
use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::{AppError, AppResult};
use crate::domain::operator::{Operator, Role};
use crate::domain::scope::Scope;

/// The router's state.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn state() -> AppResult<AppState> {
    use_context().ok_or(AppError::Internal)
}

/// Who is signed in, if anybody is.
#[must_use]
pub fn signed_in() -> Option<Operator> {
    session().map(|session| session.operator)
}

fn session() -> Option<SignedIn> {
    use_context::<Parts>()?
        .extensions
        .get::<Session>()?
        .signed_in
        .clone()
}

/// Who is signed in.
///
/// # Errors
/// [`AppError::SignedOut`].
pub fn operator() -> AppResult<Operator> {
    signed_in().ok_or(AppError::SignedOut)
}

/// The operator who may change things, as the audit event will name them.
///
/// # Errors
/// [`AppError::SignedOut`], or [`AppError::ReadOnlyRole`] for an auditor.
pub fn admin() -> AppResult<Origin> {
    let operator = operator()?;
    let origin = origin(&operator)?;
    if operator.role != Role::Admin {
        let path = use_context::<Parts>().map(|parts| parts.uri.path().to_owned());
        let state = state()?;
        state
            .registry
            .refused_by_role(&origin, path.unwrap_or_default());
        return Err(AppError::ReadOnlyRole);
    }
    Ok(origin)
}

/// The same, of one who has shown their second factor a short while ago: what takes more than a session
/// that was left open (OWASP ASVS 5.0, V7.5).
///
/// # Errors
/// As [`admin`], or [`AppError::FactorNeeded`].
pub fn proven_admin() -> AppResult<Origin> {
    let origin = admin()?;
    proven()?;
    Ok(origin)
}

/// The operator, who has shown their second factor a short while ago.
///
/// # Errors
/// [`AppError::SignedOut`], or [`AppError::FactorNeeded`].
pub fn proven_operator() -> AppResult<Operator> {
    let operator = operator()?;
    proven()?;
    Ok(operator)
}

fn proven() -> AppResult<()> {
    let session = session().ok_or(AppError::SignedOut)?;
    if session.is_fresh(state()?.registry.now()) {
        return Ok(());
    }
    Err(AppError::FactorNeeded {
        enrolled: session.has_factor,
    })
}

/// The operator who may change things, and may do so to this key: a key that opens everything takes a
/// fresh factor.
///
/// # Errors
/// As [`proven_admin`], or the database's.
pub async fn admin_over(state: &AppState, key_id: &str) -> AppResult<Origin> {
    let origin = admin()?;
    match state.registry.key(key_id).await {
        Ok(key) if key.scopes.contains(&Scope::Admin) => proven_admin(),
        // What is not there is told by whatever looks for it.
        Ok(_) | Err(AppError::NotFound { .. }) => Ok(origin),
        Err(error) => Err(error),
    }
}

/// The operator, as an audit event will name them.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn origin(operator: &Operator) -> AppResult<Origin> {
    let info = info().ok_or(AppError::Internal)?;
    Ok(info.origin(Actor::new(ActorKind::Operator, operator.email.clone())))
}

/// From where the request comes.
#[must_use]
pub fn whence() -> Whence {
    info().map(|info| info.whence()).unwrap_or_default()
}

fn info() -> Option<RequestInfo> {
    use_context::<Parts>()?
        .extensions
        .get::<RequestInfo>()
        .cloned()
}

/// The cookie of the request's session.
///
/// # Errors
/// [`AppError::SignedOut`].
pub fn cookie(state: &AppState) -> AppResult<Zeroizing<String>> {
    presented_cookie(state).ok_or(AppError::SignedOut)
}

/// The cookie that came with the request, whatever it is worth.
#[must_use]
pub fn presented_cookie(state: &AppState) -> Option<Zeroizing<String>> {
    let parts = use_context::<Parts>()?;
    let cookie = cookies::session(&state.site, &parts.headers)?;
    Some(Zeroizing::new(cookie.to_owned()))
}

/// Sets status 404 on the page being rendered if the thing it shows does not exist.
pub fn mark_page_not_found(error: AppError) -> AppError {
    if let (AppError::NotFound { .. }, Some(response)) = (&error, use_context::<ResponseOptions>())
    {
        response.set_status(StatusCode::NOT_FOUND);
    }
    error
}

/// Sets the session's cookie.
pub fn set_cookie(state: &AppState, cookie: &str) {
    let cookie = cookies::open(&state.site, cookie);
    if let (Some(cookie), Some(response)) = (cookie, use_context::<ResponseOptions>()) {
        response.append_header(SET_COOKIE, cookie);
    }
}

/// Ends the request's session and takes its cookie away.
///
/// # Errors
/// The database's.
pub async fn close_session(state: &AppState) -> AppResult<()> {
    let response = use_context::<ResponseOptions>();
    if let Some(cookie) = presented_cookie(state) {
        state.registry.sign_out(&cookie, whence()).await?;
    }
    if let (Some(cookie), Some(response)) = (cookies::close(&state.site), response) {
        response.append_header(SET_COOKIE, cookie);
    }
    Ok(())
}

/// What happens, as lines of JSON.
pub fn json_lines<T: Serialize>(
    events: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = AppResult<String>> + Send + 'static {
    events.map(|event| match serde_json::to_string(&event) {
        Ok(json) => Ok(json + "\n"),
        Err(error) => {
            tracing::error!(%error, "an event could not be written as JSON");
            Err(AppError::Internal)
        }
    })
}

/// Sends the browser on to a path of this site.
pub fn go_to(path: &str) {
    leptos_axum::redirect(path);
}
