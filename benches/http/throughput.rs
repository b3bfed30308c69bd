//! Throughput and tail latency.

use std::path::Path;
use std::time::Instant;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use futures::FutureExt;
use tokio::runtime::Runtime;

use super::Row;
use super::load::{Results, Script, median, with_wrong_secret};
use super::nginx::Nginx;
use super::support::{Bench, UsageWrites};

const RUNS: usize = 5;
const CONNECTIONS: u32 = 32;
/// Connections of the flood, out of [`CONNECTIONS`].
const FLOOD: u32 = 24;
const VERIFICATIONS: usize = 200_000;

/// In-process verification, from the token's text to the decision.
pub fn in_process(runtime: &Runtime, bench: &Bench, _folder: &Path) -> Vec<Row> {
    runtime.block_on(bench.instance.warm_up(&bench.tokens));
    let guard = &bench.instance.state.guard;
    let tokens = &bench.tokens[..64];
    let client = Some([192, 0, 2, 1].into());
    let run = || {
        let started = Instant::now();
        for number in 0..VERIFICATIONS {
            let decision = guard
                .verify(&tokens[number % tokens.len()], client)
                .now_or_never();
            assert!(decision.is_some_and(|decision| decision.is_ok()));
        }
        started.elapsed().as_secs_f64() / VERIFICATIONS as f64 * 1e6
    };
    let took = median((0..RUNS).map(|_| run()).collect());
    vec![Row::new(
        "warm verification in process, including rate limit and usage count",
        format!("{took:.2} µs"),
        "≤ 0.6 µs",
    )]
}

/// Verification compared with a bare route, nginx, and wrong secrets.
pub fn over_http(runtime: &Runtime, bench: &Bench, folder: &Path) -> Vec<Row> {
    let (bare_url, verify) = serve(runtime, bench);
    let (right, wrong) = scripts(bench, folder);
    let nginx = Nginx::start(folder, &bench.tokens);
    let mut rates = [const { Vec::new() }; 4];
    for _ in 0..RUNS {
        let [bare, warm, wrong_rates, map] = &mut rates;
        bare.push(right.run(CONNECTIONS, &bare_url).accepted());
        warm.push(right.run(CONNECTIONS, &verify).accepted());
        wrong_rates.push(wrong.run(CONNECTIONS, &verify).rate);
        map.push(right.run(CONNECTIONS, &nginx.url).accepted());
    }
    let [bare, warm, wrong, map] = rates.map(median);
    eprintln!(
        "requests per second: bare {bare:.0}, warm {warm:.0}, wrong secrets {wrong:.0}, nginx {map:.0}"
    );
    let ratio = |what, ratio: f64, target| Row::new(what, format!("{ratio:.2}"), target);
    vec![
        ratio(
            "`GET /api/auth/verify`, warm, relative to a bare route of the same process",
            warm / bare,
            "≥ 0.90",
        ),
        ratio(
            "the same relative to nginx that looks the raw token up in a `map`",
            warm / map,
            "≥ 0.70",
        ),
        ratio(
            "wrong secrets for known keys relative to warm",
            wrong / warm,
            "≥ 0.80",
        ),
    ]
}

/// p99 of valid traffic during a flood of wrong secrets, relative to a flood of valid requests.
pub fn during_flood(runtime: &Runtime, bench: &Bench, folder: &Path) -> Vec<Row> {
    let (_, verify) = serve(runtime, bench);
    let (right, wrong) = scripts(bench, folder);
    let mut p99s = [const { Vec::new() }; 2];
    for _ in 0..RUNS {
        let [right_p99, wrong_p99] = &mut p99s;
        let valid = CONNECTIONS - FLOOD;
        right_p99.push(right.run_with_load(valid, &right, FLOOD, &verify).p99);
        wrong_p99.push(right.run_with_load(valid, &wrong, FLOOD, &verify).p99);
    }
    let [right, wrong] = p99s.map(median);
    vec![Row::new(
        "p99 of valid traffic during a flood of wrong secrets, relative to a flood of valid requests",
        format!("{:.2} ({wrong:.1} ms, {right:.1} ms)", wrong / right),
        "≤ 2",
    )]
}

