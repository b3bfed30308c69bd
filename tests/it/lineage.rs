//! What holds of a lineage after any sequence of orders, uses and waiting.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use myproof_registry::domain::error::{AppError, Conflict};
use myproof_registry::domain::grace::GraceStart;
use myproof_registry::domain::key::{KeyStatus, KeyView, RevocationReason};
use myproof_registry::domain::key_input::{IssueInput, RevokeKey};
use myproof_registry::domain::key_list::KeyListInput;
use myproof_registry::domain::rotation::RotateKey;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sqlx::PgPool;
use strum::VariantArray;

use crate::support::{TestApp, somebody};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const STEPS: usize = 250;

/// Keys with their tokens, and what was seen of each before.
struct World {
    app: TestApp,
    random: StdRng,
    partner_id: String,
    /// In the order in which they were made.
    ids: Vec<String>,
    tokens: HashMap<String, String>,
    before: HashMap<String, KeyView>,
    last_restored: Option<String>,
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_sequence_of_operations_breaks_a_lineage(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner_id = app.partner("Acme").await.partner_id.to_string();
    let mut world = World {
        app,
        random: StdRng::seed_from_u64(20_270_115),
        partner_id,
        ids: Vec::new(),
        tokens: HashMap::new(),
        before: HashMap::new(),
        last_restored: None,
    };
    let mut done: HashMap<&str, u32> = HashMap::new();
    for step in 0..STEPS {
        let (what, outcome) = world.step().await;
        match outcome {
            Ok(()) => *done.entry(what).or_default() += 1,
            Err(AppError::Conflict { .. }) => *done.entry("refused").or_default() += 1,
            Err(error) => panic!("step {step}, {what}: {error}"),
        }
        world.check(&format!("step {step}, {what}")).await;
    }
    // The sequence was worth the name: each order was carried out, and some were refused.
    for what in [
        "issue", "rotate", "revoke", "restore", "grace", "use", "refused",
    ] {
        assert!(
            done.get(what).is_some_and(|count| *count > 2),
            "{what}: {done:?}"
        );
    }
}

impl World {
    async fn step(&mut self) -> (&'static str, Result<(), AppError>) {
        self.last_restored = None;
        let what = self.random.random_range(0..100);
        // Mostly a key that the order may be carried out on, else any.
        let now = self.app.services.now();
        let fits = |id: &&String| {
            self.before.get(*id).is_some_and(|key| match what {
                8..46 => key.status.is_live() && key.replaced_by.is_none(),
                54..68 => key.can_be_restored(now),
                68..74 => key.status == KeyStatus::Retiring,
                _ => key.status.is_live(),
            })
        };
        let fitting: Vec<&String> = self.ids.iter().filter(fits).collect();
        let none_fits = fitting.is_empty();
        let chosen = if !none_fits && self.random.random_bool(0.8) {
            fitting.choose(&mut self.random).copied()
        } else {
            self.ids.choose(&mut self.random)
        };
        let Some(id) = chosen.cloned() else {
            return ("issue", self.issue().await);
        };
        match what {
            0..8 => ("issue", self.issue().await),
            8..46 if none_fits => ("issue", self.issue().await),
            8..46 => ("rotate", self.rotate(&id).await),
            46..54 => ("revoke", self.revoke(&id).await),
            54..68 => {
                let restored = self.app.services.keys.restore(&somebody(), &id, None).await;
                if restored.is_ok() {
                    self.last_restored = Some(id);
                }
                ("restore", restored.map(drop))
            }
            68..74 => {
                let seconds = self.random.random_range(0..90_000);
                let changed = self
                    .app
                    .services
                    .keys
                    .change_grace(&somebody(), &id, seconds)
                    .await;
                ("grace", changed.map(drop))
            }
            74..90 => ("use", self.present(&id).await),
            _ => {
                let seconds = self.random.random_range(1..5_000);
                self.app.clock.advance(TimeDelta::seconds(seconds));
                ("wait", Ok(()))
            }
        }
    }

    async fn issue(&mut self) -> Result<(), AppError> {
        let hours = self.random.random_range(100..400);
        let not_after = self.random.random_bool(0.5).then(|| {
            let end = self.app.services.now() + TimeDelta::hours(hours);
            end.to_rfc3339()
        });
        let issued = self
            .app
            .issue(IssueInput {
                partner_id: Some(self.partner_id.clone()),
                scopes: Some(vec!["assets:read".into()]),
                not_after,
                ..IssueInput::default()
            })
            .await;
        self.made(issued.key_id.to_string(), issued.token.to_string());
        Ok(())
    }

