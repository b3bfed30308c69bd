//! SQL conditions shared by lists, counts, bulk actions and notifications: `KeyStatus` and the flags of
//! `KeyView`. `k` is the key, `p` its partner and `u` its last use; `$now`, `$soon` and `$recently` are
//! times. A day has 24 hours, independent of the session's time zone.

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};

use crate::domain::key::{EXPIRY_WARNING, KeyStatus, RECENT_WINDOW};

/// `KeyView::rotation_due`.
pub const ROTATION_DUE: &str = "k.revoked_at is null and k.retires_at is null
    and (k.not_after is null or k.not_after > $now)
    and k.created_at <= $now - make_interval(
        hours => 24 * coalesce(p.max_key_age_days, (select max_key_age_days from policy)))";

/// Indexable condition that [`ROTATION_DUE`] implies.
pub const MAY_BE_DUE: &str = "k.created_at <= $now - make_interval(hours => 24 * (select least(
    (select max_key_age_days from policy), (select min(max_key_age_days) from partners))))";

/// `KeyView::stale`.
pub const STALE: &str = "k.revoked_at is null and k.retires_at is null
    and (k.not_after is null or k.not_after > $now)
    and greatest(k.created_at, k.not_before, u.last_used_at)
        <= $now - make_interval(hours => 24 * (select stale_after_days from policy))";

/// Indexable condition that [`STALE`] implies.
pub const MAY_BE_STALE: &str =
    "k.created_at <= $now - make_interval(hours => 24 * (select stale_after_days from policy))";

/// `KeyView::expires_soon`.
pub const EXPIRING: &str = "k.revoked_at is null and k.retires_at is null
    and k.not_after > $now and k.not_after <= $soon";

/// `KeyView::is_still_used`.
pub const STILL_USED: &str = "k.revoked_at is null and k.retires_at > $now and k.not_before <= $now
    and (k.not_after is null or k.not_after > $now)
    and u.last_used_at > (select successor.created_at from api_keys successor
                           where successor.rotated_from = k.key_id)";

pub const REFUSED: &str = "u.last_refused_at > $recently";

pub const NEVER_USED: &str = "u.last_used_at is null";

/// Adds a condition and binds its times.
pub fn push(statement: &mut QueryBuilder<Postgres>, condition: &str, now: DateTime<Utc>) {
    let times = [
        ("now", now),
        ("soon", now + EXPIRY_WARNING),
        ("recently", now - RECENT_WINDOW),
    ];
    for (n, part) in condition.split('$').enumerate() {
        let placeholder = times
            .iter()
            .find_map(|(name, at)| Some((part.strip_prefix(name)?, at)));
        match placeholder {
            Some((rest, at)) if n > 0 => {
                statement.push_bind(*at);
                statement.push(rest);
            }
            _ => {
                statement.push(part);
            }
        }
    }
}

/// Adds a condition on the status.
pub fn push_status(statement: &mut QueryBuilder<Postgres>, status: KeyStatus, now: DateTime<Utc>) {
    statement.push(format!(
        "api_key_is('{}', k.revoked_at, k.retires_at, k.not_before, k.not_after, ",
        status.into_str()
    ));
    statement.push_bind(now);
    statement.push(")");
}
