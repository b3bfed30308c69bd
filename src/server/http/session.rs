//! Who is signed in, found once a request, for pages and server functions.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::cookies;
use super::json::is_json;
use super::problem::Problem;
use crate::domain::error::{AppError, AppResult};
use crate::domain::operator::Operator;
use crate::rpc::{FORM_POSTS, OPEN};
use crate::server::state::AppState;
use crate::ui::links;

/// The operator whose session the request's cookie stands for.
#[derive(Clone, Debug)]
pub struct Session(pub Option<Operator>);

/// A layer of everything that reads cookies: leaves a [`Session`] in the request.
pub async fn find(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if let Err(error) = identify(&state, &mut request).await {
        return Problem(error).into_response();
    }
    let mut response = next.run(request).await;
    // Whatever depends on who is signed in belongs to them alone.
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Leaves a [`Session`] in the request.
///
/// # Errors
/// The database's.
pub async fn identify(state: &AppState, request: &mut Request) -> AppResult<()> {
    let operator = match cookies::session(&state.site, request.headers()) {
        None => None,
        Some(cookie) => state.registry.session(cookie).await?,
    };
    request.extensions_mut().insert(Session(operator));
    Ok(())
}

fn is_signed_in(request: &Request) -> bool {
    let session = request.extensions().get::<Session>();
    session.is_some_and(|session| session.0.is_some())
}

/// A layer of the pages: without a session, off to the sign-in page and back again after it; with
/// one, past the sign-in page.
pub async fn require_on_pages(request: Request, next: Next) -> Response {
    let uri = request.uri();
    match (is_signed_in(&request), uri.path() == links::LOGIN) {
        (true, false) | (false, true) => next.run(request).await,
        (true, true) => {
            let asked = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            let wanted = asked.into_iter().find(|(name, _)| name == "next");
            let wanted = wanted.map_or_else(String::new, |(_, next)| next.into_owned());
            Redirect::to(links::local_path(&wanted)).into_response()
        }
        (false, false) => {
            let wanted = uri.path_and_query().map_or("/", |path| path.as_str());
            Redirect::to(&links::login(wanted)).into_response()
        }
    }
}

/// A layer of the server functions: without a session most are refused before their body is looked
/// at. Each asks again, since the server's own rendering calls it past every layer.
pub async fn require_on_functions(request: Request, next: Next) -> Response {
    if is_signed_in(&request) || OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    Problem(AppError::SignedOut).into_response()
}

/// A layer of the server functions: a body is JSON, which no form of another site can send, but
/// for the few that work without WASM.
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
