//! What the rules say of a key in Rust, they say in SQL: statuses and flags of random keys at random
//! moments, every boundary included.

use chrono::{DateTime, TimeDelta, Utc};
use myproof_registry::domain::key::{KeyStatus, KeyView};
use myproof_registry::domain::key_list::KeyQuery;
use myproof_registry::domain::page::PageRequest;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sqlx::PgPool;
use strum::VariantArray;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const KEYS: usize = 400;
/// Hours from the first moment, few enough that they meet each other and every limit of the rules.
const HOURS: [i64; 11] = [-2_160, -720, -360, -337, -336, -24, 0, 1, 336, 337, 720];

struct Draw {
    random: StdRng,
    now: DateTime<Utc>,
}

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        (self.random.next_u64() % count as u64) as usize
    }

    fn moment(&mut self) -> DateTime<Utc> {
        self.now + TimeDelta::hours(HOURS[self.below(HOURS.len())])
    }

    fn sometimes(&mut self, percent: usize) -> Option<DateTime<Utc>> {
        let moment = self.moment();
        (self.below(100) < percent).then_some(moment)
    }
}

async fn add_keys(app: &TestApp, draw: &mut Draw) {
    let strict = app.partner("Strict").await.partner_id;
    let usual = app.partner("Usual").await.partner_id;
    for statement in [
        "update policy set max_key_age_days = 30, stale_after_days = 15",
        "update partners set max_key_age_days = 1 where name = 'Strict'",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    let mut before: Option<String> = None;
    for n in 0..KEYS {
        let key_id = format!("mpk_{n}");
        // Each second key replaces the one before it, which has a grace period then.
        let rotated_from = before.take();
        let is_rotated = rotated_from.is_none() && draw.below(2) == 0;
        let not_before = draw.moment();
        let partner = if n % 4 < 2 { strict } else { usual };
        sqlx::query(
            "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by,
                                   created_at, not_before, not_after, retires_at, revoked_at, rotated_from,
                                   grace_seconds, grace_starts)
             values ($1, $2, '{assets:read}', '$argon2id$v=19$x', '\\x01020304', '\\x0102030405060708', 'cli:test',
                     $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&key_id)
        .bind(partner)
        .bind(draw.moment())
        .bind(not_before)
        // A window that ends before it begins has no meaning.
        .bind(draw.sometimes(70).filter(|end| *end > not_before))
        .bind(draw.sometimes(if is_rotated { 90 } else { 10 }))
        .bind(draw.sometimes(10))
        .bind(rotated_from)
        .bind(is_rotated.then_some(0))
        .bind(is_rotated.then_some("now"))
        .execute(&app.pool)
        .await
        .unwrap();
        let used =
            "update api_key_last_use set last_used_at = $2, last_refused_at = $3 where key_id = $1";
        sqlx::query(used)
            .bind(&key_id)
            .bind(draw.sometimes(70))
            .bind(draw.sometimes(30))
            .execute(&app.pool)
            .await
            .unwrap();
        before = is_rotated.then_some(key_id);
    }
}

fn ids(keys: &[KeyView]) -> Vec<&str> {
    keys.iter().map(|key| key.key_id.as_str()).collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn lists_match_the_domain_rules(pool: PgPool) {
    let app = TestApp::new(pool);
    let mut draw = Draw {
        random: StdRng::seed_from_u64(20),
        now: app.services.now(),
    };
    add_keys(&app, &mut draw).await;
    let list = async |query: KeyQuery| -> Vec<KeyView> {
        let page = PageRequest {
            limit: KEYS as i64,
            from: None,
        };
        app.services
            .keys
            .list(&KeyQuery { page, ..query })
            .await
            .unwrap()
            .items
    };
    type Rule = fn(&KeyView, DateTime<Utc>) -> bool;
    type Filter = fn(Option<bool>) -> KeyQuery;
    let flags: [(&str, Rule, Filter); 5] = [
        (
            "rotationDue",
            |key, _| key.rotation_due,
            |rotation_due| KeyQuery {
                rotation_due,
                ..KeyQuery::default()
            },
        ),
        (
            "stale",
            |key, _| key.stale,
            |stale| KeyQuery {
                stale,
                ..KeyQuery::default()
            },
        ),
        ("expiring", KeyView::expires_soon, |expiring| KeyQuery {
            expiring,
            ..KeyQuery::default()
        }),
        (
            "stillUsed",
            |key, _| key.is_still_used(),
            |still_used| KeyQuery {
                still_used,
                ..KeyQuery::default()
            },
        ),
        (
            "neverUsed",
            |key, _| key.last_used_at.is_none(),
            |never_used| KeyQuery {
                never_used,
                ..KeyQuery::default()
            },
        ),
    ];
    let mut met = std::collections::BTreeSet::new();
    for _ in 0..6 {
        let now = app.services.now();
        let whole = list(KeyQuery::default()).await;
        assert_eq!(whole.len(), KEYS);
        for status in KeyStatus::VARIANTS.iter().copied() {
            let query = KeyQuery {
                status: Some(status),
                ..KeyQuery::default()
            };
            let expected: Vec<KeyView> = whole
                .iter()
                .filter(|key| key.status == status)
                .cloned()
                .collect();
            assert_eq!(
                ids(&list(query).await),
                ids(&expected),
                "{status:?} at {now}"
            );
            if !expected.is_empty() {
                met.insert(status.into_str());
            }
        }
        for (name, rule, filter) in flags {
            for wanted in [true, false] {
                let expected: Vec<KeyView> = whole
                    .iter()
                    .filter(|key| rule(key, now) == wanted)
                    .cloned()
                    .collect();
                assert_eq!(
                    ids(&list(filter(Some(wanted))).await),
                    ids(&expected),
                    "{name}={wanted} at {now}"
                );
                if wanted && !expected.is_empty() {
                    met.insert(name);
                }
            }
        }
        app.clock
            .advance(TimeDelta::hours([1, 23, 312][draw.below(3)]));
    }
    // Each status and flag was the right answer for some key.
    assert_eq!(
        met.len(),
        KeyStatus::VARIANTS.len() + flags.len(),
        "{met:?}"
    );
}
