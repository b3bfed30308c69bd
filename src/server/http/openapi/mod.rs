//! The generated OpenAPI 3.1 document. Handlers describe what is specific to them; what routes have in common
//! is added here, from the code that implements it.

mod error_responses;
mod example;
mod page;

use std::collections::HashSet;

use axum::extract::State;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use strum::VariantArray;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, Server};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::json::MAX_BODY_BYTES;
use super::extract::request::REQUEST_ID;
use super::middleware::guard::{RATE, RATE_POLICY};
use crate::domain::error::{AppError, AuthReason};
use crate::domain::scope::Scope;
use crate::server::state::{AppState, Documents};

pub use error_responses::{
    CantAddWebhook, CantChange, CantChangeGrace, CantIssue, CantMint, CantPass, CantRestore,
    CantRotate, CantTransfer, CantUpdate, NoAsset, NoDelivery, NoKey, NoPartner, NoWebhook,
};

/// Name of the security scheme; operations list the required scopes beside it.
pub const API_KEY: &str = "ApiKey";
const BEARER: &str = "Authorization";

/// Tags in display order.
const TAGS: [(&str, &str); 9] = [
    (
        "Proof assets",
        "Record, read, update, transfer and verify proof assets.",
    ),
    (
        "Your key",
        "The calling key, its verification for other services, its partner's audit log.",
    ),
    ("Keys", "Issue, rotate and revoke partners' keys."),
    ("Bulk actions", "Rotate or revoke up to 500 keys at once."),
    ("Policy", "Maximum ages of keys."),
    ("Partners", "Organisations that call the API."),
    (
        "Notifications",
        "Notifications to partners about their keys, by webhook and e-mail.",
    ),
    ("Audit log", "Who did what, when and from which IP address."),
    ("Service", "Health checks and API documentation."),
];

const METHODS: [&str; 8] = [
    "get", "post", "put", "patch", "delete", "head", "options", "trace",
];

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(document))
        .routes(routes!(documentation))
}

/// Get the OpenAPI document
///
/// OpenAPI 3.1, as JSON.
#[utoipa::path(get, path = "/api/openapi.json", operation_id = "getOpenApi", tag = "Service",
    responses((status = 200, description = "The document", body = Object)))]
async fn document(State(state): State<AppState>) -> Response {
    let json = HeaderValue::from_static("application/json");
    (
        [(header::CONTENT_TYPE, json)],
        state.documents.openapi.clone(),
    )
        .into_response()
}

/// Get the API documentation
///
/// An HTML page without scripts or external resources.
#[utoipa::path(get, path = "/api/docs", operation_id = "getDocs", tag = "Service",
    responses((status = 200, description = "The page", body = String, content_type = "text/html; charset=utf-8")))]
async fn documentation(State(state): State<AppState>) -> Response {
    const POLICY: HeaderValue = HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    );
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = [
        (header::CONTENT_TYPE, html),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, state.documents.page.clone()).into_response()
}

/// Renders the document, and the page with the style sheet at `css`.
pub fn documents(document: &Value, css: &str) -> Documents {
    Documents {
        page: page::render(document, css).into(),
        openapi: document.to_string().into(),
    }
}

/// The document without paths.
pub fn base() -> OpenApi {
    let info = InfoBuilder::new()
        .title("MyProof Registry")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Proof-of-asset records. Partners call with API keys; `admin:*` keys manage keys and partners.\n\n\
             Send the key as `X-API-Key: <keyId>.<secret>` or as `Authorization: ApiKey <keyId>.<secret>`. \
             Bodies are JSON of at most 64 KiB, times RFC 3339; unknown or repeated fields and parameters are \
             refused, and `null` means absent (in a PATCH it clears). Lists are newest first; `nextCursor` \
             leads to the next page. Every error is `application/problem+json` (RFC 9457).",
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .tags(Some(TAGS.map(|(name, description)| {
            TagBuilder::new()
                .name(name)
                .description(Some(description))
                .build()
        })))
        .build()
}

/// Completes the document with what routes have in common.
pub fn complete(routes: OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    document["components"]["securitySchemes"] = security_schemes();
    document["components"]["headers"] = headers();
    let components = document["components"].clone();
    let mut known = HashSet::new();
    let mut shared = Map::new();
    for item in members(&mut document["paths"]) {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                let id = text(&operation["operationId"]);
                if !known.insert(id.to_owned()) {
                    // One handler serves several methods.
                    operation["operationId"] = json!(format!("{id}By{}", capitalised(method)));
                }
                complete_operation(operation, &components);
                name_errors(operation, &mut shared);
            }
        }
    }
    document["components"]["responses"] = Value::Object(shared);
    document
}

/// Moves an operation's error responses to the components, deduplicated.
fn name_errors(operation: &mut Value, shared: &mut Map<String, Value>) {
    let id = capitalised(text(&operation["operationId"]));
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.starts_with('2') {
            continue;
        }
        let title = text(&response["description"])
            .split(':')
            .next()
            .unwrap_or_default();
        let mut name = title.replace(' ', "");
        if let Some((equal, _)) = shared.iter().find(|(_, other)| *other == response) {
            name.clone_from(equal);
        } else if shared.contains_key(&name) {
            name = format!("{name}Of{id}");
        }
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        shared.insert(name, std::mem::replace(response, reference));
    }
}

