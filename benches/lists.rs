//! Latency of the key lists with a million keys of 5,000 partners: from the request through the router to
//! the complete response, with the query plans. Prints one table, and fails if a plan scans a whole table.
//!
//! Needs `DATABASE_URL`; `make bench` sets it up. Inserting a million rows takes a minute or two.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "unexpected results fail the benchmark"
)]

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use myproof_registry::domain::key_list::{KeyListInput, KeyOrder};
use myproof_registry::server::http::middleware::http_service::HttpService;
use myproof_registry::server::router::router;
use myproof_registry::server::service::sample::SampleSize;
use myproof_registry::server::store::key_list;
use serde_json::Value;
use support::Bench;
use tokio::runtime::Runtime;

/// Same allocator as the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requests per kind.
const REQUESTS: usize = 200;

/// A registry with sample data, and values to query.
struct Registry {
    bench: Bench,
    service: HttpService,
    token: String,
    /// Random existing ids and names.
    key_ids: Vec<String>,
    key_names: Vec<String>,
    partner_ids: Vec<String>,
    partner_names: Vec<String>,
}

impl Registry {
    async fn new(name: &str, keys: usize, partners: usize) -> Self {
        let bench = Bench::new(name, 0).await;
        let started = Instant::now();
        let services = &bench.instance.state.services;
        let size = SampleSize {
            partners,
            keys,
            seed: 7,
        };
        services.keys.add_sample(size).await.unwrap();
        eprintln!(
            "{keys} keys of {partners} partners created in {} s",
            started.elapsed().as_secs()
        );
        let token = bench.issue("admin:*").await;
        bench
            .sql("update api_keys set rate_per_minute = 2147483647 where scopes = '{admin:*}'")
            .await;
        let pool = services.pool();
        let select = async |sql: &'static str| -> Vec<String> {
            sqlx::query_scalar(sql).fetch_all(pool).await.unwrap()
        };
        let key_ids = select("select key_id from api_keys order by md5(key_id) limit 200").await;
        let key_names = select(
            "select name from api_keys where name is not null order by md5(key_id) limit 200",
        )
        .await;
        let partner_ids =
            select("select partner_id::text from partners order by md5(name) limit 200").await;
        let partner_names = select("select name from partners order by md5(name) limit 200").await;
        let service = router(bench.instance.state.clone());
        Self {
            bench,
            service,
            token,
            key_ids,
            key_names,
            partner_ids,
            partner_names,
        }
    }

    /// Duration of a request for a page.
    async fn request_page(&self, query: &KeyListInput) -> Duration {
        let query = serde_json::to_value(query).unwrap();
        let pairs: Vec<String> = query
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value.as_str().unwrap())))
            .collect();
        let request = Request::get(format!("/api/admin/api-keys?{}", pairs.join("&")))
            .header("Host", "registry.example")
            .header("X-API-Key", &self.token)
            .body(Body::empty())
            .unwrap();
        let started = Instant::now();
        let response = self.service.answer(request, None).await;
        assert_eq!(response.status(), 200);
        response.into_body().collect().await.unwrap();
        started.elapsed()
    }

    /// Indexes that a page uses. Fails if a table of keys is scanned as a whole.
    async fn indexes(&self, query: &KeyListInput) -> Vec<String> {
        let services = &self.bench.instance.state.services;
        let mut connection = services.pool().acquire().await.unwrap();
        let query = query.check().unwrap();
        let plans = key_list::explain(&mut connection, &query, services.now())
            .await
            .unwrap();
        let mut indexes = Vec::new();
        for plan in plans {
            collect_indexes(&plan[0]["Plan"], &mut indexes);
        }
        indexes.retain(|index| !index.ends_with("_pkey"));
        indexes.sort();
        indexes.dedup();
        indexes
    }
}

