//! The newest keys' texts, kept in memory. A text of three characters is in thousands of a million keys,
//! which no index finds in the order of time; a page of them is full after the newest few thousand.
//!
//! What is kept is never trusted for what came later: each search also asks for the keys whose text was
//! written by a transaction that the reading can't have seen (`api_keys.text_xid`), so that it finds what
//! a query alone would find at that moment, whichever process changed it.

mod held;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use tokio::sync::Mutex;
use uuid::Uuid;

use self::held::{Held, Key, KeyText, Wanted};
use super::pick::Pick;

/// Keys that are kept by default, some 100 bytes each.
pub(super) const NEWEST: i64 = 30_000;

/// Keys that may have changed before everything is read again.
const MOST_CHANGED: usize = 256;

/// What one process keeps. Nothing is read before the first search.
#[derive(Debug)]
pub struct Newest {
    most: i64,
    held: RwLock<Arc<Held>>,
    /// Taken by the search that reads.
    reading: Mutex<()>,
}

impl Default for Newest {
    fn default() -> Self {
        Self::of(NEWEST)
    }
}

impl Newest {
    /// The newest `most` keys.
    #[must_use]
    pub fn of(most: i64) -> Self {
        Self {
            most,
            held: RwLock::default(),
            reading: Mutex::default(),
        }
    }

    /// The rows of a page, if it is sure that these are all: `None` where older keys may belong to it, and
    /// for everything but a search.
    pub(super) async fn pick(
        &self,
        connection: &mut PgConnection,
        pick: &Pick<'_>,
    ) -> sqlx::Result<Option<Vec<(DateTime<Utc>, String)>>> {
        let Some(text) = pick.text_alone() else {
            return Ok(None);
        };
        let mut held = self.held();
        let limit = usize::try_from(pick.limit).unwrap_or_default();
        let wanted = Wanted {
            text: &text.to_lowercase(),
            partners: pick.search.partners(),
            besides: HashSet::new(),
            limit,
        };
        // Keys that changed are left out of what is kept: without any, it fills more pages, not fewer.
        if !held.is_empty() && held.page(pick.place, &wanted).is_none() {
            return Ok(None);
        }
        let mut changes = Changes::since(connection, &held, text).await?;
        if changes.make_old(&held) {
            // Whoever comes while another one reads does without.
            let Ok(_reading) = self.reading.try_lock() else {
                return Ok(None);
            };
            held = Arc::new(read(connection, self.most).await?);
            self.keep(Arc::clone(&held));
            changes = Changes::since(connection, &held, text).await?;
        }
        if changes.are_too_many() {
            return Ok(None);
        }
        let wanted = Wanted {
            text: &changes.text,
            partners: pick.search.partners(),
            besides: changes.keys.iter().map(|key| &*key.key_id).collect(),
            limit,
        };
        let Some(found) = held.page(pick.place, &wanted) else {
            return Ok(None);
        };
        let new = changes.keys.iter().filter(|key| wanted.fits(key));
        let new: Vec<&str> = new.map(|key| &*key.key_id).collect();
        if new.is_empty() {
            return Ok(Some(found.into_iter().map(Key::position).collect()));
        }
        // Only the database knows the order of ids.
        let ids = found.into_iter().map(|key| &*key.key_id).chain(new);
        let ids: Vec<&str> = ids.collect();
        let mut statement = QueryBuilder::new("");
        pick.push_of(&mut statement, &ids);
        let found = statement.build_query_as().fetch_all(connection).await?;
        Ok(Some(found))
    }

    /// Forgets what is kept: keys are gone that were, which no later change tells.
    pub(super) fn forget(&self) {
        self.keep(Arc::default());
    }

    fn keep(&self, held: Arc<Held>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
    }

