//! `/api/admin/api-keys`: what operators' programs do with keys.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::json;

use super::guard::{Key, guarded};
use super::json::StrictJson;
use super::path::PathId;
use super::problem::Problem;
use super::query::StrictQuery;
use super::request::RequestInfo;
use super::success;
use crate::domain::key_input::{IssueInput, RevokeInput, UpdateInput};
use crate::domain::list::KeyListInput;
use crate::domain::rotation::RotateInput;
use crate::domain::scope::Scope;
use crate::server::state::AppState;

type Answer = Result<axum::response::Response, Problem>;

/// The routes.
pub fn routes(state: &AppState) -> Router<AppState> {
    let admin = |methods| guarded(state, &[Scope::Admin], methods);
    Router::new()
        .route("/api/admin/api-keys", admin(get(list)))
        .route("/api/admin/api-keys/issue", admin(post(issue)))
        .route(
            "/api/admin/api-keys/{key_id}",
            admin(get(show).patch(update)),
        )
        .route("/api/admin/api-keys/{key_id}/rotate", admin(post(rotate)))
        .route("/api/admin/api-keys/{key_id}/revoke", admin(post(revoke)))
}

async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<KeyListInput>,
) -> Answer {
    let page = state.registry.list_keys(&input.check()?).await?;
    Ok(success(json!({ "keys": page.items, "nextCursor": page.next_cursor })).into_response())
}

async fn show(State(state): State<AppState>, PathId(key_id): PathId) -> Answer {
    let key = state.registry.key(&key_id).await?;
    Ok(success(json!({ "key": key })).into_response())
}

async fn issue(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<IssueInput>,
) -> Answer {
    let command = input.check(state.registry.now())?;
    let issued = state
        .registry
        .issue_key(&info.origin_of_key(&caller), command)
        .await?;
    Ok((StatusCode::CREATED, success(issued)).into_response())
}

async fn update(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<UpdateInput>,
) -> Answer {
    let command = input.check(state.registry.now())?;
    let key = state
        .registry
        .update_key(&info.origin_of_key(&caller), &key_id, command)
        .await?;
    Ok(success(json!({ "key": key })).into_response())
}

async fn rotate(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<RotateInput>,
) -> Answer {
    let command = input.check(state.registry.now())?;
    let rotated = state
        .registry
        .rotate_key(&info.origin_of_key(&caller), &key_id, command)
        .await?;
    Ok((StatusCode::CREATED, success(rotated)).into_response())
}

async fn revoke(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<RevokeInput>,
) -> Answer {
    let command = input.check()?;
    let revoked = state
        .registry
        .revoke_key(&info.origin_of_key(&caller), &key_id, command)
        .await?;
    Ok(success(revoked).into_response())
}