/// Collects the indexes of a plan.
fn collect_indexes(node: &Value, indexes: &mut Vec<String>) {
    let table = node["Relation Name"].as_str().unwrap_or_default();
    let is_scan = node["Node Type"].as_str().unwrap().contains("Seq Scan");
    assert!(
        !(is_scan && table.starts_with("api_key")),
        "{table} is scanned as a whole: {node:#}"
    );
    if let Some(index) = node["Index Name"].as_str() {
        indexes.push(index.to_owned());
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        collect_indexes(child, indexes);
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Target of the 95th percentile of a list, in milliseconds.
const LIST: f64 = 15.0;
/// Target of a search, and of a status that few of the newest keys have.
const SEARCH: f64 = 40.0;

/// A kind of request: its name, its target in milliseconds, and its `n`th query.
type Kind = (&'static str, f64, fn(&Registry, usize) -> KeyListInput);

fn first_page() -> KeyListInput {
    KeyListInput::default()
}

fn searched(text: &str, begin: usize, length: usize) -> KeyListInput {
    let q: String = text.chars().skip(begin).take(length).collect();
    KeyListInput {
        q: Some(q.trim().to_owned()),
        ..first_page()
    }
}

fn with_status(status: &str) -> KeyListInput {
    KeyListInput {
        status: Some(status.to_owned()),
        ..first_page()
    }
}

fn sorted(order: KeyOrder) -> KeyListInput {
    KeyListInput {
        sort: Some(order.into_str().to_owned()),
        ..first_page()
    }
}

fn of_partner(lists: &Registry, n: usize) -> KeyListInput {
    let partners = &lists.partner_ids;
    KeyListInput {
        partner_id: Some(partners[n % partners.len()].clone()),
        ..first_page()
    }
}

fn one_of(texts: &[String], n: usize) -> &str {
    &texts[n % texts.len()]
}

const KINDS: [Kind; 19] = [
    ("first page", LIST, |_, _| first_page()),
    ("of a partner", LIST, of_partner),
    ("scheduled", SEARCH, |_, _| with_status("scheduled")),
    ("active", LIST, |_, _| with_status("active")),
    ("retiring", SEARCH, |_, _| with_status("retiring")),
    ("expired", SEARCH, |_, _| with_status("expired")),
    ("revoked", LIST, |_, _| with_status("revoked")),
    ("3 characters of a keyId", SEARCH, |lists, n| {
        searched(one_of(&lists.key_ids, n), 4 + n % 10, 3)
    }),
    ("8 characters of a keyId", SEARCH, |lists, n| {
        searched(one_of(&lists.key_ids, n), 4 + n % 5, 8)
    }),
    ("part of a key's name", SEARCH, |lists, n| {
        searched(one_of(&lists.key_names, n), n % 4, 3 + n % 8)
    }),
    ("part of a partner's name", SEARCH, |lists, n| {
        searched(one_of(&lists.partner_names, n), n % 4, 3 + n % 20)
    }),
    ("2 characters", SEARCH, |lists, n| {
        searched(one_of(&lists.partner_names, n), 0, 2)
    }),
    ("oldest first", LIST, |_, _| sorted(KeyOrder::Oldest)),
    ("recently used", LIST, |_, _| sorted(KeyOrder::UsedLast)),
    ("longest unused", LIST, |_, _| {
        sorted(KeyOrder::UnusedLongest)
    }),
    ("latest expiry", LIST, |_, _| sorted(KeyOrder::EndsLast)),
    ("earliest expiry", LIST, |_, _| sorted(KeyOrder::EndsFirst)),
    ("of a partner, recently used", LIST, |lists, n| {
        KeyListInput {
            sort: sorted(KeyOrder::UsedLast).sort,
            ..of_partner(lists, n)
        }
    }),
    ("active, earliest expiry", LIST, |_, _| KeyListInput {
        sort: sorted(KeyOrder::EndsFirst).sort,
        ..with_status("active")
    }),
];

/// 95th percentile in milliseconds.
fn p95(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() * 95 / 100].as_secs_f64() * 1_000.0
}

/// 95th percentile of one kind.
async fn measure(lists: &Registry, of: fn(&Registry, usize) -> KeyListInput) -> f64 {
    let mut times = Vec::new();
    for n in 0..REQUESTS {
        times.push(lists.request_page(&of(lists, n)).await);
    }
    p95(&mut times)
}

/// 95th percentile of paging forward through `pages` pages, and back.
async fn page_through(lists: &Registry, order: KeyOrder, pages: usize) -> f64 {
    let services = &lists.bench.instance.state.services;
    let mut times = Vec::new();
    let mut query = KeyListInput {
        limit: Some("20".to_owned()),
        ..sorted(order)
    };
    for back in [false, true] {
        for _ in 0..pages {
            let started = Instant::now();
            let page = services.keys.list(&query.check().unwrap()).await.unwrap();
            times.push(started.elapsed());
            let next = if back {
                page.previous_cursor
            } else {
                page.next_cursor
            };
            let Some(next) = next else { break };
            query.cursor = Some(next);
        }
    }
    p95(&mut times)
}

fn row(what: &str, took: f64, target: f64, indexes: &str) {
    let result = if took <= target { "yes" } else { "NO" };
    println!("| {what} | {took:.1} | ≤ {target:.0} | {result} | {indexes} |");
}

fn main() {
    Runtime::new().unwrap().block_on(async {
        let lists = Registry::new("bench_lists", 1_000_000, 5_000).await;
        println!("| list | p95 of a million keys, ms | target | met | found by |");
        println!("| --- | --- | --- | --- | --- |");
        for (what, target, of) in KINDS {
            let mut indexes = Vec::new();
            for n in 0..20 {
                indexes.extend(lists.indexes(&of(&lists, n)).await);
            }
            indexes.sort();
            indexes.dedup();
            row(what, measure(&lists, of).await, target, &indexes.join(", "));
        }
        for (what, order) in [
            ("40 pages forward and back, newest first", KeyOrder::Newest),
            (
                "40 pages forward and back, recently used",
                KeyOrder::UsedLast,
            ),
            (
                "40 pages forward and back, earliest expiry",
                KeyOrder::EndsFirst,
            ),
        ] {
            row(what, page_through(&lists, order, 40).await, LIST, "");
        }
    });
}
