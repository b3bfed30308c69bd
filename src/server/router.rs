//! Router for REST, server functions, pages and client assets, with their layers.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use leptos::WasmSplitManifest;
use leptos::nonce::use_nonce;
use leptos::prelude::{ArcStoredValue, provide_context, use_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes, ResponseOptions};
use tower_http::services::ServeDir;

use super::assets::PKG_DIR;
use super::embedded;
use super::http;
use super::http::extract::json;
use super::http::middleware::drain;
use super::http::middleware::guard::Gate;
use super::http::middleware::http_service::HttpService;
use super::http::middleware::origin;
use super::http::middleware::session;
use super::http::problem::Problem;
use super::http::routes::audit_export;
use super::http::routes::live;
use super::state::{AppState, Site};
use crate::app::{App, AssetPaths, Shell};
use crate::console::rpc::FORM_POSTS;
use crate::domain::error::{AppError, Missing};
use crate::domain::routes;

/// Page routes, listed once before any page is rendered: while Leptos lists routes, resources of the
/// whole process never load (leptos-rs/leptos#4773).
static PAGES: LazyLock<Vec<AxumRouteListing>> =
    LazyLock::new(|| leptos_axum::generate_route_list(App));

/// Builds the HTTP service.
pub fn router(state: AppState) -> HttpService {
    router_with(state, Router::new())
}

/// Builds the HTTP service with additional routes, for tests and benchmarks.
pub fn router_with(state: AppState, extra: Router<AppState>) -> HttpService {
    let routes = Router::new()
        .merge(extra)
        .merge(Router::from(http::routes(Gate::of(&state))))
        .merge(console(&state))
        .nest_service(&format!("/{PKG_DIR}"), files(&state, PKG_DIR))
        .nest_service("/fonts", files(&state, "fonts"))
        .fallback(not_found)
        .layer(from_fn(drain::discard_unread_body))
        .with_state(state.clone());
    HttpService::new(state, routes)
}

/// Console routes, authenticated by cookie only.
fn console(state: &AppState) -> Router<AppState> {
    let context = page_context(state);
    let app = app(state);
    let pages = Router::new()
        // Complete pages instead of streams, which require JavaScript. Server functions are routed
        // below, with separate layers.
        .leptos_routes_with_handler(
            PAGES.clone(),
            leptos_axum::render_app_async_with_context(context.clone(), app),
        )
        .route("/", get(|| async { Redirect::to(routes::KEYS) }))
        .layer(from_fn(session::require_on_pages));
    let server_functions = Router::new()
        .route(
            "/rpc/{*function}",
            post(move |request: Request| call_server_function(context.clone(), request)),
        )
        .layer(from_fn(session::require_on_functions))
        .layer(from_fn(session::json_only));
    let others = Router::new()
        .route(routes::AUDIT_EXPORT, get(audit_export::download))
        .route(routes::LIVE, get(live::changes));
    pages
        .merge(others)
        .merge(server_functions)
        .layer(from_fn_with_state(state.clone(), session::find))
        .layer(from_fn_with_state(state.clone(), origin::same_site_writes))
}

/// Calls a server function. Leptos itself would reply to an unknown one with a developer hint, accept
/// bodies of any size, and turn the error of a JSON call into a redirect if the client also accepts
/// HTML.
async fn call_server_function(
    context: impl Fn() + Clone + Send + 'static,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    if !leptos::server_fn::axum::server_fn_paths().any(|(known, _)| known == path) {
        return Problem(Missing::RouteNotFound.into()).into_response();
    }
    let (mut parts, body) = request.into_parts();
    let body = match json::read(body).await {
        Ok(body) => body,
        Err(error) => return Problem(error).into_response(),
    };
    if !FORM_POSTS.contains(&path.as_str()) {
        parts
            .headers
            .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    }
    let request = Request::from_parts(parts, Body::from(body));
    let response = leptos_axum::handle_server_fns_with_context(context, request)
        .await
        .into_response();
    as_problem(response).await
}

/// Converts a server function's error into a problem response.
async fn as_problem(response: Response) -> Response {
    if response.status().as_u16() < 400 {
        return response;
    }
    let error = json::read(response.into_body())
        .await
        .ok()
        .and_then(|body| serde_json::from_slice::<AppError>(&body).ok());
    Problem(error.unwrap_or(AppError::Internal)).into_response()
}

