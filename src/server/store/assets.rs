//! Table `proof_assets`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::asset::{Asset, AssetQuery};
use crate::domain::error::AppResult;
use crate::domain::page::Direction;
use crate::domain::token::KeyId;

macro_rules! select_assets {
    ($($tail:tt)*) => {
        concat!(
            "select a.asset_id, a.partner_id, a.content_hash, a.title, a.external_ref, a.metadata,
                    a.status, a.minted_by, a.created_at, a.updated_at
               from proof_assets a ",
            $($tail)*
        )
    };
}

#[derive(FromRow)]
struct AssetRow {
    asset_id: Uuid,
    partner_id: Uuid,
    content_hash: String,
    title: String,
    external_ref: Option<String>,
    metadata: Option<Value>,
    status: String,
    minted_by: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<AssetRow> for Asset {
    type Error = sqlx::Error;

    fn try_from(row: AssetRow) -> sqlx::Result<Self> {
        let undecodable =
            |column: &str| sqlx::Error::Decode(format!("proof_assets.{column} is unknown").into());
        Ok(Self {
            asset_id: row.asset_id,
            partner_id: row.partner_id,
            content_hash: row.content_hash,
            title: row.title,
            external_ref: row.external_ref,
            metadata: row.metadata,
            status: row.status.parse().map_err(|_| undecodable("status"))?,
            minted_by: KeyId::parse(&row.minted_by).ok_or_else(|| undecodable("minted_by"))?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

macro_rules! select_page {
    ($compare:literal, $order:literal) => {
        select_assets!(
            "where ($1::uuid is null or a.partner_id = $1)
               and ($2::text is null or a.status = $2)
               and ($3::text is null or a.content_hash = $3)
               and ($4::timestamptz is null or (a.created_at, a.asset_id) ",
            $compare,
            " ($4, $5::uuid)) order by a.created_at ",
            $order,
            ", a.asset_id ",
            $order,
            " limit $6"
        )
    };
}

/// Returns one row more than the page size, in the request's direction; only `owner`'s assets if given.
pub async fn list(
    connection: &mut PgConnection,
    owner: Option<Uuid>,
    query: &AssetQuery,
) -> AppResult<Vec<Asset>> {
    let from_id = query.page.from_uuid()?;
    let sql = match query.page.direction() {
        Direction::Forward => select_page!("<", "desc"),
        Direction::Backward => select_page!(">", "asc"),
    };
    let rows: Vec<AssetRow> = sqlx::query_as(sql)
        .bind(owner)
        .bind(query.status.map(<&str>::from))
        .bind(&query.content_hash)
        .bind(query.page.from_at())
        .bind(from_id)
        .bind(query.page.limit + 1)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(Asset::try_from)
        .collect::<sqlx::Result<_>>()?)
}

/// Finds an asset, only of `owner` if given.
pub async fn find(
    connection: &mut PgConnection,
    asset_id: Uuid,
    owner: Option<Uuid>,
) -> sqlx::Result<Option<Asset>> {
    let row: Option<AssetRow> = sqlx::query_as(select_assets!(
        "where a.asset_id = $1 and ($2::uuid is null or a.partner_id = $2)"
    ))
    .bind(asset_id)
    .bind(owner)
    .fetch_optional(connection)
    .await?;
    row.map(Asset::try_from).transpose()
}

/// Same as [`find`], with a lock until the transaction ends. The owner is compared after waiting for the
/// lock, so a concurrent transfer is seen.
pub async fn lock_for_update(
    connection: &mut PgConnection,
    asset_id: Uuid,
    owner: Option<Uuid>,
) -> sqlx::Result<Option<Asset>> {
    // `no key update` does not block inserts of events, whose foreign key refers to the row.
    let row: Option<AssetRow> = sqlx::query_as(select_assets!(
        "where a.asset_id = $1 and ($2::uuid is null or a.partner_id = $2) for no key update"
    ))
    .bind(asset_id)
    .bind(owner)
    .fetch_optional(connection)
    .await?;
    row.map(Asset::try_from).transpose()
}

/// Inserts an asset minted by its owner; returns false if that partner has minted the hash before.
pub async fn insert(connection: &mut PgConnection, asset: &Asset) -> sqlx::Result<bool> {
    // Bound as text, since sqlx sends JSON values as jsonb, which rewrites numbers.
    let metadata = asset.metadata.as_ref().map(Value::to_string);
    let result = sqlx::query(
        "insert into proof_assets (asset_id, partner_id, content_hash, title, external_ref, metadata,
                                   status, minted_by, minted_by_partner, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6::text::json, $7, $8, $2, $9, $10)
         on conflict on constraint proof_assets_minted_once do nothing",
    )
    .bind(asset.asset_id)
    .bind(asset.partner_id)
    .bind(&asset.content_hash)
    .bind(&asset.title)
    .bind(&asset.external_ref)
    .bind(metadata)
    .bind(asset.status.into_str())
    .bind(asset.minted_by.as_str())
    .bind(asset.created_at)
    .bind(asset.updated_at)
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Id of the asset that this partner minted for a hash, independent of its current owner.
pub async fn find_minted(
    connection: &mut PgConnection,
    minted_by_partner: Uuid,
    content_hash: &str,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(
        "select asset_id from proof_assets where minted_by_partner = $1 and content_hash = $2",
    )
    .bind(minted_by_partner)
    .bind(content_hash)
    .fetch_optional(connection)
    .await
}

/// Updates an asset's owner and status.
pub async fn update(connection: &mut PgConnection, asset: &Asset) -> sqlx::Result<()> {
    sqlx::query(
        "update proof_assets set partner_id = $2, status = $3, updated_at = $4 where asset_id = $1",
    )
    .bind(asset.asset_id)
    .bind(asset.partner_id)
    .bind(asset.status.into_str())
    .bind(asset.updated_at)
    .execute(connection)
    .await
    .map(|_| ())
}
