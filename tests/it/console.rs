//! The console's server side: sessions, the origin of writes, roles, pages.

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use leptos::server_fn::axum::server_fn_paths;
use myproof_registry::console::rpc::FORM_POSTS;
use myproof_registry::domain::operator::Role;
use myproof_registry::server::service::ClientInfo;
use serde_json::{Value, json};
use sqlx::PgPool;
use zeroize::Zeroizing;

use crate::support::{Answer, PASSWORD, PUBLIC_ORIGIN, TestApp, somebody};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const EMAIL: &str = "ops@example.com";

/// Server functions that anybody may call: they tell or change nothing of the registry's.
const OPEN: [&str; 3] = [
    "/rpc/session/sign-in",
    "/rpc/session/verify-code",
    "/rpc/session/sign-out",
];
/// Server functions that only read, or change nothing but one's own account: auditors may call
/// them. What they answer to the body below.
const FOR_ALL_ROLES: [(&str, u16); 20] = [
    ("/rpc/factor/get", 200),
    ("/rpc/factor/begin", 400),
    ("/rpc/factor/confirm", 404),
    ("/rpc/factor/prove", 404),
    ("/rpc/factor/renew-codes", 404),
    ("/rpc/factor/remove", 404),
    ("/rpc/session/list", 200),
    ("/rpc/session/end", 200),
    ("/rpc/session/operator", 200),
    ("/rpc/keys/list", 200),
    ("/rpc/keys/get", 404),
    ("/rpc/keys/details", 404),
    ("/rpc/keys/overview", 200),
    ("/rpc/operators/list", 200),
    ("/rpc/partners/list", 200),
    ("/rpc/audit/list", 200),
    ("/rpc/policy/get", 200),
    ("/rpc/notices/list", 404),
    ("/rpc/partners/choices", 200),
    ("/rpc/session/change-password", 400),
];

/// Server functions without arguments: any JSON is as good as none.
const TAKE_NOTHING: [&str; 7] = [
    "/rpc/factor/get",
    "/rpc/factor/renew-codes",
    "/rpc/factor/remove",
    "/rpc/session/list",
    "/rpc/session/operator",
    "/rpc/policy/get",
    "/rpc/operators/list",
];

async fn sign_in(app: &TestApp, email: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::post("/rpc/session/sign-in")
        .header("Content-Type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = format!(
        "email={}&password={}&next=%2Fapi-keys",
        email.replace('@', "%40"),
        password.replace(' ', "+")
    );
    app.send(request.body(Body::from(body)).unwrap()).await
}

fn guarded() -> Vec<&'static str> {
    let paths: Vec<&str> = server_fn_paths()
        .map(|(path, _)| path)
        .filter(|path| !OPEN.contains(path))
        .collect();
    assert!(paths.len() >= 10, "{paths:?}");
    paths
}

