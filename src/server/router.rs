//! The one router: REST, server functions, pages, the browser's files.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use leptos::prelude::provide_context;
use leptos_axum::LeptosRoutes;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use super::assets::PKG_DIR;
use super::http::problem::Problem;
use super::http::{
    admin_audit, admin_keys, admin_partners, drain, forward_auth, health, origin, own_key, request,
    session,
};
use super::security_headers;
use super::state::AppState;
use crate::app::{App, Shell};
use crate::domain::error::Missing;
use crate::ui::links;

/// The whole service.
pub fn router(state: AppState) -> Router {
    Router::new()
        .merge(rest(&state))
        .merge(console(&state))
        .nest_service(&format!("/{PKG_DIR}"), files(&state, PKG_DIR))
        .nest_service("/fonts", files(&state, "fonts"))
        .fallback(not_found)
        .layer(from_fn(drain::drain_unread))
        .layer(from_fn_with_state(state.clone(), request::frame))
        .layer(from_fn_with_state(state.clone(), security_headers::set))
        .with_state(state)
}

/// REST: keys, never cookies.
fn rest(state: &AppState) -> Router<AppState> {
    Router::new()
        .merge(admin_partners::routes(state))
        .merge(admin_keys::routes(state))
        .merge(admin_audit::routes(state))
        .merge(own_key::routes(state))
        .merge(forward_auth::routes())
        .merge(health::routes())
}

/// The console: cookies, never keys.
fn console(state: &AppState) -> Router<AppState> {
    let context = page_context(state);
    let app = app(state);
    let pages = Router::new()
        // Whole pages, not streams whose later parts a script would have to put into place; and the
        // pages alone, since server functions have layers of their own.
        .leptos_routes_with_handler(
            leptos_axum::generate_route_list(App),
            leptos_axum::render_app_async_with_context(context.clone(), app),
        )
        .route("/", get(|| async { Redirect::to(links::KEYS) }))
        .layer(from_fn(session::require_on_pages));
    let server_functions = Router::new()
        .route(
            "/rpc/{*function}",
            post(move |request: Request| call_server_function(context.clone(), request)),
        )
        .layer(from_fn(session::json_only));
    pages
        .merge(server_functions)
        .layer(from_fn_with_state(state.clone(), session::find))
        .layer(from_fn_with_state(state.clone(), origin::same_site_writes))
}

/// Leptos would answer an unknown function with a page of advice for its authors.
async fn call_server_function(
    context: impl Fn() + Clone + Send + 'static,
    request: Request,
) -> Response {
    let path = request.uri().path();
    if !leptos::server_fn::axum::server_fn_paths().any(|(known, _)| known == path) {
        return Problem(Missing::RouteNotFound.into()).into_response();
    }
    leptos_axum::handle_server_fns_with_context(context, request)
        .await
        .into_response()
}

/// What the components and the server functions find in their context.
fn page_context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let state = state.clone();
    move || {
        provide_context(state.clone());
        security_headers::allow_this_page();
    }
}

fn app(state: &AppState) -> impl Fn() -> leptos::prelude::AnyView + Clone + Send + Sync + 'static {
    let (options, site) = (state.leptos.clone(), Arc::clone(&state.site));
    move || {
        use leptos::prelude::IntoAny;
        Shell(crate::app::ShellProps {
            options: options.clone(),
            assets: site.assets.clone(),
        })
        .into_any()
    }
}

/// The browser's files, compressed when they were built; their names carry a hash, and a font never
/// changes, so browsers may keep them for ever.
fn files(state: &AppState, folder: &str) -> Router {
    let folder = std::path::Path::new(&*state.leptos.site_root).join(folder);
    let immutable =
        SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, |response: &Response| {
            let value = if response.status().is_success() {
                "public, max-age=31536000, immutable"
            } else {
                "no-store"
            };
            Some(HeaderValue::from_static(value))
        });
    Router::new()
        .fallback_service(
            ServeDir::new(folder)
                .precompressed_br()
                .precompressed_gzip(),
        )
        .layer(immutable)
}

/// What no route has: other files of the site, else a page that says so, or REST's way of it.
async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    if ["/api", "/rpc"].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) {
        return Problem(Missing::RouteNotFound.into()).into_response();
    }
    let shell = app(&state);
    let handler =
        leptos_axum::file_and_error_handler_with_context(page_context(&state), move |_options| {
            shell()
        });
    handler(request.uri().clone(), State(state.clone()), request).await
}