    fn made(&mut self, id: String, token: String) {
        self.ids.push(id.clone());
        self.tokens.insert(id, token);
    }

    async fn rotate(&mut self, id: &str) -> Result<(), AppError> {
        let order = RotateKey {
            grace: *[0, 3_600, 86_400, 604_800]
                .choose(&mut self.random)
                .unwrap(),
            starts: *GraceStart::VARIANTS.choose(&mut self.random).unwrap(),
            not_after: None,
        };
        let rotated = self
            .app
            .services
            .keys
            .rotate(&somebody(), id, order)
            .await?;
        self.made(rotated.key_id.to_string(), rotated.token.to_string());
        Ok(())
    }

    async fn revoke(&mut self, id: &str) -> Result<(), AppError> {
        let weighted = [
            RevocationReason::Unspecified,
            RevocationReason::CessationOfOperation,
            RevocationReason::KeyCompromise,
        ];
        let order = RevokeKey {
            reason: *weighted.choose(&mut self.random).unwrap(),
            note: None,
        };
        let revoked = self.app.services.keys.revoke(&somebody(), id, order).await;
        revoked.map(drop)
    }

    /// Presents a token; that it is accepted exactly while its key is live, `check` sees.
    async fn present(&self, id: &str) -> Result<(), AppError> {
        let live = self.keys().await[id].status.is_live();
        let answer = self.app.get("/api/key", &self.tokens[id]).await;
        assert_eq!(answer.status == 200, live, "{id}: {}", answer.status);
        self.app
            .state
            .guard
            .usage()
            .flush(&self.app.pool)
            .await
            .unwrap();
        if live {
            Ok(())
        } else {
            Err(Conflict::KeyInactive.into())
        }
    }

    async fn keys(&self) -> HashMap<String, KeyView> {
        let input = KeyListInput {
            limit: Some("200".into()),
            ..KeyListInput::default()
        };
        let page = self
            .app
            .services
            .keys
            .list(&input.check().unwrap())
            .await
            .unwrap();
        assert_eq!(page.next_cursor, None, "more keys than one page has");
        let by_id = page
            .items
            .into_iter()
            .map(|key| (key.key_id.to_string(), key));
        by_id.collect()
    }

    async fn check(&mut self, after: &str) {
        let now = self.app.services.now();
        let keys = self.keys().await;
        assert_eq!(keys.len(), self.tokens.len(), "{after}");
        let mut live: HashMap<&str, Vec<&str>> = HashMap::new();
        for (id, key) in &keys {
            if key.status.is_live() {
                live.entry(first_of(&keys, id)).or_default().push(id);
            }
            self.check_key(after, now, id, key, &keys);
        }
        for (first, live) in live {
            assert!(
                live.len() <= 2,
                "{after}: of {first}'s lineage live {live:?}"
            );
        }
        self.before = keys;
    }

    fn check_key(
        &self,
        after: &str,
        now: DateTime<Utc>,
        id: &str,
        key: &KeyView,
        keys: &HashMap<String, KeyView>,
    ) {
        // Links go both ways.
        if let Some(successor) = &key.replaced_by {
            let linked = keys[successor.as_str()].rotated_from.as_ref();
            assert_eq!(linked, Some(&key.key_id), "{after}: {id}");
            // A key with a successor has an end, and never one after its own.
            let end = key
                .retires_at
                .unwrap_or_else(|| panic!("{after}: {id} has no end"));
            assert!(
                key.not_after.is_none_or(|not_after| end <= not_after),
                "{after}: {id}"
            );
            assert!(key.grace.is_some(), "{after}: {id}");
        } else {
            assert_ne!(key.status, KeyStatus::Retiring, "{after}: {id}");
        }
        // Dead keys stay dead, but for an undone revocation.
        let was = self.before.get(id).map(|before| before.status);
        let dead = |status: KeyStatus| !status.is_live();
        if was.is_some_and(dead) && self.last_restored.as_deref() != Some(id) {
            assert!(dead(key.status), "{after}: {id} came back");
        }
        if key.status == KeyStatus::Retiring {
            assert!(key.retires_at.is_some_and(|end| now < end), "{after}: {id}");
        }
    }
}

/// The first key of a key's lineage.
fn first_of<'a>(keys: &'a HashMap<String, KeyView>, id: &'a str) -> &'a str {
    let mut id = id;
    while let Some(older) = &keys[id].rotated_from {
        id = older.as_str();
    }
    id
}
