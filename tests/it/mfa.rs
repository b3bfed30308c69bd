//! Second factor: setup, sign-in, sensitive actions, loss, removal.

use axum::body::Body;
use axum::http::Request;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE32_NOPAD;
use myproof_registry::domain::error::AppError;
use myproof_registry::domain::key_input::RevokeInput;
use myproof_registry::domain::operator::Role;
use myproof_registry::server::clock::Clock;
use myproof_registry::server::crypto::totp;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Answer, PASSWORD, PEPPER, Setting, TestApp, somebody};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const EMAIL: &str = "ops@example.com";

/// An authenticator app.
struct Phone(Vec<u8>);

impl Phone {
    fn code(&self, at: DateTime<Utc>) -> String {
        format!("{:06}", totp::code(&self.0, totp::step(at)))
    }
}

/// Sets up a factor; the app that shows its codes, the recovery codes, and the session's cookie from then on.
async fn enrol(app: &TestApp, cookie: &str) -> (Phone, Vec<String>, String) {
    let begun = app
        .rpc(
            "factor/begin",
            Some(cookie),
            json!({ "password": PASSWORD }),
        )
        .await
        .json();
    let secret = begun["secret"].as_str().unwrap();
    let uri = begun["uri"].as_str().unwrap();
    assert!(uri.contains(&format!("secret={secret}")), "{uri}");
    let phone = Phone(BASE32_NOPAD.decode(secret.as_bytes()).unwrap());
    let code = phone.code(app.clock.now());
    let confirmed = app
        .rpc("factor/confirm", Some(cookie), json!({ "code": code }))
        .await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    let codes: Vec<String> = serde_json::from_value(confirmed.json()).unwrap();
    // The code that was just taken is not taken again.
    app.clock.advance(TimeDelta::seconds(60));
    (phone, codes, cookie_of(&confirmed))
}

/// Posts a form, as a browser without scripts does.
async fn form(app: &TestApp, function: &str, cookie: Option<&str>, body: String) -> Answer {
    let mut request = Request::post(format!("/rpc/{function}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "text/html")
        .header(
            "Referer",
            "https://registry.example/login/code?next=%2Faudit",
        )
        .header("Sec-Fetch-Site", "same-origin");
    if let Some(cookie) = cookie {
        request = request.header("Cookie", cookie);
    }
    app.send(request.body(Body::from(body)).unwrap()).await
}

fn cookie_of(answer: &Answer) -> String {
    let set = answer.header("set-cookie");
    set.split(';').next().unwrap().to_owned()
}

/// Signs in by password; the cookie that waits for the factor.
async fn half_signed_in(app: &TestApp) -> String {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("email", EMAIL), ("password", PASSWORD), ("next", "/audit")])
        .finish();
    let answer = form(app, "session/sign-in", None, body).await;
    assert_eq!(answer.header("location"), "/login/code?next=%2Faudit");
    cookie_of(&answer)
}