fn complete_operation(operation: &mut Value, components: &Value) {
    let scopes: Option<Vec<Scope>> = operation["security"]
        .pointer(&format!("/0/{API_KEY}"))
        .and_then(|scopes| serde_json::from_value(scopes.clone()).ok());
    if operation["security"].is_null() {
        operation["security"] = json!([]);
    }
    let rated = scopes.is_some() && operation["x-rated"] != false;
    let has_body = operation.get("requestBody").is_some();
    let has_query = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|parameter| parameter["in"] != "path"));
    let mut common = vec![vec![AppError::Internal], vec![AppError::UNAVAILABLE]];
    if has_body {
        common.push(vec![AppError::field(
            "name",
            "must not be empty (100 characters at most)",
        )]);
    } else if has_query {
        common.push(vec![AppError::field(
            "limit",
            "must be a whole number from 1 to 200",
        )]);
    }
    if has_body {
        common.push(vec![AppError::PayloadTooLarge]);
        common.push(vec![AppError::UnsupportedMediaType]);
        let body = &mut operation["requestBody"];
        let content = &mut body["content"]["application/json"];
        content["example"] = example::of(&content["schema"], components);
        // An empty body means an object without members.
        let required = requires_members(&content["schema"], components);
        body["required"] = json!(required);
        body["description"] = json!(format!("At most {} KiB.", MAX_BODY_BYTES / 1024));
    }
    if let Some(scopes) = &scopes {
        common.push(
            AuthReason::VARIANTS
                .iter()
                .map(|reason| AppError::Unauthorized { reason: *reason })
                .collect(),
        );
        common.push(vec![AppError::RateLimited { retry_after: 7 }]);
        if !scopes.is_empty() {
            common.push(vec![AppError::Forbidden {
                required: scopes.clone(),
            }]);
        }
    }
    let responses = &mut operation["responses"];
    for errors in common {
        let status = errors[0].status().to_string();
        if responses.get(&status).is_none() {
            responses[&status] = json!(error_responses::error_response(&errors));
        }
    }
    for (status, response) in responses.as_object_mut().into_iter().flatten() {
        add_headers(status, response, rated);
        if let Some(content) = response.pointer_mut("/content/application~1json") {
            content["example"] = example::of(&content["schema"], components);
        }
    }
}

/// True if an object has required members.
fn requires_members(schema: &Value, components: &Value) -> bool {
    let name = text(&schema["$ref"]).trim_start_matches("#/components");
    let required = components
        .pointer(name)
        .and_then(|schema| schema["required"].as_array());
    required.is_some_and(|names| !names.is_empty())
}

/// Adds the headers of responses with this status.
fn add_headers(status: &str, response: &mut Value, rated: bool) {
    let mut add = |name: &str| {
        response["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
    };
    add(REQUEST_ID.as_str());
    if status == "401" {
        add("www-authenticate");
    }
    if matches!(status, "429" | "503") {
        add("retry-after");
    }
    // These are sent before the rate limit is evaluated.
    if rated && !matches!(status, "401" | "500" | "503") {
        add(RATE.as_str());
        add(RATE_POLICY.as_str());
    }
}

fn headers() -> Value {
    let header = |description: &str, kind: &str, example: &str| json!({ "description": description, "required": true, "schema": { "type": kind }, "example": example });
    let mut headers = Map::new();
    for (name, value) in [
        (
            REQUEST_ID.as_str(),
            header(
                "The request's id, which also appears in the server's log.",
                "string",
                "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e",
            ),
        ),
        (
            "www-authenticate",
            header(
                "How to send a key.",
                "string",
                "ApiKey realm=\"myproof-registry\"",
            ),
        ),
        (
            "retry-after",
            header("Seconds to wait before retrying.", "integer", "7"),
        ),
        (
            RATE.as_str(),
            header(
                "Remaining requests, and seconds until the full quota is available again.",
                "string",
                "\"default\";r=299;t=1",
            ),
        ),
        (
            RATE_POLICY.as_str(),
            header(
                "The key's quota, and the window in seconds.",
                "string",
                "\"default\";q=300;w=60",
            ),
        ),
    ] {
        headers.insert(name.to_owned(), value);
    }
    Value::Object(headers)
}

fn security_schemes() -> Value {
    json!({
        API_KEY: {
            "type": "apiKey", "in": "header", "name": "X-API-Key",
            "description": "`<keyId>.<secret>`. Each operation lists the scopes it requires.",
        },
        BEARER: {
            "type": "http", "scheme": "bearer",
            "description": "The same in `Authorization`, with the scheme `ApiKey` or `Bearer`.",
        },
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn members(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(Map::values_mut)
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_uppercase() + rest
}

/// Adds the security requirement of a key with all of `scopes` to a path's operations.
pub fn require_key(item: &mut PathItem, scopes: &[Scope]) {
    let PathItem {
        get,
        post,
        put,
        patch,
        delete,
        head,
        options,
        trace,
        ..
    } = item;
    let operations = [get, post, put, patch, delete, head, options, trace];
    for operation in operations.into_iter().flatten() {
        let requirement =
            |scheme| SecurityRequirement::new(scheme, scopes.iter().map(|scope| scope.into_str()));
        operation.security = Some(vec![requirement(API_KEY), requirement(BEARER)]);
    }
}
