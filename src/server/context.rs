//! Context of server functions: the state, the operator, the response's cookies and status. Guards are
//! called inside the body, because server-side rendering calls server functions directly, without the
//! router's layers.

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
use super::service::{AuditContext, ClientInfo};
use super::state::AppState;
use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::{AppError, AppResult};
use crate::domain::operator::{Operator, Role};
use crate::domain::scope::Scope;

pub fn state() -> AppResult<AppState> {
    use_context().ok_or(AppError::Internal)
}

/// The signed-in operator, if any.
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

/// The signed-in operator, or [`AppError::SignedOut`].
pub fn operator() -> AppResult<Operator> {
    signed_in().ok_or(AppError::SignedOut)
}

/// The audit context of an admin. Fails with [`AppError::ReadOnlyRole`] for an auditor.
pub fn admin() -> AppResult<AuditContext> {
    let operator = operator()?;
    let audit_context = audit_context(&operator)?;
    if operator.role != Role::Admin {
        let path = use_context::<Parts>().map(|parts| parts.uri.path().to_owned());
        let state = state()?;
        state
            .services
            .audit
            .count_denied(&audit_context, path.unwrap_or_default());
        return Err(AppError::ReadOnlyRole);
    }
    Ok(audit_context)
}

/// Same as [`admin`], with a recently used second factor: for actions for which an unattended session must
/// not suffice (OWASP ASVS 5.0, V7.5).
pub fn proven_admin() -> AppResult<AuditContext> {
    let audit_context = admin()?;
    require_recent_mfa()?;
    Ok(audit_context)
}

/// Same as [`operator`], with a recently used second factor.
pub fn proven_operator() -> AppResult<Operator> {
    let operator = operator()?;
    require_recent_mfa()?;
    Ok(operator)
}

fn require_recent_mfa() -> AppResult<()> {
    let session = session().ok_or(AppError::SignedOut)?;
    if session.is_fresh(state()?.services.now()) {
        return Ok(());
    }
    Err(AppError::FactorNeeded {
        enrolled: session.has_factor,
    })
}

/// Same as [`admin`]; for a key with `admin:*`, same as [`proven_admin`].
pub async fn admin_over(state: &AppState, key_id: &str) -> AppResult<AuditContext> {
    let audit_context = admin()?;
    match state.services.keys.get(key_id).await {
        Ok(key) if key.scopes.contains(&Scope::Admin) => proven_admin(),
        // The service reports an unknown key.
        Ok(_) | Err(AppError::NotFound { .. }) => Ok(audit_context),
        Err(error) => Err(error),
    }
}

/// The audit context of this operator.
pub fn audit_context(operator: &Operator) -> AppResult<AuditContext> {
    let info = info().ok_or(AppError::Internal)?;
    Ok(info.audit_context(Actor::new(ActorKind::Operator, operator.email.clone())))
}

/// The client of the request.
pub fn client_info() -> ClientInfo {
    info().map(|info| info.client_info()).unwrap_or_default()
}

fn info() -> Option<RequestInfo> {
    use_context::<Parts>()?
        .extensions
        .get::<RequestInfo>()
        .cloned()
}

/// The session cookie of the request, or [`AppError::SignedOut`].
pub fn cookie(state: &AppState) -> AppResult<Zeroizing<String>> {
    presented_cookie(state).ok_or(AppError::SignedOut)
}

/// The session cookie of the request, which may not be valid.
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

/// Sets the session cookie.
pub fn set_cookie(state: &AppState, cookie: &str) {
    let cookie = cookies::open(&state.site, cookie);
    if let (Some(cookie), Some(response)) = (cookie, use_context::<ResponseOptions>()) {
        response.append_header(SET_COOKIE, cookie);
    }
}

/// Ends the session of the request and deletes its cookie.
pub async fn close_session(state: &AppState) -> AppResult<()> {
    let response = use_context::<ResponseOptions>();
    if let Some(cookie) = presented_cookie(state) {
        state
            .services
            .sessions
            .sign_out(&cookie, client_info())
            .await?;
    }
    if let (Some(cookie), Some(response)) = (cookies::close(&state.site), response) {
        response.append_header(SET_COOKIE, cookie);
    }
    Ok(())
}

/// Serialises events as lines of JSON.
pub fn json_lines<T: Serialize>(
    events: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = AppResult<String>> + Send + 'static {
    events.map(|event| match serde_json::to_string(&event) {
        Ok(json) => Ok(json + "\n"),
        Err(error) => {
            tracing::error!(%error, "failed to serialise an event");
            Err(AppError::Internal)
        }
    })
}

/// Redirects the browser to a path of this site.
pub fn go_to(path: &str) {
    leptos_axum::redirect(path);
}