/// Throughput of an instance that writes usage, relative to one that only counts it.
pub fn with_usage_writes(runtime: &Runtime, bench: &Bench, folder: &Path) -> Vec<Row> {
    let silent = runtime.block_on(bench.start_instance(UsageWrites::Off));
    runtime.block_on(async {
        silent.warm_up(&bench.tokens).await;
        bench
            .sql("create unlogged table if not exists writes (at timestamptz)")
            .await;
        bench
            .sql(
                "create or replace function count_write() returns trigger language plpgsql as
                 $$ begin insert into writes values (now()); return null; end $$",
            )
            .await;
        bench
            .sql(
                "create or replace trigger count_writes after insert or update on api_key_last_use
                 for each statement execute function count_write()",
            )
            .await;
    });
    let (_, writing) = serve(runtime, bench);
    let address = runtime.block_on(silent.serve(Router::new()));
    let counting = format!("http://{address}/api/auth/verify");
    let (right, _) = scripts(bench, folder);
    let mut rates = [const { Vec::new() }; 2];
    for _ in 0..RUNS {
        let [with, without] = &mut rates;
        without.push(right.run(CONNECTIONS, &counting).accepted());
        with.push(right.run(CONNECTIONS, &writing).accepted());
    }
    let [with, without] = rates.map(median);
    let gap = shortest_gap(runtime, bench);
    vec![
        Row::new(
            "throughput with usage writes, relative to without",
            format!("{:.2}", with / without),
            "≥ 0.97",
        ),
        Row::new(
            "usage statements per second, by the shortest interval between two",
            format!("{:.2}", 1.0 / gap),
            "≤ 1",
        ),
    ]
}

/// Shortest interval between two statements that write last uses, in seconds. The trigger fires twice for
/// an upsert, with the same `now()`.
fn shortest_gap(runtime: &Runtime, bench: &Bench) -> f64 {
    let pool = bench.instance.state.services.pool();
    let gap = sqlx::query_scalar::<_, f64>(
        "select extract(epoch from min(gap))::float8
           from (select at - lag(at) over (order by at) as gap
                   from (select distinct at from writes) as statements) as gaps",
    );
    runtime.block_on(gap.fetch_one(pool)).unwrap()
}

/// URLs of the bare route and of the verification.
fn serve(runtime: &Runtime, bench: &Bench) -> (String, String) {
    let more = Router::new().route("/bare", get(bare));
    let address = runtime.block_on(async {
        bench.instance.warm_up(&bench.tokens).await;
        bench.instance.serve(more).await
    });
    (
        format!("http://{address}/bare"),
        format!("http://{address}/api/auth/verify"),
    )
}

/// Scripts with valid tokens, and with wrong secrets.
fn scripts(bench: &Bench, folder: &Path) -> (Script, Script) {
    let wrong: Vec<String> = bench
        .tokens
        .iter()
        .map(|token| with_wrong_secret(token))
        .collect();
    (
        Script::new(&folder.join("right.lua"), &bench.tokens),
        Script::new(&folder.join("wrong.lua"), &wrong),
    )
}

/// Route without verification that returns the same headers.
async fn bare() -> impl IntoResponse {
    [
        ("cache-control", "no-store"),
        ("ratelimit-policy", "\"default\";q=2147483647;w=60"),
        ("ratelimit", "\"default\";r=2147483646;t=1"),
        ("x-partner-id", "00000000-0000-0000-0000-000000000000"),
        ("x-key-id", "mpk_000000000000"),
        ("x-key-scopes", "assets:read"),
    ]
}

impl Results {
    /// Rate of a run; fails if a request was refused.
    fn accepted(self) -> f64 {
        assert!(self.refused < 1.0, "{self:?}");
        self.rate
    }
}