async fn verify(app: &TestApp, cookie: &str, code: &str) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("code", code), ("next", "/audit")])
        .finish();
    form(app, "session/verify-code", Some(cookie), body).await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sign_in_requires_the_password_and_a_code(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let (phone, _, _) = enrol(&app, &cookie).await;
    let waiting = half_signed_in(&app).await;
    // A pending sign-in opens only the page that asks for the code.
    let listed = app
        .rpc("keys/list", Some(&waiting), json!({"query": {}}))
        .await;
    listed.problem(401, "unauthorized", "");
    let page = app.page("/api-keys", Some(&waiting)).await;
    assert_eq!(page.header("location"), "/login?next=%2Fapi-keys");
    let page = app.page("/login/code?next=%2Faudit", Some(&waiting)).await;
    assert!(page.text.contains("Second factor"));
    assert_eq!(page.status, 200);

    let wrong = verify(&app, &waiting, "000000").await;
    assert!(wrong.header("location").contains("__err="));
    let code = phone.code(app.clock.now());
    let done = verify(&app, &waiting, &code).await;
    assert_eq!(done.header("location"), "/audit");
    let full = cookie_of(&done);
    // Another cookie, and the one that waited is worth nothing any more (session fixation).
    assert_ne!(full, waiting);
    assert_eq!(app.page("/audit", Some(&full)).await.status, 200);
    let over = app.page("/login/code", Some(&waiting)).await;
    assert_eq!(over.header("location"), "/login?");
    // A code is accepted once.
    let again = half_signed_in(&app).await;
    let replayed = verify(&app, &again, &code).await;
    assert!(replayed.header("location").contains("__err="));
    app.clock.advance(TimeDelta::seconds(30));
    let next = phone.code(app.clock.now());
    assert_eq!(
        verify(&app, &again, &next).await.header("location"),
        "/audit"
    );
    // A pending sign-in expires.
    let late = half_signed_in(&app).await;
    app.clock.advance(TimeDelta::minutes(5));
    let page = app.page("/login/code", Some(&late)).await;
    assert_eq!(page.header("location"), "/login?");
    let code = phone.code(app.clock.now());
    assert!(
        verify(&app, &late, &code)
            .await
            .header("location")
            .contains("__err=")
    );
    // Only completed sign-ins are recorded.
    let told = "select count(*) from audit_events where action = 'operator.signed_in'";
    assert_eq!(app.count(told).await, 3);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_recovery_code_works_once(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let (_, codes, _) = enrol(&app, &cookie).await;
    assert_eq!(codes.len(), 10);
    let stored: Vec<u8> =
        sqlx::query_scalar("select string_agg(code_hash, '') from operator_recovery_codes")
            .fetch_one(app.services.pool())
            .await
            .unwrap();
    assert_eq!(stored.len(), 320);
    let waiting = half_signed_in(&app).await;
    let typed = codes[3].to_uppercase().replace('-', " ");
    let done = verify(&app, &waiting, &typed).await;
    assert_eq!(done.header("location"), "/audit");
    let full = cookie_of(&done);
    let left = async |cookie: &str| {
        app.rpc("factor/get", Some(cookie), json!({})).await.json()["factor"]["recoveryCodesLeft"]
            .as_i64()
            .unwrap()
    };
    assert_eq!(left(&full).await, 9);
    let waiting = half_signed_in(&app).await;
    assert!(
        verify(&app, &waiting, &codes[3])
            .await
            .header("location")
            .contains("__err=")
    );
    // New ones take the place of all.
    let renewed = app.rpc("factor/renew-codes", Some(&full), json!({})).await;
    let renewed: Vec<String> = serde_json::from_value(renewed.json()).unwrap();
    assert!(
        verify(&app, &waiting, &codes[4])
            .await
            .header("location")
            .contains("__err=")
    );
    assert_eq!(
        verify(&app, &waiting, &renewed[0]).await.header("location"),
        "/audit"
    );
}

/// Sensitive server functions with their arguments.
async fn harmful(app: &TestApp) -> Vec<(&'static str, Value)> {
    let partner = app.partner("Acme").await;
    let admin_key = app.key(&partner, &["admin:*"]).await.key_id;
    let other = app.key(&partner, &["admin:*"]).await.key_id;
    app.services
        .keys
        .revoke(
            &somebody(),
            other.as_str(),
            RevokeInput::default().check().unwrap(),
        )
        .await
        .unwrap();
    let webhook = json!({"url": "https://hooks.example.com/a", "kinds": ["key.revoked"]});
    let nil = "00000000-0000-0000-0000-000000000000";
    let new = json!({"email": "new@example.com", "role": "auditor", "password": PASSWORD});
    let bulk = json!({"select": {"keyIds": [admin_key]}});
    vec![
        (
            "keys/issue",
            json!({"input": {"partnerId": partner.partner_id, "scopes": ["admin:*"]}}),
        ),
        ("keys/rotate", json!({"key_id": admin_key, "input": {}})),
        (
            "keys/update",
            json!({"key_id": admin_key, "input": {"notAfter": null}}),
        ),
        (
            "keys/grace",
            json!({"key_id": admin_key, "input": {"graceSeconds": 3600}}),
        ),
        ("keys/restore", json!({"key_id": other, "input": {}})),
        ("bulk/rotate", json!({ "input": bulk })),
        ("bulk/revoke", json!({ "input": bulk })),
        (
            "notices/create-webhook",
            json!({"partner_id": partner.partner_id, "input": webhook}),
        ),
        (
            "notices/update-webhook",
            json!({"webhook_id": nil, "input": {"active": false}}),
        ),
        ("notices/delete-webhook", json!({ "webhook_id": nil })),
        ("operators/create", json!({ "input": new })),
        (
            "operators/update",
            json!({"operator_id": nil, "input": {"active": false}}),
        ),
        (
            "operators/password",
            json!({"email": "a@example.com", "password": PASSWORD}),
        ),
        ("operators/remove-factor", json!({"email": "a@example.com"})),
        ("factor/renew-codes", json!({})),
        ("factor/remove", json!({})),
    ]
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sensitive_actions_require_a_fresh_code(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let harmful = harmful(&app).await;
    let before = app.count("select count(*) from audit_events").await;
    let needed = async |cookie: &str, enrolled: bool| {
        for (function, body) in &harmful {
            let answer = app.rpc(function, Some(cookie), body.clone()).await;
            assert_eq!(answer.status, 403, "{function}: {}", answer.text);
            let told = (&answer.json()["code"], &answer.json()["enrolled"]);
            assert_eq!(
                told,
                (&json!("factor_needed"), &json!(enrolled)),
                "{function}"
            );
        }
    };
    needed(&cookie, false).await;
    assert_eq!(app.count("select count(*) from audit_events").await, before);
    let (phone, _, cookie) = enrol(&app, &cookie).await;
    // Fresh from setting it up, and for five minutes.
    let code = async |cookie: &str, code: &str| {
        app.rpc("factor/prove", Some(cookie), json!({ "code": code }))
            .await
    };
    let passes = async |cookie: &str| {
        for (function, body) in &harmful[..3] {
            let answer = app.rpc(function, Some(cookie), body.clone()).await;
            assert_ne!(answer.status, 403, "{function}: {}", answer.text);
        }
    };
    app.clock.advance(TimeDelta::minutes(5));
    needed(&cookie, true).await;
    assert_eq!(code(&cookie, "12345").await.status, 400);
    assert_eq!(code(&cookie, "000000").await.json()["code"], "wrong_code");
    needed(&cookie, true).await;
    let proven = code(&cookie, &phone.code(app.clock.now())).await;
    assert_eq!(proven.status, 200);
    let renewed = cookie_of(&proven);
    passes(&renewed).await;
    // The cookie of before is for what was under way: it is not fresh, and ends.
    needed(&cookie, true).await;
    assert_eq!(app.page("/audit", Some(&cookie)).await.status, 200);
    let listed = app.rpc("session/list", Some(&cookie), json!({})).await;
    assert_eq!(
        listed.json()["sessions"][0]["isThis"],
        true,
        "{}",
        listed.text
    );
    let again = code(
        &cookie,
        &phone.code(app.clock.now() + TimeDelta::seconds(30)),
    )
    .await;
    assert_eq!(again.status, 401);
    app.clock.advance(TimeDelta::seconds(10));
    assert_eq!(app.page("/audit", Some(&cookie)).await.status, 303);
    assert_eq!(app.page("/audit", Some(&renewed)).await.status, 200);
    let cookie = renewed;
    // A key that opens less takes none, nor does a revocation.
    app.clock.advance(TimeDelta::minutes(6));
    let partner = app.partner("Plain").await;
    let issue = json!({"input": {"partnerId": partner.partner_id, "scopes": ["assets:read"]}});
    let plain = app.rpc("keys/issue", Some(&cookie), issue).await.json();
    let rotate = json!({"key_id": plain["keyId"], "input": {}});
    let rotated = app.rpc("keys/rotate", Some(&cookie), rotate).await.json();
    let revoke = json!({"key_id": rotated["keyId"], "input": {}});
    assert_eq!(
        app.rpc("keys/revoke", Some(&cookie), revoke).await.status,
        200
    );
    // Nor does REST: an admin key is not an unattended session.
    let admin = app.admin().await;
    let body = json!({"partnerId": partner.partner_id, "scopes": ["admin:*"]});
    app.post("/api/admin/api-keys/issue", &admin, body)
        .await
        .ok(201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_session_alone_cannot_set_up_mfa(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Auditor).await;
    let begin = async |cookie: &str, password: &str| {
        app.rpc(
            "factor/begin",
            Some(cookie),
            json!({ "password": password }),
        )
        .await
    };
    let refused = begin(&cookie, "another password").await;
    assert_eq!(refused.faults(), ["password"]);
    // An unconfirmed setup does not count, and can be restarted.
    assert_eq!(begin(&cookie, PASSWORD).await.status, 200);
    assert_eq!(begin(&cookie, PASSWORD).await.status, 200);
    let other = app
        .services
        .sessions
        .sign_in(EMAIL, PASSWORD.to_owned().into(), Default::default(), None)
        .await
        .unwrap();
    assert!(!other.awaits_factor);
    let other = format!("__Host-myproof-session={}", other.cookie.as_str());
    let (_, _, cookie) = enrol(&app, &cookie).await;
    // All other sessions have ended.
    assert_eq!(app.page("/audit", Some(&other)).await.status, 303);
    assert_eq!(app.page("/audit", Some(&cookie)).await.status, 200);
    begin(&cookie, PASSWORD)
        .await
        .problem(409, "conflict", "factor_exists");
    let secret = app.rpc("factor/get", Some(&cookie), json!({})).await.text;
    assert!(!secret.contains("secret"), "{secret}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn code_guesses_are_throttled(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let (phone, _, cookie) = enrol(&app, &cookie).await;
    let mut statuses = Vec::new();
    for n in 0..8 {
        let body = json!({"code": format!("{n:06}")});
        statuses.push(
            app.rpc("factor/prove", Some(&cookie), body)
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [403, 403, 403, 403, 403, 403, 429, 429]);
    // The right one waits as well, and then is taken.
    let right = async || {
        let code = phone.code(app.clock.now());
        app.rpc("factor/prove", Some(&cookie), json!({ "code": code }))
            .await
            .status
            .as_u16()
    };
    assert_eq!(right().await, 429);
    app.clock.advance(TimeDelta::seconds(60));
    assert_eq!(right().await, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn another_admin_can_remove_a_lost_factor(pool: PgPool) {
    let app = TestApp::new(pool);
    let lost = app.signed_in_by_password(EMAIL, Role::Admin).await;
    enrol(&app, &lost).await;
    let helper = app.signed_in("helper@example.com", Role::Admin).await;
    let list = app
        .rpc("operators/list", Some(&helper), json!({}))
        .await
        .json();
    assert_eq!(list["with_factor"].as_array().unwrap().len(), 1);
    let body = json!({ "email": EMAIL });
    assert_eq!(
        app.rpc("operators/remove-factor", Some(&helper), body.clone())
            .await
            .status,
        200
    );
    app.rpc("operators/remove-factor", Some(&helper), body)
        .await
        .problem(404, "not_found", "factor_not_found");
    assert_eq!(app.page("/audit", Some(&lost)).await.status, 303);
    let again = app
        .services
        .sessions
        .sign_in(EMAIL, PASSWORD.to_owned().into(), Default::default(), None)
        .await
        .unwrap();
    assert!(!again.awaits_factor);
    let told = "select count(*) from audit_events where action = 'operator.factor_removed'";
    assert_eq!(app.count(told).await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn common_passwords_are_refused(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.signed_in(EMAIL, Role::Admin).await;
    let create = async |password: &str| {
        let new =
            json!({"input": {"email": "new@example.com", "role": "auditor", "password": password}});
        app.rpc("operators/create", Some(&admin), new).await
    };
    assert_eq!(create("new@example.com 2026").await.faults(), ["password"]);
    let refused = create("QwertyQwerty").await;
    assert_eq!(refused.faults(), ["password"]);
    assert!(refused.text.contains("known from leaks"));
    let change = json!({"current": PASSWORD, "new": "qwertyqwerty"});
    let refused = app
        .rpc("session/change-password", Some(&admin), change)
        .await;
    assert_eq!(refused.faults(), ["new"]);
}

/// Waits until a statement of this database waits for a lock.
async fn somebody_waits(pool: &PgPool) {
    let waiting = "select count(*) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'";
    for _ in 0..1_000 {
        let count: i64 = sqlx::query_scalar(waiting).fetch_one(pool).await.unwrap();
        if count > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("nobody waits");
}

/// The password is right when it is looked at, and something else by the time the session is added.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_sign_in_in_progress_sees_concurrent_changes(pool: PgPool) {
    let app = TestApp::new(pool.clone());
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let sign_in = || {
        let services = app.services.clone();
        tokio::spawn(async move {
            services
                .sessions
                .sign_in(EMAIL, PASSWORD.to_owned().into(), Default::default(), None)
                .await
        })
    };
    // A factor is set up meanwhile: it is asked for.
    let mut change = pool.begin().await.unwrap();
    for statement in [
        "select from operators for no key update",
        "insert into operator_factors (operator_id, sealed_secret, pepper_fingerprint, created_at, confirmed_at)
         select operator_id, 'nothing', '12345678', now(), now() from operators",
    ] {
        sqlx::query(statement).execute(&mut *change).await.unwrap();
    }
    let under_way = sign_in();
    somebody_waits(&pool).await;
    change.commit().await.unwrap();
    assert!(under_way.await.unwrap().unwrap().awaits_factor);
    // Even a session that was there all along is none for who has a factor, until it was shown in it.
    assert_eq!(app.page("/audit", Some(&cookie)).await.status, 303);
    sqlx::query("delete from operator_factors")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(app.page("/audit", Some(&cookie)).await.status, 200);
    // The password is replaced meanwhile: it is wrong.
    let mut change = pool.begin().await.unwrap();
    sqlx::query("update operators set password_hash = password_hash || 'x'")
        .execute(&mut *change)
        .await
        .unwrap();
    let under_way = sign_in();
    somebody_waits(&pool).await;
    change.commit().await.unwrap();
    assert_eq!(
        under_way.await.unwrap().err(),
        Some(AppError::WrongCredentials)
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn recovery_codes_end_with_their_pepper_and_this_is_shown(pool: PgPool) {
    let app = TestApp::new(pool.clone());
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    enrol(&app, &cookie).await;
    let operator = app.services.operators.list().await.unwrap().remove(0);
    assert_eq!(
        app.services
            .mfa
            .count_uncovered_recovery_codes()
            .await
            .unwrap(),
        0
    );
    for (retired, left) in [(&[PEPPER][..], 10), (&[], 0)] {
        let next = TestApp::with(
            pool.clone(),
            Setting {
                pepper: "canary-pepper-of-next-year-0123456789",
                retired,
                seed: 2,
                ..Setting::default()
            },
        );
        let factor = next.services.mfa.get(&operator).await.unwrap();
        assert_eq!(factor.recovery_codes_left, left);
        let uncovered = next
            .services
            .mfa
            .count_uncovered_recovery_codes()
            .await
            .unwrap();
        assert_eq!(uncovered, 10 - left);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn code_guessing_does_not_block_recovery_codes(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let (phone, codes, cookie) = enrol(&app, &cookie).await;
    let prove = async |code: &str| {
        let body = json!({ "code": code });
        app.rpc("factor/prove", Some(&cookie), body)
            .await
            .status
            .as_u16()
    };
    // Each as soon as it is let: an hour and a half brings no more than some twenty guesses, and an hour's
    // rest begins nothing anew.
    let mut guesses = 0;
    for minute in 0..90 {
        app.clock.advance(TimeDelta::minutes(1));
        guesses += u32::from(prove("000000").await == 403);
        if minute == 55 {
            app.clock.advance(TimeDelta::minutes(55));
        }
    }
    assert!((10..25).contains(&guesses), "{guesses}");
    // Longer than an address waits, which all of these came from.
    app.clock.advance(TimeDelta::minutes(1));
    let body = json!({ "code": phone.code(app.clock.now()) });
    let slowed = app.rpc("factor/prove", Some(&cookie), body).await;
    let wait: u32 = slowed.header("retry-after").parse().unwrap();
    assert!(
        slowed.status == 429 && wait > 60,
        "{} {wait}",
        slowed.status
    );
    // Nor do guesses at recovery codes keep their owner out for longer than seconds.
    let operator = app.services.operators.list().await.unwrap().remove(0);
    let presented = cookie.split_once('=').unwrap().1;
    for n in 0..40 {
        app.clock.advance(TimeDelta::seconds(2));
        let client = format!("198.51.100.{n}").parse().ok();
        let guessed = app
            .services
            .mfa
            .verify(&operator, presented, "aaaa-aaaa-aaaa-aaaa", client)
            .await;
        assert_eq!(guessed.err(), Some(AppError::WrongCode), "{n}");
    }
    app.clock.advance(TimeDelta::seconds(2));
    assert_eq!(prove(&codes[0]).await, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_expired_pending_sign_in_is_reported(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let (phone, _, _) = enrol(&app, &cookie).await;
    let late = half_signed_in(&app).await;
    app.clock.advance(TimeDelta::minutes(6));
    let mut answer = verify(&app, &late, &phone.code(app.clock.now())).await;
    for _ in 0..2 {
        let next = answer
            .header("location")
            .replace("https://registry.example", "");
        assert!(next.contains("__err="), "{next}");
        answer = app.page(&next, Some(&late)).await;
    }
    assert_eq!(answer.status, 200);
    assert!(
        answer.text.contains("You are signed out"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("value=\"/audit\""));
}

/// Signing out ends the session even if its cookie was replaced meanwhile.
#[sqlx::test(migrator = "MIGRATOR")]
async fn signing_out_with_the_previous_cookie_ends_the_session(pool: PgPool) {
    let app = TestApp::new(pool);
    let before = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let (_, _, cookie) = enrol(&app, &before).await;
    sqlx::query("update operator_sessions set renewed_at = $1")
        .bind(app.clock.now())
        .execute(&app.pool)
        .await
        .unwrap();
    assert_eq!(app.page("/audit", Some(&cookie)).await.status, 200);
    let presented = before.split_once('=').unwrap().1;
    app.services
        .sessions
        .sign_out(presented, Default::default())
        .await
        .unwrap();
    assert_eq!(app.page("/audit", Some(&cookie)).await.status, 303);
    let told = "select count(*) from audit_events where action = 'operator.signed_out'";
    assert_eq!(app.count(told).await, 1);
}

/// Guesses at codes do not keep the owner from setting up another factor.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_removed_factor_leaves_no_throttling(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in_by_password(EMAIL, Role::Admin).await;
    let (_, codes, cookie) = enrol(&app, &cookie).await;
    let prove = async |code: &str| {
        app.rpc("factor/prove", Some(&cookie), json!({ "code": code }))
            .await
    };
    for _ in 0..40 {
        app.clock.advance(TimeDelta::minutes(1));
        prove("000000").await;
    }
    app.clock.advance(TimeDelta::minutes(1));
    let proven = prove(&codes[0]).await;
    assert_eq!(proven.status, 200, "{}", proven.text);
    let cookie = cookie_of(&proven);
    let removed = app.rpc("factor/remove", Some(&cookie), json!({})).await;
    assert_eq!(removed.status, 200, "{}", removed.text);
    app.clock.advance(TimeDelta::minutes(1));
    enrol(&app, &cookie).await;
}
