//! Rates: the burst and the rate, the headers, what costs a unit and what doesn't.

use chrono::TimeDelta;
use futures::future::join_all;
use myproof_registry::domain::key_input::IssueInput;
use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

async fn key_with_rate(app: &TestApp, rate: i64) -> String {
    let partner = app.partner("Acme").await;
    let input = IssueInput {
        partner_id: Some(partner.partner_id.to_string()),
        scopes: Some(vec!["assets:read".into()]),
        rate_per_minute: Some(rate),
        ..IssueInput::default()
    };
    app.issue(input).await.token.to_string()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn rate_headers_are_accurate_and_a_429_has_retry_after(pool: PgPool) {
    let app = TestApp::new(pool);
    let token = key_with_rate(&app, 6).await;
    for left in (0..6).rev() {
        let answer = app.get("/api/key", &token).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=6;w=60");
        let told = format!("\"default\";r={left};t={}", (6 - left) * 10);
        assert_eq!(answer.header("ratelimit"), told);
    }
    let limited = app.get("/api/key", &token).await;
    limited.problem(429, "rate_limited", "");
    assert_eq!(limited.header("retry-after"), "10");
    assert_eq!(limited.header("ratelimit"), "\"default\";r=0;t=60");
    assert_eq!(limited.header("cache-control"), "no-store");
    // A refusal for the rate costs nothing, and one more passes when it was said to.
    app.clock.advance(TimeDelta::seconds(10));
    assert_eq!(app.get("/api/key", &token).await.status, 200);
    assert_eq!(app.get("/api/key", &token).await.status, 429);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_403_costs_a_unit_and_a_401_does_not(pool: PgPool) {
    let app = TestApp::new(pool);
    let token = key_with_rate(&app, 3).await;
    let wrong = {
        use myproof_registry::domain::token::{KeyId, compose};
        let (key_id, _) = token.split_once('.').unwrap();
        compose(&KeyId::parse(key_id).unwrap(), &[7; 32])
    };
    for _ in 0..5 {
        let refused = app.get("/api/key", &wrong).await;
        refused.problem(401, "unauthorized", "secret_mismatch");
        assert_eq!(refused.header("ratelimit"), "");
    }
    let forbidden = app.get("/api/admin/partners", &token).await;
    forbidden.problem(403, "forbidden", "");
    assert_eq!(forbidden.header("ratelimit"), "\"default\";r=2;t=20");
    assert_eq!(
        app.get("/api/key", &token).await.header("ratelimit"),
        "\"default\";r=1;t=40"
    );
    // The rate is checked before the scope.
    app.get("/api/key", &token).await.ok(200);
    app.get("/api/admin/partners", &token)
        .await
        .problem(429, "rate_limited", "");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_requests_do_not_exceed_the_burst(pool: PgPool) {
    let app = TestApp::new(pool);
    let token = key_with_rate(&app, 40).await;
    let answers = join_all((0..64).map(|_| app.get("/api/key", &token))).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(passed, 40);
    // A changed rate applies immediately, even if changed by plain SQL.
    let (key_id, _) = token.split_once('.').unwrap();
    app.sql(
        "update api_keys set rate_per_minute = 6000 where key_id = $1",
        key_id,
    )
    .await;
    app.clock.advance(TimeDelta::milliseconds(100));
    let answer = app.get("/api/key", &token).await;
    assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=6000;w=60");
    assert_eq!(answer.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn uses_are_counted_by_hour_and_outcome(pool: PgPool) {
    let app = TestApp::new(pool);
    let token = key_with_rate(&app, 2).await;
    let (key_id, _) = token.split_once('.').unwrap();
    for _ in 0..3 {
        app.get("/api/key", &token).await;
    }
    app.clock.advance(TimeDelta::hours(1));
    app.get("/api/key", &token).await.ok(200);
    app.sql(
        "update api_keys set revoked_at = now() where key_id = $1",
        key_id,
    )
    .await;
    app.get("/api/key", &token).await;
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    app.get("/api/key", &token).await;
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    let rows: serde_json::Value = sqlx::query_scalar(
        "select jsonb_agg(jsonb_build_array(extract(hour from hour at time zone 'UTC'), outcome, uses) order by hour, outcome)
           from api_key_usage",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap();
    assert_eq!(
        rows,
        json!([
            [12, "accepted", 2],
            [12, "rate_limited", 1],
            [13, "accepted", 1],
            [13, "key_inactive", 2]
        ])
    );
}