fn body_for(path: &str) -> Value {
    match path {
        "/rpc/keys/list"
        | "/rpc/keys/overview"
        | "/rpc/partners/list"
        | "/rpc/partners/choices"
        | "/rpc/audit/list" => {
            json!({"query": {}})
        }
        "/rpc/operators/create" => {
            json!({"input": {"email": "", "role": "", "password": ""}})
        }
        "/rpc/operators/update" => json!({"operator_id": uuid::Uuid::nil(), "input": {}}),
        "/rpc/operators/password" => json!({"email": "", "password": ""}),
        "/rpc/keys/get" | "/rpc/keys/details" => json!({"key_id": "mpk_1"}),
        "/rpc/partners/update" => json!({"partner_id": uuid::Uuid::nil(), "input": {}}),
        "/rpc/notices/list" => json!({"partner_id": uuid::Uuid::nil(), "query": {}}),
        "/rpc/notices/create-webhook" => json!({"partner_id": uuid::Uuid::nil(), "input": {}}),
        "/rpc/notices/update-webhook" => json!({"webhook_id": uuid::Uuid::nil(), "input": {}}),
        "/rpc/notices/delete-webhook" => json!({"webhook_id": uuid::Uuid::nil()}),
        "/rpc/notices/send-again" => json!({"delivery_id": uuid::Uuid::nil()}),
        "/rpc/session/end" => json!({"session_id": uuid::Uuid::nil()}),
        "/rpc/factor/begin" => json!({"password": ""}),
        "/rpc/factor/confirm" | "/rpc/factor/prove" => json!({"code": ""}),
        "/rpc/operators/remove-factor" => json!({"email": ""}),
        "/rpc/session/change-password" => json!({"current": "", "new": ""}),
        "/rpc/keys/update" | "/rpc/keys/rotate" | "/rpc/keys/revoke" | "/rpc/keys/grace"
        | "/rpc/keys/restore" => {
            json!({"key_id": "mpk_1", "input": {}})
        }
        _ => json!({"input": {}}),
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn signing_in_and_out(pool: PgPool) {
    let app = TestApp::new(pool);
    let password = Zeroizing::new(PASSWORD.to_owned());
    app.services
        .operators
        .create(&somebody(), EMAIL, Role::Admin, password)
        .await
        .unwrap();
    let browser = [("Sec-Fetch-Site", "same-origin"), ("Accept", "text/html")];
    let answer = sign_in(&app, "OPS@example.com", PASSWORD, &browser).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (302, "/api-keys")
    );
    let set_cookie = answer.header("set-cookie").to_owned();
    assert!(
        set_cookie.starts_with("__Host-myproof-session="),
        "{set_cookie}"
    );
    for flag in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(set_cookie.contains(flag), "{flag}");
    }
    let cookie = set_cookie.split(';').next().unwrap();
    assert_eq!(app.page("/api-keys", Some(cookie)).await.status, 200);
    // Only a hash of the cookie is stored.
    let (_, value) = cookie.split_once('=').unwrap();
    let stored: String = sqlx::query_scalar("select row_to_json(s)::text from operator_sessions s")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert!(!stored.contains(value));

    let sign_out = Request::post("/rpc/session/sign-out")
        .header("Cookie", cookie)
        .header("Sec-Fetch-Site", "same-origin")
        .header("Accept", "text/html")
        .header("Content-Type", "application/x-www-form-urlencoded");
    let answer = app.send(sign_out.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (302, "/login")
    );
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    // On the server too: the old cookie opens nothing.
    assert_eq!(app.page("/api-keys", Some(cookie)).await.status, 303);
    assert_eq!(app.count("select count(*) from operator_sessions").await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn wrong_credentials_are_indistinguishable(pool: PgPool) {
    let app = TestApp::new(pool);
    app.signed_in(EMAIL, Role::Admin).await;
    app.signed_in("gone@example.com", Role::Admin).await;
    app.services
        .operators
        .disable(&somebody(), "gone@example.com")
        .await
        .unwrap();
    let browser = [("Sec-Fetch-Site", "same-origin")];
    let mut answers = Vec::new();
    for (email, password) in [
        (EMAIL, "not the password"),
        ("nobody@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("no address", PASSWORD),
        (EMAIL, ""),
    ] {
        let answer = sign_in(&app, email, password, &browser).await;
        assert!(answer.headers.get("set-cookie").is_none());
        // The request's id alone may differ.
        let mut body = answer.json();
        body["requestId"].take();
        answers.push((answer.status.as_u16(), body));
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!(answers[0].0, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_form_post_without_wasm_redirects_with_the_error_but_no_password(pool: PgPool) {
    let app = TestApp::new(pool);
    let headers = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Accept", "text/html"),
        ("Referer", "https://registry.example/login?next=%2Fapi-keys"),
    ];
    let answer = sign_in(&app, EMAIL, PASSWORD, &headers).await;
    assert_eq!(answer.status, 302);
    let location = answer.header("location").to_owned();
    assert!(
        location.contains("/login") && !location.contains("canary"),
        "{location}"
    );
    let path = location.strip_prefix(PUBLIC_ORIGIN).unwrap_or(&location);
    let page = app.page(path, None).await;
    assert!(
        page.text.contains("E-mail or password is wrong"),
        "{}",
        page.text
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sessions_expire_by_idleness_and_by_age(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    let is_in = async || app.page("/api-keys", Some(&cookie)).await.status == 200;
    app.clock.advance(TimeDelta::minutes(59));
    assert!(is_in().await);
    app.clock.advance(TimeDelta::minutes(59));
    assert!(is_in().await);
    app.clock.advance(TimeDelta::minutes(60));
    assert!(!is_in().await);
    let cookie = {
        let session = app
            .services
            .sessions
            .sign_in(
                EMAIL,
                Zeroizing::new(PASSWORD.to_owned()),
                ClientInfo::default(),
                None,
            )
            .await
            .unwrap();
        format!("__Host-myproof-session={}", session.cookie.as_str())
    };
    for _ in 0..23 {
        app.clock.advance(TimeDelta::minutes(30));
        assert_eq!(app.page("/api-keys", Some(&cookie)).await.status, 200);
    }
    app.clock.advance(TimeDelta::minutes(30));
    assert_eq!(app.page("/api-keys", Some(&cookie)).await.status, 303);
    assert_eq!(app.services.sessions.sweep().await.unwrap(), 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_password_and_a_disabled_operator_end_sessions(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    let password = Zeroizing::new("canary password, the second".to_owned());
    app.services
        .operators
        .set_password(&somebody(), EMAIL, password.clone())
        .await
        .unwrap();
    assert_eq!(app.page("/api-keys", Some(&cookie)).await.status, 303);
    let session = app
        .services
        .sessions
        .sign_in(EMAIL, password, ClientInfo::default(), None)
        .await
        .unwrap();
    let cookie = format!("__Host-myproof-session={}", session.cookie.as_str());
    app.sql(
        "update operators set active = false where email = $1",
        EMAIL,
    )
    .await;
    assert_eq!(app.page("/api-keys", Some(&cookie)).await.status, 303);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_server_function_checks_the_origin(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    let before = app.count("select count(*) from audit_events").await;
    for (path, _) in server_fn_paths() {
        for headers in [
            &[][..],
            &[("Sec-Fetch-Site", "cross-site")],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Origin", "https://evil.example")],
            &[("Origin", "null")],
        ] {
            let mut request = Request::post(path)
                .header("Cookie", &cookie)
                .header("Content-Type", "application/json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = app
                .send(
                    request
                        .body(Body::from(body_for(path).to_string()))
                        .unwrap(),
                )
                .await;
            answer.problem(403, "forbidden", "");
        }
    }
    assert_eq!(app.count("select count(*) from audit_events").await, before);
    let request = Request::post("/rpc/keys/list")
        .header("Cookie", &cookie)
        .header("Content-Type", "application/json")
        .header("Origin", PUBLIC_ORIGIN);
    assert_eq!(
        app.send(request.body(Body::from(r#"{"query":{}}"#)).unwrap())
            .await
            .status,
        200
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_server_function_requires_a_session_and_a_role(pool: PgPool) {
    let app = TestApp::new(pool);
    let auditor = app.signed_in("auditor@example.com", Role::Auditor).await;
    let admin = app.signed_in(EMAIL, Role::Admin).await;
    let before = app.count("select count(*) from audit_events").await;
    for path in guarded() {
        let function = path.strip_prefix("/rpc/").unwrap();
        let answer = app.rpc(function, None, body_for(path)).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        let answer = app
            .rpc(
                function,
                Some("__Host-myproof-session=0000"),
                body_for(path),
            )
            .await;
        assert_eq!(answer.status, 401, "{path}");
        let answer = app.rpc(function, Some(&auditor), body_for(path)).await;
        let expected = FOR_ALL_ROLES.iter().find(|(known, _)| *known == path);
        assert_eq!(
            answer.status,
            expected.map_or(403, |(_, status)| *status),
            "{path}: {}",
            answer.text
        );
        let answer = app.rpc(function, Some(&admin), body_for(path)).await;
        assert!(
            ![401, 403, 500].contains(&answer.status.as_u16()),
            "{path}: {}",
            answer.text
        );
    }
    assert_eq!(app.count("select count(*) from audit_events").await, before);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn server_functions_accept_only_json_posts(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    let partner = app.partner("Acme").await;
    for (path, _) in server_fn_paths() {
        if !FORM_POSTS.contains(&path) {
            for kind in [
                "application/x-www-form-urlencoded",
                "text/plain",
                "multipart/form-data",
            ] {
                let request = Request::post(path)
                    .header("Cookie", &cookie)
                    .header("Sec-Fetch-Site", "same-origin")
                    .header("Content-Type", kind);
                let body = format!(
                    r#"{{"input":{{"partnerId":"{}","scopes":["assets:read"]}}}}"#,
                    partner.partner_id
                );
                app.send(request.body(Body::from(body)).unwrap())
                    .await
                    .problem(415, "invalid_request", "");
            }
        }
        let answer = app.page(path, Some(&cookie)).await;
        assert_eq!(answer.status, 405, "{path}");
    }
    assert_eq!(app.count("select count(*) from api_keys").await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_console_matches_rest_and_records_the_operator(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    let made = app
        .rpc(
            "partners/create",
            Some(&cookie),
            json!({"input": {"name": "Acme"}}),
        )
        .await;
    let partner_id = made.json()["partnerId"].clone();
    let input = json!({"input": {"partnerId": partner_id, "scopes": ["assets:read"]}});
    let issued = app.rpc("keys/issue", Some(&cookie), input).await;
    assert_eq!(
        (issued.status.as_u16(), issued.header("cache-control")),
        (200, "no-store")
    );
    let token = issued.json()["token"].as_str().unwrap().to_owned();
    let key = app.get("/api/key", &token).await.ok(200)["key"].clone();
    // To the partner staff have no names.
    assert_eq!(key["createdBy"], "operator");
    let key_id = key["keyId"].clone();
    let rotated = app
        .rpc(
            "keys/rotate",
            Some(&cookie),
            json!({"key_id": key_id, "input": {"graceSeconds": 0}}),
        )
        .await
        .json();
    let conflict = app
        .rpc(
            "keys/rotate",
            Some(&cookie),
            json!({"key_id": key_id, "input": {}}),
        )
        .await;
    assert_eq!(
        (conflict.status.as_u16(), &conflict.json()["replacedBy"]),
        (409, &rotated["keyId"])
    );
    let bad = app
        .rpc(
            "keys/issue",
            Some(&cookie),
            json!({"input": {"scopes": []}}),
        )
        .await;
    assert_eq!(
        (
            bad.status.as_u16(),
            bad.json()["fields"].as_array().unwrap().len()
        ),
        (400, 2)
    );
    app.rpc(
        "keys/revoke",
        Some(&cookie),
        json!({"key_id": rotated["keyId"], "input": {}}),
    )
    .await;
    app.get("/api/key", rotated["token"].as_str().unwrap())
        .await
        .problem(401, "unauthorized", "key_inactive");
    // REST reads no cookies.
    let request = Request::get("/api/key")
        .header("Cookie", &cookie)
        .body(Body::empty())
        .unwrap();
    app.send(request)
        .await
        .problem(401, "unauthorized", "missing_header");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pages_without_a_session_redirect_to_sign_in_and_back(pool: PgPool) {
    let app = TestApp::new(pool);
    let answer = app.page("/api-keys?q=a%20b", None).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/login?next=%2Fapi-keys%3Fq%3Da%2520b")
    );
    let answer = app.page("/", None).await;
    assert_eq!(answer.status, 303);
    let login = app.page("/login?next=%2Fapi-keys%3Fq%3Da", None).await;
    assert_eq!(login.status, 200);
    assert!(
        login.text.contains("value=\"/api-keys?q=a\""),
        "{}",
        login.text
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn next_redirects_only_to_own_pages(pool: PgPool) {
    let app = TestApp::new(pool);
    app.signed_in(EMAIL, Role::Admin).await;
    for next in [
        "https%3A%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "javascript%3A1",
    ] {
        let body = format!(
            "email=ops%40example.com&password={}&next={next}",
            PASSWORD.replace(' ', "+")
        );
        let request = Request::post("/rpc/session/sign-in")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "text/html")
            .header("Sec-Fetch-Site", "same-origin");
        let answer = app.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (302, "/api-keys"),
            "{next}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pages_are_complete_without_wasm_and_escape_text(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Auditor).await;
    let partner = app.partner("<b>Bold</b> & \"Söhne\" مؤسسة 🚀").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let page = app.page("/api-keys", Some(&cookie)).await;
    assert_eq!(
        (page.status.as_u16(), page.header("cache-control")),
        (200, "no-store")
    );
    assert!(page.text.contains(key.key_id.as_str()));
    assert!(page.text.contains("&lt;b&gt;Bold&lt;/b&gt; &amp;"));
    assert!(!page.text.contains("<b>Bold"));
    assert!(page.text.contains("Security Notes"));
    assert!(!page.text.contains(&*key.token) && !page.text.contains("argon2id$"));
    let csp = page.header("content-security-policy");
    assert!(
        csp.contains("'nonce-") && !csp.contains("unsafe-inline") && !csp.contains("unsafe-eval' "),
        "{csp}"
    );
    // A filter is a link's matter, and a bad one is said on the page.
    let none = app
        .page(
            "/api-keys?q=nothing-like-it&partnerId=&status=",
            Some(&cookie),
        )
        .await;
    assert!(none.text.contains("No key matches this filter."));
    let bad = app.page("/api-keys?status=alive", Some(&cookie)).await;
    assert!(bad.text.contains("must be one of"), "{}", bad.text);
    let answer = app.rpc("keys/nothing", Some(&cookie), json!({})).await;
    answer.problem(404, "not_found", "route_not_found");
    let missing = app.page("/nowhere", Some(&cookie)).await;
    assert_eq!(missing.status, 404);
    assert!(missing.text.contains("There is no page at this URL"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bad_server_function_calls_get_specific_errors(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    let auditor = app.signed_in("auditor@example.com", Role::Auditor).await;
    let post = async |path: &str, cookie: Option<&str>, kind: &str, body: Vec<u8>| {
        let mut request = Request::post(path)
            .header("Sec-Fetch-Site", "same-origin")
            .header("Accept", "text/html,*/*")
            .header("Content-Type", kind);
        if let Some(cookie) = cookie {
            request = request.header("Cookie", cookie);
        }
        app.send(request.body(Body::from(body)).unwrap()).await
    };
    let json = "application/json";
    for path in guarded() {
        for body in [
            &b"{bad"[..],
            b"[]",
            b"",
            b"\xff",
            br#"{"input":{"name":5},"query":7,"key_id":7}"#,
        ] {
            let answer = post(path, Some(&cookie), json, body.to_vec()).await;
            let is_answered = [200, 404].contains(&answer.status.as_u16());
            if !TAKE_NOTHING.contains(&path) || !is_answered {
                answer.problem(400, "invalid_request", "");
            }
            let refused = post(path, None, json, body.to_vec()).await;
            refused.problem(401, "unauthorized", "");
        }
        let large = post(path, Some(&cookie), json, vec![b' '; 70_000]).await;
        large.problem(413, "invalid_request", "");
    }
    // That a client takes HTML too makes no redirect of a refusal.
    let body = json!({"input": {"name": "Acme"}}).to_string().into_bytes();
    let refused = post("/rpc/partners/create", Some(&auditor), json, body).await;
    assert_eq!(
        refused.problem(403, "forbidden", "")["code"],
        "read_only_role"
    );
    let form = "application/x-www-form-urlencoded";
    let large = post("/rpc/session/sign-in", None, form, vec![b'a'; 70_000]).await;
    large.problem(413, "invalid_request", "");
    for body in ["", "email=a", "email=a&email=b&password=c"] {
        let request = Request::post("/rpc/session/sign-in")
            .header("Sec-Fetch-Site", "same-origin")
            .header("Content-Type", form);
        let answer = app.send(request.body(Body::from(body)).unwrap()).await;
        answer.problem(400, "invalid_request", "");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn urls_resolve_to_the_right_pages(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    for (path, cookie, status, location) in [
        ("/api-keys/?q=a", None, 308, "/api-keys?q=a"),
        ("/partners/", Some(&cookie), 308, "/partners"),
        ("/login", Some(&cookie), 303, "/api-keys"),
        (
            "/login?next=%2Fpartners%3Fq%3Da",
            Some(&cookie),
            303,
            "/partners?q=a",
        ),
        (
            "/login?next=%2F%2Fevil.example",
            Some(&cookie),
            303,
            "/api-keys",
        ),
        ("/login?next=%2Flogin", Some(&cookie), 303, "/api-keys"),
    ] {
        let answer = app.page(path, cookie.map(String::as_str)).await;
        let led = (answer.status.as_u16(), answer.header("location"));
        assert_eq!(led, (status, location), "{path}");
    }
    // A signed-in operator can sign out on a missing page too.
    let missing = app.page("/nowhere", Some(&cookie)).await;
    assert_eq!(missing.status, 404);
    assert!(missing.text.contains("Sign out"));
    assert!(!app.page("/nowhere", None).await.text.contains("Sign out"));
    for method in ["POST", "PUT", "DELETE"] {
        let request = Request::builder().method(method).uri("/robots.txt");
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        answer.problem(405, "invalid_request", "");
        assert_eq!(answer.header("allow"), "GET,HEAD");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn signing_in_replaces_the_session_cookie(pool: PgPool) {
    let app = TestApp::new(pool);
    let before = app.signed_in(EMAIL, Role::Admin).await;
    let chosen = format!("__Host-myproof-session={}", "5e".repeat(32));
    let mut last = String::new();
    for presented in [&chosen, &before] {
        let browser = [
            ("Cookie", presented.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        let answer = sign_in(&app, EMAIL, PASSWORD, &browser).await;
        let opened = answer
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        assert_ne!(&opened, presented);
        assert_eq!(app.page("/api-keys", Some(presented)).await.status, 303);
        assert_eq!(app.page("/api-keys", Some(&opened)).await.status, 200);
        last = opened;
    }
    // A wrong password ends nothing.
    let browser = [("Cookie", last.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let answer = sign_in(&app, EMAIL, "canary, but wrong", &browser).await;
    assert!(answer.headers.get("set-cookie").is_none());
    assert_eq!(app.page("/api-keys", Some(&last)).await.status, 200);
    // One that timed out by itself was not signed out now.
    const OUT: &str = "select count(*) from audit_events where action = 'operator.signed_out'";
    let before = app.count(OUT).await;
    app.clock.advance(TimeDelta::hours(2));
    let answer = sign_in(&app, EMAIL, PASSWORD, &browser).await;
    assert!(
        answer.headers.get("set-cookie").is_some(),
        "{}",
        answer.text
    );
    assert_eq!(app.count(OUT).await, before);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_cookie_is_invalid_after_signing_out(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in(EMAIL, Role::Admin).await;
    let sign_out = app.rpc("session/sign-out", Some(&cookie), json!({})).await;
    assert!(
        sign_out.status.is_success() || sign_out.status.is_redirection(),
        "{}",
        sign_out.text
    );
    for path in guarded() {
        let function = path.strip_prefix("/rpc/").unwrap();
        let answer = app.rpc(function, Some(&cookie), body_for(path)).await;
        assert_eq!(answer.status, 401, "{path}");
    }
    for (path, status) in [
        ("/api-keys", 303),
        ("/settings", 303),
        ("/audit/export", 303),
        ("/live", 401),
    ] {
        assert_eq!(app.page(path, Some(&cookie)).await.status, status, "{path}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn operators_list_and_end_their_own_sessions(pool: PgPool) {
    let app = TestApp::new(pool);
    let mine = app.signed_in(EMAIL, Role::Auditor).await;
    let theirs = app.signed_in("other@example.com", Role::Admin).await;
    app.clock.advance(TimeDelta::minutes(5));
    let answer = sign_in(&app, EMAIL, PASSWORD, &[("Sec-Fetch-Site", "same-origin")]).await;
    let other = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let list = async |cookie: &str| {
        let answer = app.rpc("session/list", Some(cookie), json!({})).await;
        answer.json()["sessions"].as_array().unwrap().clone()
    };
    let sessions = list(&mine).await;
    let shown: Vec<_> = sessions
        .iter()
        .map(|session| (&session["isThis"], &session["ip"]))
        .collect();
    let (yes, no, ip) = (json!(true), json!(false), json!("192.0.2.1"));
    // Most recently used first; the first one's origin is unknown.
    assert_eq!(shown.len(), 2);
    assert!(
        shown.contains(&(&yes, &Value::Null)) && shown.contains(&(&no, &ip)),
        "{shown:?}"
    );
    let id = |sessions: &[Value], is_this: bool| {
        let found = sessions.iter().find(|session| session["isThis"] == is_this);
        found.unwrap()["sessionId"].clone()
    };
    // Sessions of another operator can't be ended.
    let foreign = id(&list(&theirs).await, true);
    for (session_id, other_lives) in [(foreign, true), (id(&sessions, false), false)] {
        let body = json!({"session_id": session_id});
        assert_eq!(app.rpc("session/end", Some(&mine), body).await.status, 200);
        assert_eq!(app.page("/api-keys", Some(&theirs)).await.status, 200);
        let status = app.page("/api-keys", Some(&other)).await.status;
        assert_eq!(status == 200, other_lives);
    }
    assert_eq!(list(&mine).await.len(), 1);
    assert_eq!(
        app.count("select count(*) from audit_events where action = 'operator.signed_out'")
            .await,
        1
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn files_with_fixed_names_are_revalidated(pool: PgPool) {
    let app = TestApp::new(pool);
    let get = async |path: &str, validator: &str| {
        let request = Request::head(path).header("If-None-Match", validator);
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        let cache = answer.header("cache-control").to_owned();
        (
            answer.status.as_u16(),
            cache,
            answer.header("etag").to_owned(),
        )
    };
    let (tag, other) = ("\"tag\"".to_owned(), "\"other\"");
    let again = "no-cache".to_owned();
    assert_eq!(
        get("/fonts/OFL.txt", other).await,
        (200, again.clone(), tag.clone())
    );
    assert_eq!(get("/fonts/OFL.txt", &tag).await, (304, again, tag.clone()));
    let (status, cache, _) = get("/fonts/inter-latin.woff2", &tag).await;
    assert_eq!(
        (status, cache.as_str()),
        (200, "public, max-age=31536000, immutable")
    );
    let (status, cache, _) = get("/fonts/none.woff2", &tag).await;
    assert_eq!((status, cache.as_str()), (404, "no-store"));
}
