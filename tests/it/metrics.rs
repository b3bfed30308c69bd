//! Prometheus metrics: what they contain, and what they must not.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use myproof_registry::domain::operator::Role;
use myproof_registry::server::metrics;
use sqlx::PgPool;
use tower::ServiceExt;

use crate::support::canary::secret_in;
use crate::support::{PEPPER, TestApp, nowhere};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

async fn metrics(app: &TestApp) -> String {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let answer = metrics::routes(app.state.clone())
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(
        kind.starts_with("application/openmetrics-text; version=1.0.0"),
        "{kind}"
    );
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(secret_in(&text), None);
    text
}

/// The value of a sample, by its name with its labels.
fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn events_are_counted(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let cookie = app.signed_in("ops@example.com", Role::Admin).await;
    for _ in 0..3 {
        assert_eq!(app.get("/api/key", &key.token).await.status, 200);
    }
    assert_eq!(app.get("/api/key", "mpk_none.nothing").await.status, 401);
    assert_eq!(app.page("/api-keys", Some(&cookie)).await.status, 200);
    let text = metrics(&app).await;
    for (name, expected) in [
        (r#"http_requests_total{surface="rest",status="200"}"#, 3.0),
        (r#"http_requests_total{surface="rest",status="401"}"#, 1.0),
        (r#"http_requests_total{surface="page",status="200"}"#, 1.0),
        (
            r#"http_request_duration_seconds_count{surface="rest"}"#,
            4.0,
        ),
        (
            r#"http_request_duration_seconds_bucket{le="+Inf",surface="rest"}"#,
            4.0,
        ),
        (r#"apikey_verifications_total{outcome="accepted"}"#, 3.0),
        (r#"apikey_verifications_total{outcome="bad_format"}"#, 1.0),
        (r#"apikey_verifications_total{outcome="expired"}"#, 0.0),
        (r#"argon2_runs_in_progress{pool="keys"}"#, 0.0),
        (r#"argon2_runs_rejected_total{pool="keys"}"#, 0.0),
        ("database_up", 1.0),
        ("notification_deliveries_pending", 0.0),
    ] {
        assert_eq!(value(&text, name), Some(expected), "{name}: {text}");
    }
    assert!(
        value(&text, "notifications_pending").unwrap() > 0.0,
        "{text}"
    );
    assert!(
        value(&text, "process_resident_memory_bytes").unwrap() > 1e6,
        "{text}"
    );
    // Metrics contain no name, id or address.
    for private in [
        "Acme",
        key.key_id.as_str(),
        "ops@example.com",
        "192.0.2.1",
        PEPPER,
    ] {
        assert!(!text.contains(private), "{private}");
    }
    // Nothing of it is on the public address.
    assert_eq!(app.page("/metrics", None).await.status, 404);
}

#[tokio::test]
async fn an_unavailable_database_hides_no_other_metric() {
    let app = TestApp::new(nowhere());
    app.page("/readyz", None).await;
    let text = metrics(&app).await;
    assert_eq!(value(&text, "database_up"), Some(0.0), "{text}");
    assert_eq!(
        value(
            &text,
            r#"http_requests_total{surface="health",status="503"}"#
        ),
        Some(1.0)
    );
    assert_eq!(value(&text, "apikey_listener_live"), Some(0.0));
}

/// A rule on a metric that does not exist would never fire.
#[sqlx::test(migrator = "MIGRATOR")]
async fn every_metric_named_by_an_alert_exists(pool: PgPool) {
    let app = TestApp::new(pool);
    assert_eq!(app.page("/login", None).await.status, 200);
    let text = metrics(&app).await;
    let rules = include_str!("../../docs/alerts.yml");
    let mut names = 0;
    for rule in rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "))
    {
        // The word before each brace, and each that stands alone, but for functions and labels.
        let outside: String = rule
            .split('{')
            .enumerate()
            .map(|(n, part)| {
                if n == 0 {
                    part
                } else {
                    part.split_once('}').unwrap().1
                }
            })
            .collect::<Vec<_>>()
            .join(" ");
        for word in
            outside.split(|c: char| !(c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()))
        {
            if word.contains('_') && word != "histogram_quantile" {
                names += 1;
                let told = text.lines().any(|line| {
                    line.strip_prefix(word)
                        .is_some_and(|rest| rest.starts_with(['{', ' ']))
                });
                assert!(told, "{word}: {rule}");
            }
        }
    }
    assert!(names >= 10, "{names}");
}
