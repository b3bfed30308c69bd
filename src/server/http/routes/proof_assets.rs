//! `/api/proof-assets`: record, read, update, transfer and verify assets.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::asset::{AccessScope, AssetListInput};
use crate::domain::asset_input::{AssetInput, ReverifyInput, StatusInput, TransferInput};
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::scope::Scope;
use crate::server::auth::Caller;
use crate::server::http::answers::{AssetAnswer, AssetsAnswer, ReverifiedAnswer};
use crate::server::http::extract::json::StrictJson;
use crate::server::http::extract::path::PathId;
use crate::server::http::extract::query::StrictQuery;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::openapi::{CantChange, CantMint, CantTransfer, NoAsset};
use crate::server::http::problem::Problem;
use crate::server::service::minting::Minter;
use crate::server::state::AppState;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_IDEMPOTENCY_KEY: usize = 255;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(gate.guard(&[Scope::AssetsRead], routes!(list)))
        .routes(gate.guard(&[Scope::AssetsMint], routes!(mint)))
        .routes(gate.guard(&[Scope::AssetsRead], routes!(show)))
        .routes(gate.guard(&[Scope::StatusUpdate], routes!(change_status)))
        .routes(gate.guard(&[Scope::TransferExecute], routes!(transfer)))
        .routes(gate.guard(&[Scope::Reverify], routes!(reverify)))
}

/// Record a proof asset
///
/// A partner can record a content only once, even if the asset is transferred later.
#[utoipa::path(post, path = "/api/proof-assets", operation_id = "mintAsset", tag = "Proof assets",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$", nullable = false, description = "Within 24 hours, a repeated request with the same key and body gets the original response.")), request_body = AssetInput,
    responses((status = 201, description = "The asset", body = AssetAnswer), CantMint))]
async fn mint(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    headers: HeaderMap,
    StrictJson(input): StrictJson<AssetInput>,
) -> Result<(StatusCode, Json<AssetAnswer>), Problem> {
    let command = input.check()?;
    let minter = Minter {
        partner_id: caller.partner_id(),
        key_id: caller.key_id(),
        idempotency_key: idempotency_key(&headers)?,
    };
    let audit_context = info.audit_context_of_key(&caller);
    let asset = state
        .services
        .assets
        .mint(&audit_context, &minter, command)
        .await?;
    Ok((StatusCode::CREATED, Json(asset.into())))
}

/// List your proof assets
///
/// An admin key lists the assets of all partners.
#[utoipa::path(get, path = "/api/proof-assets", operation_id = "listAssets", tag = "Proof assets",
    params(AssetListInput),
    responses((status = 200, description = "A page of assets", body = AssetsAnswer)))]
async fn list(
    State(state): State<AppState>,
    Key(caller): Key,
    StrictQuery(input): StrictQuery<AssetListInput>,
) -> Result<Json<AssetsAnswer>, Problem> {
    let query = input.check()?;
    let page = state
        .services
        .assets
        .list(access_scope(&caller), &query)
        .await?;
    Ok(Json(page.into()))
}

/// Get a proof asset
#[utoipa::path(get, path = "/api/proof-assets/{assetId}", operation_id = "getAsset", tag = "Proof assets",
    params(("assetId" = Uuid, Path, description = "The asset's id.")),
    responses((status = 200, description = "The asset", body = AssetAnswer), NoAsset))]
async fn show(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    Key(caller): Key,
) -> Result<Json<AssetAnswer>, Problem> {
    let asset_id = in_path(&asset_id)?;
    let asset = state
        .services
        .assets
        .get(access_scope(&caller), asset_id)
        .await?;
    Ok(Json(asset.into()))
}

/// Change a proof asset's status
///
/// `retired` is final.
#[utoipa::path(post, path = "/api/proof-assets/{assetId}/status", operation_id = "changeAssetStatus", tag = "Proof assets",
    params(("assetId" = Uuid, Path, description = "The asset's id.")), request_body = StatusInput,
    responses((status = 200, description = "The updated asset", body = AssetAnswer), CantChange))]
async fn change_status(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<StatusInput>,
) -> Result<Json<AssetAnswer>, Problem> {
    let command = input.check()?;
    let audit_context = info.audit_context_of_key(&caller);
    let asset = state
        .services
        .assets
        .change_status(
            &audit_context,
            access_scope(&caller),
            in_path(&asset_id)?,
            command,
        )
        .await?;
    Ok(Json(asset.into()))
}

/// Transfer a proof asset to another partner
#[utoipa::path(post, path = "/api/proof-assets/{assetId}/transfer", operation_id = "transferAsset", tag = "Proof assets",
    params(("assetId" = Uuid, Path, description = "The asset's id.")), request_body = TransferInput,
    responses((status = 200, description = "The updated asset", body = AssetAnswer), CantTransfer))]
async fn transfer(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<TransferInput>,
) -> Result<Json<AssetAnswer>, Problem> {
    let to_partner_id = input.check()?;
    let audit_context = info.audit_context_of_key(&caller);
    let asset = state
        .services
        .assets
        .transfer(
            &audit_context,
            access_scope(&caller),
            in_path(&asset_id)?,
            to_partner_id,
        )
        .await?;
    Ok(Json(asset.into()))
}

/// Verify a content against its record
#[utoipa::path(post, path = "/api/proof-assets/{assetId}/reverify", operation_id = "reverifyAsset", tag = "Proof assets",
    params(("assetId" = Uuid, Path, description = "The asset's id.")), request_body = ReverifyInput,
    responses((status = 200, description = "The result of the comparison", body = ReverifiedAnswer), NoAsset))]
async fn reverify(
    State(state): State<AppState>,
    PathId(asset_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<ReverifyInput>,
) -> Result<Json<ReverifiedAnswer>, Problem> {
    let content_hash = input.check()?;
    let audit_context = info.audit_context_of_key(&caller);
    let reverified = state
        .services
        .assets
        .reverify(
            &audit_context,
            access_scope(&caller),
            in_path(&asset_id)?,
            &content_hash,
        )
        .await?;
    Ok(Json(reverified.into()))
}

fn access_scope(caller: &Caller) -> AccessScope {
    if caller.is_admin() {
        AccessScope::All
    } else {
        AccessScope::Own(caller.partner_id())
    }
}

/// Parses the asset's id in a path. A malformed id is reported as not found.
fn in_path(asset_id: &str) -> AppResult<Uuid> {
    Uuid::try_parse(asset_id).map_err(|_| Missing::AssetNotFound.into())
}

/// Returns the idempotency key, if given. An empty one is rejected: a client that intends to send a
/// key must not lose its protection unnoticed.
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
