//! Table `notices`: the outbox of notifications.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::key_conditions as conditions;
use crate::domain::notification::NotificationKind;
use crate::domain::token::KeyId;

/// Inserts a notification, in the transaction of the change that it announces.
pub async fn insert(
    connection: &mut PgConnection,
    kind: NotificationKind,
    partner_id: Uuid,
    key_id: &KeyId,
    at: DateTime<Utc>,
    data: &Value,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into notices (kind, partner_id, key_id, at, data) values ($1, $2, $3, $4, $5)",
    )
    .bind(kind.into_str())
    .bind(partner_id)
    .bind(key_id.as_str())
    .bind(at)
    .bind(data)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Number of pending notifications and seconds since the oldest, then the same for deliveries.
pub async fn backlog(connection: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<[i64; 4]> {
    let (notices, notices_lag, deliveries, deliveries_lag) = sqlx::query_as(
        "select n.waiting, n.lag, d.waiting, d.lag
           from (select count(*) waiting, coalesce(extract(epoch from $1 - min(at)), 0)::bigint lag
                   from notices where not handed_out) n,
                (select count(*) waiting, coalesce(extract(epoch from $1 - min(next_attempt_at)), 0)::bigint lag
                   from deliveries where status = 'pending') d",
    )
    .bind(now)
    .fetch_one(connection)
    .await?;
    Ok([notices, notices_lag, deliveries, deliveries_lag])
}

/// Creates deliveries for up to `limit` pending notifications: to webhooks and, if e-mail is enabled, to
/// contacts. Returns the number of notifications. Safe to run concurrently.
pub async fn create_deliveries(
    connection: &mut PgConnection,
    by_mail: bool,
    now: DateTime<Utc>,
    retry_period: TimeDelta,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "with taken as (
            update notices set handed_out = true
             where notice_id in (select notice_id from notices where not handed_out
                                  order by at limit $4 for update skip locked)
            returning notice_id, kind, partner_id),
         by_web as (
            insert into deliveries (notice_id, partner_id, webhook_id, created_at, next_attempt_at, give_up_at)
            select t.notice_id, t.partner_id, w.webhook_id, $1, $1, $2
              from taken t join webhooks w on w.partner_id = t.partner_id and w.active and t.kind = any(w.kinds)),
         by_mail as (
            insert into deliveries (notice_id, partner_id, email, created_at, next_attempt_at, give_up_at)
            select t.notice_id, t.partner_id, p.contact_email, $1, $1, $2
              from taken t join partners p on p.partner_id = t.partner_id
             where $3 and p.contact_email is not null)
         select notice_id from taken",
    )
    .bind(now)
    .bind(now + retry_period)
    .bind(by_mail)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    Ok(done.len() as u64)
}

/// Inserts the notifications of expiring keys: 14, 7 and 1 days before the end, once each. A key that
/// was created later than such a time has none for it.
pub async fn insert_expiring(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "insert into notices (kind, partner_id, key_id, at, data, once)
         select 'key.expiring', k.partner_id, k.key_id, $1,
                jsonb_build_object('name', k.name, 'environment', k.environment, 'notAfter', k.not_after,
                                   'daysLeft', days.left_over),
                concat_ws(':', 'expiring', k.key_id, extract(epoch from k.not_after), days.left_over)
           from api_keys k
           join partners p on p.partner_id = k.partner_id and p.active
          cross join lateral (
                select min(d) as left_over from unnest(array[1, 7, 14]) d
                 where k.not_after <= $1 + make_interval(hours => 24 * d)) days
          where k.not_after > $1 and k.not_after <= $1 + interval '336 hours'
            and k.revoked_at is null and k.retires_at is null
            and k.created_at <= k.not_after - make_interval(hours => 24 * days.left_over)
         on conflict (once) do nothing",
    )
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Inserts the notifications of keys that are due for rotation, once per key.
pub async fn insert_rotation_due(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let mut statement = QueryBuilder::new(
        "insert into notices (kind, partner_id, key_id, at, data, once)
         select 'key.rotation_due', k.partner_id, k.key_id, ",
    );
    statement.push_bind(now);
    statement.push(
        ", jsonb_build_object('name', k.name, 'environment', k.environment, 'createdAt', k.created_at),
           'rotation_due:' || k.key_id
           from api_keys k join partners p on p.partner_id = k.partner_id and p.active
          where not exists (select from notices n where n.once = 'rotation_due:' || k.key_id) and ",
    );
    conditions::push(&mut statement, conditions::ROTATION_DUE, now);
    statement.push(" on conflict (once) do nothing");
    let done = statement.build().execute(connection).await?;
    Ok(done.rows_affected())
}

/// Deletes processed notifications from before a time, with their deliveries; returns their number.
/// Rows that may be sent only once are kept, to prevent duplicates.
pub async fn sweep(connection: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let swept = sqlx::query("delete from notices where handed_out and once is null and at < $1")
        .bind(before)
        .execute(connection)
        .await?;
    Ok(swept.rows_affected())
}
