//! Session lookup, once per request, for pages and server functions.

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::console::rpc::{FORM_POSTS, OPEN};
use crate::domain::error::{AppError, AppResult};
use crate::domain::routes;
use crate::server::http::extract::cookies;
use crate::server::http::extract::json::is_json;
use crate::server::http::problem::Problem;
use crate::server::service::sessions::SignedIn;
use crate::server::state::AppState;

/// The session of the request's cookie.
#[derive(Clone, Debug)]
pub struct Session {
    pub signed_in: Option<SignedIn>,
    /// True if the sign-in awaits the second factor. Only determined for the code page.
    awaits_factor: bool,
}

/// Layer for cookie-authenticated routes: inserts a [`Session`] into the request.
pub async fn find(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if let Err(error) = identify(&state, &mut request).await {
        return Problem(error).into_response();
    }
    let mut response = next.run(request).await;
    // Responses that depend on the session must not be cached.
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Inserts a [`Session`] into the request.
pub async fn identify(state: &AppState, request: &mut Request) -> AppResult<()> {
    let is_code_page = request.uri().path() == routes::LOGIN_CODE;
    let cookie = cookies::session(&state.site, request.headers());
    let signed_in = match cookie {
        None => None,
        Some(cookie) => state.services.sessions.find(cookie).await?,
    };
    let awaits_factor = match cookie.filter(|_| is_code_page) {
        None => false,
        Some(cookie) => state
            .services
            .sessions
            .find_awaiting_mfa(cookie)
            .await?
            .is_some(),
    };
    request.extensions_mut().insert(Session {
        signed_in,
        awaits_factor,
    });
    Ok(())
}

fn is_signed_in(request: &Request) -> bool {
    let session = request.extensions().get::<Session>();
    session.is_some_and(|session| session.signed_in.is_some())
}

fn awaits_factor(request: &Request) -> bool {
    let session = request.extensions().get::<Session>();
    session.is_some_and(|session| session.awaits_factor)
}

/// Layer for pages: redirects to the sign-in page (and back afterwards) without a session, and away
/// from it with one.
pub async fn require_on_pages(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let is_code = uri.path() == routes::LOGIN_CODE;
    let is_login = uri.path() == routes::LOGIN || is_code;
    match (is_signed_in(&request), is_login) {
        (true, false) => next.run(request).await,
        (false, true) if !is_code || awaits_factor(&request) => next.run(request).await,
        (true, true) => Redirect::to(routes::local_path(&redirect_target(uri))).into_response(),
        // The pending sign-in has ended; the query contains the reason, if any.
        (false, true) => {
            let query = uri.query().unwrap_or_default();
            Redirect::to(&format!("{}?{query}", routes::LOGIN)).into_response()
        }
        (false, false) => {
            let wanted = uri.path_and_query().map_or("/", |path| path.as_str());
            Redirect::to(&routes::login(wanted)).into_response()
        }
    }
}

/// Target of the redirect after sign-in.
fn redirect_target(uri: &Uri) -> String {
    let asked = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let wanted = asked.into_iter().find(|(name, _)| name == "next");
    wanted.map_or_else(String::new, |(_, next)| next.into_owned())
}

/// Layer for server functions: rejects most calls without a session before reading the body. Each
/// function checks again, since server-side rendering bypasses the layers.
pub async fn require_on_functions(request: Request, next: Next) -> Response {
    if is_signed_in(&request) || OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    Problem(AppError::SignedOut).into_response()
}

/// Layer for server functions: requires JSON, which a cross-site form cannot send, except for the
/// functions that work without WASM.
pub async fn json_only(request: Request, next: Next) -> Response {
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(is_json);
    if *request.method() == Method::POST && !is_json && !FORM_POSTS.contains(&request.uri().path())
    {
        return Problem(AppError::UnsupportedMediaType).into_response();
    }
    next.run(request).await
}
