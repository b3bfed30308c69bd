//! Security headers of every response.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use myproof_registry::domain::operator::Role;
use myproof_registry::server::router::router_with;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Answer, TestApp, nowhere};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_response_has_security_headers(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let cookie = app.signed_in("ops@example.com", Role::Admin).await;
    let options = Request::options("/api/key").body(Body::empty()).unwrap();
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    let post = |kind: &str, body: &str| {
        Request::post("/api/admin/api-keys/issue")
            .header("X-API-Key", &admin)
            .header("Content-Type", kind)
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let panicked = with_a_panic(&app).await;
    let out_of_reach = TestApp::new(nowhere()).page("/readyz", None).await;
    let answers: Vec<(&str, Answer)> = vec![
        ("a page", app.page("/api-keys", Some(&cookie)).await),
        ("the sign-in", app.page("/login", None).await),
        ("a redirect", app.page("/partners", None).await),
        ("a missing page", app.page("/nowhere", Some(&cookie)).await),
        ("a file", app.page("/robots.txt", None).await),
        ("a font", app.page("/fonts/OFL.txt", None).await),
        ("a missing file", app.page("/pkg/none.js", None).await),
        ("REST", app.get("/api/key", &admin).await),
        (
            "REST refused",
            app.call("GET", "/api/key", None, None).await,
        ),
        ("REST unknown", app.get("/api/nothing", &admin).await),
        (
            "REST, wrong method",
            app.call("PUT", "/api/key", Some(&admin), None).await,
        ),
        ("REST, preflight", app.send(options).await),
        ("health", app.page("/healthz", None).await),
        (
            "a server function",
            app.rpc("keys/list", Some(&cookie), json!({"query": {}}))
                .await,
        ),
        (
            "a server function refused",
            app.rpc("keys/list", None, json!({"query": {}})).await,
        ),
        ("the events", app.page("/live", None).await),
        ("the export", app.page("/audit/export", Some(&cookie)).await),
        ("the documentation", app.page("/api/docs", None).await),
        ("the description", app.page("/api/openapi.json", None).await),
        ("no JSON", app.send(post("text/plain", "{}")).await),
        ("too much", app.send(post("application/json", &long)).await),
        (
            "a wrong field",
            app.post("/api/admin/api-keys/issue", &admin, json!({"x": 1}))
                .await,
        ),
        ("a panic", panicked),
        ("out of reach", out_of_reach),
    ];
    for (what, status) in [
        ("no JSON", 415),
        ("too much", 413),
        ("a panic", 500),
        ("out of reach", 503),
    ] {
        let (_, answer) = answers.iter().find(|(found, _)| *found == what).unwrap();
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
    }
    for (what, answer) in &answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{what}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{what}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline"), "{what}: {policy}");
        let kind = answer.header("content-type");
        let names_charset = kind.contains("charset=utf-8");
        assert_eq!(names_charset, kind.starts_with("text/"), "{what}: {kind}");
        let permissions = answer.header("permissions-policy");
        assert!(permissions.contains("clipboard-write=(self)"), "{what}");
        assert!(permissions.contains("camera=()"), "{what}");
        assert!(
            answer.headers.get("access-control-allow-origin").is_none(),
            "{what}"
        );
    }
    // What the pages' own policy allows, to the word.
    let policy = answers[0].1.header("content-security-policy").to_owned();
    let (before, rest) = policy.split_once("'nonce-").unwrap();
    let (_, after) = rest.split_once('\'').unwrap();
    assert_eq!(
        format!("{before}'nonce'{after}"),
        "default-src 'none'; script-src 'nonce' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    // Each page has a nonce of its own, which its script carries.
    let nonce = |answer: &Answer| {
        let policy = answer.header("content-security-policy").to_owned();
        policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next())
            .unwrap()
            .to_owned()
    };
    let (one, two) = (nonce(&answers[0].1), nonce(&answers[1].1));
    assert_ne!(one, two);
    assert!(answers[0].1.text.contains(&format!("nonce=\"{one}\"")));
    assert!(!answers[0].1.text.contains(" style="), "CSP would block it");
}

/// The response to a handler's panic with a secret in its message. The canary checks the log.
async fn with_a_panic(app: &TestApp) -> Answer {
    let before = std::panic::take_hook();
    myproof_registry::server::telemetry::log_panics();
    async fn boom() -> &'static str {
        panic!("canary, as if a secret stood here")
    }
    let router = router_with(app.state.clone(), Router::new().route("/boom", get(boom)));
    let request = Request::get("/boom").body(Body::empty()).unwrap();
    let answer = app.send_through(router, request).await;
    std::panic::set_hook(before);
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    // The next request is answered.
    assert_eq!(app.page("/healthz", None).await.status, 200);
    answer
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sign_in_errors_in_the_url_are_limited_to_known_messages(pool: PgPool) {
    use myproof_registry::domain::error::AppError;

    let app = TestApp::new(pool);
    let page = async |error: &AppError| {
        let path = format!(
            "/login?__path=%2Frpc%2Fsession%2Fsign-in&__err={}",
            base64_of_url(&serde_json::to_string(error).unwrap())
        );
        app.page(&path, None).await.text
    };
    let forged = AppError::field("Your account is locked", "call 555 0100");
    assert!(!page(&forged).await.contains("555"));
    let wrong = page(&AppError::WrongCredentials).await;
    assert!(wrong.contains("E-mail or password is wrong"));
    let slowed = page(&AppError::RateLimited { retry_after: 8 }).await;
    assert!(slowed.contains("try again in 8 s"));
}

/// As Leptos writes an error into an address.
fn base64_of_url(text: &str) -> String {
    data_encoding::BASE64URL.encode(text.as_bytes())
}
