//! The one router: REST, server functions, pages, the browser's files.

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
use leptos::prelude::{ArcStoredValue, provide_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes};
use tower_http::services::ServeDir;

use super::assets::PKG_DIR;
use super::embedded;
use super::http;
use super::http::extract::json;
use super::http::middleware::guard::Gate;
use super::http::middleware::http_service::Frame;
use super::http::middleware::origin;
use super::http::middleware::security_headers;
use super::http::middleware::session;
use super::http::problem::Problem;
use super::http::routes::audit_export;
use super::http::routes::live;
use super::state::{AppState, Site};
use crate::app::{App, AssetPaths, Shell};
use crate::console::rpc::FORM_POSTS;
use crate::domain::error::{AppError, Missing};
use crate::domain::routes;

/// The console's pages. Found once, before any is shown: Leptos finds them by rendering, meanwhile
/// lets no resource of the whole process load, and one that tried waits for ever
/// (leptos-rs/leptos#4773).
static PAGES: LazyLock<Vec<AxumRouteListing>> =
    LazyLock::new(|| leptos_axum::generate_route_list(App));

/// The whole service.
pub fn router(state: AppState) -> Frame {
    router_with(state, Router::new())
}

/// The whole service with routes of one's own beside it, in the same frame: what the benchmark
/// compares with.
pub fn router_with(state: AppState, more: Router<AppState>) -> Frame {
    let routes = Router::new()
        .merge(more)
        .merge(Router::from(http::routes(Gate::of(&state))))
        .merge(console(&state))
        .nest_service(&format!("/{PKG_DIR}"), files(&state, PKG_DIR))
        .nest_service("/fonts", files(&state, "fonts"))
        .fallback(not_found)
        .with_state(state.clone());
    Frame::new(state, routes)
}

/// The console: cookies, never keys.
fn console(state: &AppState) -> Router<AppState> {
    let context = page_context(state);
    let app = app(state);
    let pages = Router::new()
        // Whole pages, not streams whose later parts a script would have to put into place; and the
        // pages alone, since server functions have layers of their own.
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

/// Calls a server function. Leptos would answer an unknown one with a page of advice for its authors,
/// take bodies of any size, and turn the refusal of a JSON call into a redirect where the client
/// happens to take HTML too.
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

/// A refusal of a server function in the form of every other error.
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

/// What the components and the server functions find in their context.
fn page_context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let (state, chunks) = (state.clone(), chunks(&state.site.assets));
    move || {
        provide_context(state.clone());
        provide_context(chunks.clone());
        security_headers::allow_this_page();
    }
}

/// What a page's head has the browser load early.
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

/// The browser's files, compressed when they were built. Their names carry a hash, and a font never
/// changes, so browsers may keep them for ever, but for those with a validator (see [`super::assets`]).
fn files(state: &AppState, folder: &'static str) -> Router {
    let files = match embedded::SITE {
        Some(site) => Router::new().fallback_service(site.service(folder)),
        None => Router::new().fallback_service(
            ServeDir::new(std::path::Path::new(&*state.leptos.site_root).join(folder))
                .precompressed_br()
                .precompressed_gzip(),
        ),
    };
    files.layer(from_fn_with_state(
        Arc::clone(&state.site),
        keep_or_ask_again,
    ))
}

/// Tells how long a file may be kept, and answers whoever has it still.
async fn keep_or_ask_again(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let validator = site.assets.validators.get(name);
    let validator = validator.and_then(|tag| HeaderValue::from_str(tag).ok());
    let presented = request.headers().get(header::IF_NONE_MATCH).cloned();
    let mut response = match &validator {
        Some(tag) if presented.as_ref() == Some(tag) => StatusCode::NOT_MODIFIED.into_response(),
        _ => next.run(request).await,
    };
    let is_there = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    let keep = match validator {
        _ if !is_there => "no-store",
        None => "public, max-age=31536000, immutable",
        Some(tag) => {
            headers.insert(header::ETAG, tag);
            // A former build may be younger than what replaces it.
            headers.remove(header::LAST_MODIFIED);
            "no-cache"
        }
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    name_charset(headers);
    response
}

/// Says of text which characters it is in, as nobody need guess (OWASP ASVS 5.0, 4.1.1).
fn name_charset(headers: &mut HeaderMap) {
    let kind = headers.get(header::CONTENT_TYPE);
    let text = kind
        .and_then(|kind| kind.to_str().ok())
        .filter(|kind| kind.starts_with("text/") && !kind.contains("charset"));
    let named = text.and_then(|kind| HeaderValue::try_from(format!("{kind}; charset=utf-8")).ok());
    if let Some(named) = named {
        headers.insert(header::CONTENT_TYPE, named);
    }
}

/// What no route has: other files of the site, else a page that says so, or REST's way of it.
async fn not_found(State(state): State<AppState>, mut request: Request) -> Response {
    let path = request.uri().path();
    if ["/api", "/rpc"].iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) {
        return Problem(Missing::RouteNotFound.into()).into_response();
    }
    // The components would show a page there, without having asked who is signed in.
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
    name_charset(response.headers_mut());
    response
}

/// A file of the site's folder, or the page that says there is none.
async fn file_or_missing_page(state: &AppState, request: Request) -> Response {
    let shell = app(state);
    let handler =
        leptos_axum::file_and_error_handler_with_context(page_context(state), move |_options| {
            shell()
        });
    let uri = request.uri().clone();
    handler(uri, State(state.clone()), request).await
}
