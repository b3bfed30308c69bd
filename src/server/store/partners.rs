//! Table `partners`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::error::AppResult;
use crate::domain::list::PartnerQuery;
use crate::domain::page::Direction;
use crate::domain::partner::{CreatePartner, Partner, PartnerChoice};
use crate::server::store::contains_pattern;

macro_rules! select_partners {
    ($($tail:tt)*) => {
        concat!(
            "select p.partner_id, p.name, p.contact_email, p.active, p.max_key_age_days, p.created_at, p.updated_at,
                    (select count(*) from api_keys k
                      where k.partner_id = p.partner_id and k.revoked_at is null
                        and k.not_before <= $1 and (k.not_after is null or k.not_after > $1)
                        and (k.retires_at is null or k.retires_at > $1)) as active_keys
               from partners p ",
            $($tail)*
        )
    };
}

#[derive(FromRow)]
struct PartnerRow {
    partner_id: Uuid,
    name: String,
    contact_email: Option<String>,
    active: bool,
    max_key_age_days: Option<i32>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    active_keys: i64,
}

impl From<PartnerRow> for Partner {
    fn from(row: PartnerRow) -> Self {
        Self {
            partner_id: row.partner_id,
            name: row.name,
            contact_email: row.contact_email,
            active: row.active,
            max_key_age_days: row.max_key_age_days,
            created_at: row.created_at,
            updated_at: row.updated_at,
            active_keys: row.active_keys,
        }
    }
}

macro_rules! select_page {
    ($compare:literal, $order:literal) => {
        select_partners!(
            "where ($2::text is null or p.name ilike $2)
               and ($3::boolean is null or p.active = $3)
               and ($4::timestamptz is null or (p.created_at, p.partner_id) ",
            $compare,
            " ($4, $5::uuid)) order by p.created_at ",
            $order,
            ", p.partner_id ",
            $order,
            " limit $6"
        )
    };
}

/// Returns one row more than the page size, in the request's direction.
pub async fn list(
    connection: &mut PgConnection,
    query: &PartnerQuery,
    now: DateTime<Utc>,
) -> AppResult<Vec<Partner>> {
    let from_id = query.page.from_uuid()?;
    let sql = match query.page.direction() {
        Direction::Forward => select_page!("<", "desc"),
        Direction::Backward => select_page!(">", "asc"),
    };
    let rows = sqlx::query_as::<_, PartnerRow>(sql)
        .bind(now)
        .bind(query.q.as_deref().map(contains_pattern))
        .bind(query.active)
        .bind(query.page.from_at())
        .bind(from_id)
        .bind(query.page.limit + 1)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(Partner::from).collect())
}

/// Up to `limit` suggested partners, sorted by name.
pub async fn choices(
    connection: &mut PgConnection,
    q: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<PartnerChoice>> {
    let rows: Vec<(Uuid, String, bool)> = sqlx::query_as(
        "select partner_id, name, active from partners
          where $1::text is null or lower(name) like lower($1)
          order by lower(name), partner_id
          limit $2",
    )
    .bind(q.map(contains_pattern))
    .bind(limit)
    .persistent(false)
    .fetch_all(connection)
    .await?;
    let choice = |(partner_id, name, active)| PartnerChoice {
        partner_id,
        name,
        active,
    };
    Ok(rows.into_iter().map(choice).collect())
}

pub async fn find(
    connection: &mut PgConnection,
    partner_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Partner>> {
    let row = sqlx::query_as::<_, PartnerRow>(select_partners!("where p.partner_id = $2"))
        .bind(now)
        .bind(partner_id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(Partner::from))
}

/// Names of these partners.
pub async fn names(
    connection: &mut PgConnection,
    partner_ids: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, String)>> {
    sqlx::query_as("select partner_id, name from partners where partner_id = any($1)")
        .bind(partner_ids)
        .fetch_all(connection)
        .await
}

/// Ids of up to two partners with exactly this name; two mean that the name is ambiguous.
pub async fn ids_by_name(connection: &mut PgConnection, name: &str) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("select partner_id from partners where name = $1 limit 2")
        .bind(name)
        .fetch_all(connection)
        .await
}

/// Takes an advisory lock on a name until the transaction ends, so that concurrent commands do not
/// create the same partner twice.
pub async fn lock_name(connection: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('partner-name:' || $1, 0))")
        .bind(name)
        .execute(connection)
        .await
        .map(|_| ())
}

pub async fn insert(
    connection: &mut PgConnection,
    partner_id: Uuid,
    partner: &CreatePartner,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into partners (partner_id, name, contact_email, max_key_age_days, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $5)",
    )
    .bind(partner_id)
    .bind(&partner.name)
    .bind(&partner.contact_email)
    .bind(partner.max_key_age_days)
    .bind(now)
    .execute(connection)
    .await
    .map(|_| ())
}

/// A partner's changeable fields.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct PartnerFields {
    pub name: String,
    pub contact_email: Option<String>,
    /// False if its keys are refused.
    pub active: bool,
    /// Age in days at which its keys are due for rotation.
    pub max_key_age_days: Option<i32>,
}

/// Locks a partner until the transaction ends, and returns its fields.
pub async fn lock_for_update(
    connection: &mut PgConnection,
    partner_id: Uuid,
) -> sqlx::Result<Option<PartnerFields>> {
    sqlx::query_as(
        "select name, contact_email, active, max_key_age_days from partners where partner_id = $1 for update",
    )
    .bind(partner_id)
    .fetch_optional(connection)
    .await
}

/// Returns whether the partner is active; `None` if it does not exist.
pub async fn is_active(
    connection: &mut PgConnection,
    partner_id: Uuid,
) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar("select active from partners where partner_id = $1")
        .bind(partner_id)
        .fetch_optional(connection)
        .await
}

/// Same as [`is_active`], with a shared lock until the transaction ends.
pub async fn lock_shared(
    connection: &mut PgConnection,
    partner_id: Uuid,
) -> sqlx::Result<Option<bool>> {
    sqlx::query_scalar("select active from partners where partner_id = $1 for share")
        .bind(partner_id)
        .fetch_optional(connection)
        .await
}

pub async fn update(
    connection: &mut PgConnection,
    partner_id: Uuid,
    fields: &PartnerFields,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update partners
            set name = $2, contact_email = $3, active = $4, max_key_age_days = $5, updated_at = $6
          where partner_id = $1",
    )
    .bind(partner_id)
    .bind(&fields.name)
    .bind(&fields.contact_email)
    .bind(fields.active)
    .bind(fields.max_key_age_days)
    .bind(now)
    .execute(connection)
    .await
    .map(|_| ())
}