    /// What is kept is whole after each statement: a panic elsewhere spoils nothing.
    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Before which transaction all have ended.
macro_rules! horizon {
    () => {
        "pg_snapshot_xmin(pg_current_snapshot())::text"
    };
}

/// Which server this is: another one, a standby that took over, may count transactions anew from before.
macro_rules! server {
    () => {
        "pg_postmaster_start_time()"
    };
}

async fn read(connection: &mut PgConnection, most: i64) -> sqlx::Result<Held> {
    // Before the keys, so that what happens in between counts as changed.
    let (horizon, server) = sqlx::query_as(concat!(
        "select ",
        horizon!(),
        " as horizon, ",
        server!(),
        " as server"
    ))
    .fetch_one(&mut *connection)
    .await?;
    let mut statement = QueryBuilder::new("");
    push_reading(&mut statement, most);
    let keys: Vec<KeyText> = statement.build_query_as().fetch_all(connection).await?;
    let is_all = (keys.len() as i64) < most;
    Ok(Held::new(horizon, server, is_all, keys))
}

/// The statement that reads.
pub(super) fn push_reading(statement: &mut QueryBuilder<Postgres>, most: i64) {
    statement.push(
        "select created_at, key_id, partner_id, search_text
           from api_keys order by created_at desc, key_id desc limit ",
    );
    statement.push_bind(most);
}

/// What a reading can't have seen, at the moment of one statement.
struct Changes {
    /// The text that is searched for, in the database's small letters.
    text: String,
    /// What a reading would have as its horizon.
    horizon: String,
    /// When the server was started that says so.
    server: DateTime<Utc>,
    /// One more than [`MOST_CHANGED`] at most.
    keys: Vec<KeyText>,
}

/// A row of the statement: it has the only key that changed, or one of several, or none.
#[derive(FromRow)]
struct Change {
    text: String,
    horizon: String,
    server: DateTime<Utc>,
    created_at: Option<DateTime<Utc>>,
    key_id: Option<Box<str>>,
    partner_id: Option<Uuid>,
    search_text: Option<Box<str>>,
}

impl Change {
    fn key(self) -> Option<KeyText> {
        Some(KeyText {
            created_at: self.created_at?,
            key_id: self.key_id?,
            partner_id: self.partner_id?,
            search_text: self.search_text?,
        })
    }
}

impl Changes {
    async fn since(connection: &mut PgConnection, held: &Held, text: &str) -> sqlx::Result<Self> {
        let mut statement = QueryBuilder::new("");
        push_changes(&mut statement, &held.horizon, text);
        let rows: Vec<Change> = statement.build_query_as().fetch_all(connection).await?;
        let Some(first) = rows.first() else {
            return Err(sqlx::Error::RowNotFound);
        };
        Ok(Self {
            text: first.text.clone(),
            horizon: first.horizon.clone(),
            server: first.server,
            keys: rows.into_iter().filter_map(Change::key).collect(),
        })
    }

    fn are_too_many(&self) -> bool {
        self.keys.len() > MOST_CHANGED
    }

    /// Whether to read again. A transaction that goes on and on hides what comes after it from every
    /// reading, so that another one would tell no more.
    fn make_old(&self, held: &Held) -> bool {
        let is_elsewhere = held.server != Some(self.server);
        let is_behind = held.is_empty() || self.are_too_many();
        is_elsewhere || (is_behind && self.horizon != held.horizon)
    }
}

/// The statement that finds what was written since. A database that was restored from a dump brings texts
/// of transactions that are still to come; no reading has missed those.
pub(super) fn push_changes(statement: &mut QueryBuilder<Postgres>, horizon: &str, text: &str) {
    statement.push("select lower(");
    statement.push_bind(text.to_owned());
    statement.push(concat!(
        ") as text, ",
        horizon!(),
        " as horizon, ",
        server!(),
        " as server, k.*
           from (select) once left join lateral (
                select created_at, key_id, partner_id, search_text from api_keys
                 where text_xid < pg_snapshot_xmax(pg_current_snapshot()) and text_xid >= "
    ));
    statement.push_bind(horizon.to_owned());
    statement.push("::text::xid8 order by text_xid limit ");
    statement.push_bind(MOST_CHANGED as i64 + 1);
    statement.push(") k on true");
}