/// Provides the context of components and server functions.
fn page_context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let (state, chunks) = (state.clone(), chunks(&state.site.assets));
    move || {
        provide_context(state.clone());
        provide_context(chunks.clone());
        set_page_policy();
    }
}

/// Sets the Content-Security-Policy of the page being rendered: assets of this server, and scripts
/// with the response's nonce (CSP Level 3).
fn set_page_policy() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// Manifest of the WASM chunks that pages preload.
fn chunks(assets: &AssetPaths) -> WasmSplitManifest {
    let folder = format!("/{PKG_DIR}");
    let loader = assets.loader.rsplit('/').next().unwrap_or_default();
    WasmSplitManifest(ArcStoredValue::new((
        folder,
        assets.chunks.clone(),
        loader.to_owned(),
    )))
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

/// Serves client assets, compressed at build time. Names contain a hash and fonts never change, so they
/// are immutable, except those with an ETag (see [`super::assets`]).
fn files(state: &AppState, folder: &'static str) -> Router {
    let files = match embedded::SITE {
        Some(site) => Router::new().fallback_service(site.service(folder)),
        None => Router::new().fallback_service(
            ServeDir::new(std::path::Path::new(&*state.leptos.site_root).join(folder))
                .precompressed_br()
                .precompressed_gzip(),
        ),
    };
    files.layer(from_fn_with_state(Arc::clone(&state.site), cache_files))
}

/// Sets Cache-Control and answers conditional requests (ETag, 304).
async fn cache_files(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let validator = site.assets.validators.get(name);
    let validator = validator.and_then(|tag| HeaderValue::from_str(tag).ok());
    let presented = request.headers().get(header::IF_NONE_MATCH).cloned();
    let mut response = match &validator {
        Some(tag) if presented.as_ref() == Some(tag) => StatusCode::NOT_MODIFIED.into_response(),
        _ => next.run(request).await,
    };
    let exists = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    let cache_control = match validator {
        _ if !exists => "no-store",
        None => "public, max-age=31536000, immutable",
        Some(tag) => {
            headers.insert(header::ETAG, tag);
            // Removed, since the file of an older build can have a later date.
            headers.remove(header::LAST_MODIFIED);
            "no-cache"
        }
    };
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(cache_control),
    );
    add_charset(headers);
    response
}

/// Adds the charset to text types (OWASP ASVS 5.0, 4.1.1).
fn add_charset(headers: &mut HeaderMap) {
    let kind = headers.get(header::CONTENT_TYPE);
    let text = kind
        .and_then(|kind| kind.to_str().ok())
        .filter(|kind| kind.starts_with("text/") && !kind.contains("charset"));
    let named = text.and_then(|kind| HeaderValue::try_from(format!("{kind}; charset=utf-8")).ok());
    if let Some(named) = named {
        headers.insert(header::CONTENT_TYPE, named);
    }
}

/// Handles paths without a route: other site files, a 404 page, or a 404 problem for REST.
async fn not_found(State(state): State<AppState>, mut request: Request) -> Response {
    let path = request.uri().path();
    if ["/api", "/rpc"].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) {
        return Problem(Missing::RouteNotFound.into()).into_response();
    }
    // Leptos would match the page here too, past the session layers.
    let page = path.trim_end_matches('/');
    if page != path && !page.is_empty() && routes::local_path(page) == page {
        let query = request.uri().query().map(|query| format!("?{query}"));
        let page = format!("{page}{}", query.unwrap_or_default());
        return Redirect::permanent(&page).into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (
            [(header::ALLOW, "GET,HEAD")],
            Problem(AppError::MethodNotAllowed),
        )
            .into_response();
    }
    if let Err(error) = session::identify(&state, &mut request).await {
        return Problem(error).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let file = embedded::SITE.and_then(|site| site.answer(path, request.headers()));
    let mut response = match file {
        Some(file) => file,
        None => file_or_missing_page(&state, request).await,
    };
    add_charset(response.headers_mut());
    response
}

/// Returns a file of the site's folder or the 404 page.
async fn file_or_missing_page(state: &AppState, request: Request) -> Response {
    let shell = app(state);
    let handler =
        leptos_axum::file_and_error_handler_with_context(page_context(state), move |_options| {
            shell()
        });
    let uri = request.uri().clone();
    handler(uri, State(state.clone()), request).await
}
