//! `/api/proof-assets`: what partners record, read, change, hand on and check.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use uuid::Uuid;

use super::guard::{Key, guarded};
use super::json::StrictJson;
use super::path::PathId;
use super::problem::Problem;
use super::query::StrictQuery;
use super::request::RequestInfo;
use super::success;
use crate::domain::asset::{AssetListInput, Reach};
use crate::domain::asset_input::{AssetInput, ReverifyInput, StatusInput, TransferInput};
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::scope::Scope;
use crate::server::services::minting::Minter;
use crate::server::state::AppState;
use crate::server::verify::Caller;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Most characters of an idempotency key.
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// The routes.
pub fn routes(state: &AppState) -> Router<AppState> {
    let one = "/api/proof-assets/{asset_id}";
    Router::new()
        .route(
            "/api/proof-assets",
            guarded(state, &[Scope::AssetsRead], get(list)),
        )
        .route(
            "/api/proof-assets",
            guarded(state, &[Scope::AssetsMint], post(mint)),
        )
        .route(one, guarded(state, &[Scope::AssetsRead], get(show)))
        .route(
            &format!("{one}/status"),
            guarded(state, &[Scope::StatusUpdate], post(change_status)),
        )
        .route(
            &format!("{one}/transfer"),
            guarded(state, &[Scope::TransferExecute], post(transfer)),
        )
        .route(
            &format!("{one}/reverify"),
            guarded(state, &[Scope::Reverify], post(reverify)),
        )
}

async fn mint(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    headers: HeaderMap,
    StrictJson(input): StrictJson<AssetInput>,
) -> Result<Response, Problem> {
    let command = input.check()?;
    let minter = Minter {
        partner_id: caller.partner_id(),
        key_id: caller.key_id(),
        idempotency_key: idempotency_key(&headers)?,
    };
    let origin = info.origin_of_key(&caller);
    let asset = state.registry.mint_asset(&origin, &minter, command).await?;
    Ok((StatusCode::CREATED, success(json!({ "asset": asset }))).into_response())
}

async fn list(
    State(state): State<AppState>,
    Key(caller): Key,
    StrictQuery(input): StrictQuery<AssetListInput>,
) -> Result<Response, Problem> {
    let query = input.check()?;
    let page = state.registry.list_assets(reach(&caller), &query).await?;
    Ok(success(json!({ "assets": page.items, "nextCursor": page.next_cursor })).into_response())
}

async fn show(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    Key(caller): Key,
) -> Result<Response, Problem> {
    let asset_id = in_path(&asset_id)?;
    let asset = state.registry.asset(reach(&caller), asset_id).await?;
    Ok(success(json!({ "asset": asset })).into_response())
}

async fn change_status(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<StatusInput>,
) -> Result<Response, Problem> {
    let command = input.check()?;
    let origin = info.origin_of_key(&caller);
    let asset = state
        .registry
        .change_asset_status(&origin, reach(&caller), in_path(&asset_id)?, command)
        .await?;
    Ok(success(json!({ "asset": asset })).into_response())
}

async fn transfer(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<TransferInput>,
) -> Result<Response, Problem> {
    let to_partner_id = input.check()?;
    let origin = info.origin_of_key(&caller);
    let asset = state
        .registry
        .transfer_asset(&origin, reach(&caller), in_path(&asset_id)?, to_partner_id)
        .await?;
    Ok(success(json!({ "asset": asset })).into_response())
}

async fn reverify(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<ReverifyInput>,
) -> Result<Response, Problem> {
    let content_hash = input.check()?;
    let origin = info.origin_of_key(&caller);
    let (matches, asset) = state
        .registry
        .reverify_asset(&origin, reach(&caller), in_path(&asset_id)?, &content_hash)
        .await?;
    Ok(success(json!({ "match": matches, "asset": asset })).into_response())
}

fn reach(caller: &Caller) -> Reach {
    if caller.is_admin() {
        Reach::All
    } else {
        Reach::Own(caller.partner_id())
    }
}

/// An asset's id in a path; a malformed one is nobody's.
fn in_path(asset_id: &str) -> AppResult<Uuid> {
    Uuid::try_parse(asset_id).map_err(|_| Missing::AssetNotFound.into())
}

/// The one idempotency key that is stated. An empty one is malformed: a client that means to send
/// one and doesn't must not be left without its protection.
fn idempotency_key(headers: &HeaderMap) -> AppResult<Option<&str>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let fault = |message: String| AppError::field("Idempotency-Key", message);
    if values.next().is_some() {
        return Err(fault("is given twice".to_owned()));
    }
    let is_key = |text: &&str| {
        (1..=MAX_IDEMPOTENCY_KEY).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic())
    };
    let key = value.to_str().ok().filter(is_key).ok_or_else(|| {
        fault(format!(
            "must have 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters"
        ))
    })?;
    Ok(Some(key))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn idempotency_keys() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
            }
            idempotency_key(&headers).map(|key| key.map(str::to_owned))
        };
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[b"a-1"]).unwrap().as_deref(), Some("a-1"));
        let longest = [b'x'; MAX_IDEMPOTENCY_KEY + 1];
        assert!(read(&[&longest[1..]]).unwrap().is_some());
        for bad in [&b""[..], b"a b", b"\xc3\xa4", &longest] {
            assert!(read(&[bad]).is_err(), "{bad:?}");
        }
        assert!(read(&[b"a", b"a"]).is_err());
    }
}
