//! Table `audit_events`, as visible to a partner.

use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::EventRow;
use crate::domain::audit::Event;
use crate::domain::error::AppResult;
use crate::domain::list::EventQuery;
use crate::domain::page::Direction;
use crate::domain::token::KeyId;

// Actors other than the partner's own keys are masked as `operator`, without address and note. Masking comes before the
// filters, so that filters reveal nothing that is masked.
macro_rules! select_page {
    ($compare:literal, $order:literal) => {
        concat!(
            "select event_id, at, actor_type, actor_id, action, key_id, partner_id, asset_id,
                    ip, request_id, details
               from (select e.event_id, e.at, e.action, e.key_id, e.partner_id, e.asset_id,
                            e.request_id,
                            case when own.key_id is null then e.details - 'note' else e.details end as details,
                            case when own.key_id is null then 'operator' else e.actor_type end as actor_type,
                            case when own.key_id is null then 'operator' else e.actor_id end as actor_id,
                            case when own.key_id is not null then host(e.ip) end as ip
                       from audit_events e
                       left join api_keys own
                         on e.actor_type = 'key' and own.key_id = e.actor_id
                        and own.partner_id = e.partner_id
                      where e.partner_id = $1) seen
              where ($2::uuid is null or partner_id = $2)
                and ($3::text is null or key_id = $3)
                and ($4::text is null or actor_id = $4)
                and ($5::text is null or action = $5)
                and ($6::timestamptz is null or at >= $6)
                and ($7::timestamptz is null or at < $7)
                and ($8::timestamptz is null or (at, event_id) ",
            $compare,
            " ($8, $9::uuid)) order by at ",
            $order,
            ", event_id ",
            $order,
            " limit $10"
        )
    };
}

/// Returns one event of the partner more than the page size, in the request's direction.
pub async fn list(
    connection: &mut PgConnection,
    partner_id: Uuid,
    query: &EventQuery,
) -> AppResult<Vec<Event>> {
    let from_id = query.page.from_uuid()?;
    let sql = match query.page.direction() {
        Direction::Forward => select_page!("<", "desc"),
        Direction::Backward => select_page!(">", "asc"),
    };
    let rows: Vec<EventRow> = sqlx::query_as(sql)
        .bind(partner_id)
        .bind(query.partner_id)
        .bind(query.key_id.as_ref().map(KeyId::as_str))
        .bind(&query.actor)
        .bind(query.action.map(<&str>::from))
        .bind(query.since)
        .bind(query.until)
        .bind(query.page.from_at())
        .bind(from_id)
        .bind(query.page.limit + 1)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(Event::try_from)
        .collect::<sqlx::Result<_>>()?)
}
