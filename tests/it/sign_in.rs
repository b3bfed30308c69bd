//! Signing in under attack: slowed per account and per address, never locked, and nothing tells
//! whether an account exists.

use chrono::TimeDelta;
use data_encoding::BASE64_NOPAD;
use futures::future::join_all;
use myproof_registry::domain::error::{AppError, AppResult};
use myproof_registry::domain::operator::Role;
use myproof_registry::server::service::ClientInfo;
use serde_json::json;
use sqlx::PgPool;
use zeroize::Zeroizing;

use crate::support::{PASSWORD, TestApp, somebody};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const EMAIL: &str = "ops@example.com";

async fn with_operator(pool: PgPool) -> TestApp {
    let app = TestApp::new(pool);
    let password = Zeroizing::new(PASSWORD.to_owned());
    app.services
        .operators
        .create(&somebody(), EMAIL, Role::Admin, password)
        .await
        .unwrap();
    app
}

async fn attempt(app: &TestApp, email: &str, password: &str, client: &str) -> AppResult<()> {
    let client_info = ClientInfo {
        ip: (!client.is_empty()).then(|| client.parse().unwrap()),
        request_id: None,
    };
    let password = Zeroizing::new(password.to_owned());
    app.services
        .sessions
        .sign_in(email, password, client_info, None)
        .await
        .map(|_| ())
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn guesses_are_throttled_and_the_right_password_is_never_locked_out(pool: PgPool) {
    let app = with_operator(pool).await;
    for email in [EMAIL, "nobody@example.com"] {
        for n in 0..6 {
            let client = format!("192.0.2.{n}");
            let outcome = attempt(&app, email, "wrong", &client).await;
            assert_eq!(outcome, Err(AppError::WrongCredentials), "{email} {n}");
        }
        // From anywhere, and with the right password too: the account itself is slowed.
        let slowed = Err(AppError::RateLimited { retry_after: 1 });
        assert_eq!(attempt(&app, email, PASSWORD, "192.0.2.99").await, slowed);
        app.clock.advance(TimeDelta::seconds(1));
        let outcome = attempt(&app, email, "wrong", "192.0.2.7").await;
        assert_eq!(outcome, Err(AppError::WrongCredentials), "{email}");
        let slowed = Err(AppError::RateLimited { retry_after: 2 });
        assert_eq!(attempt(&app, email, "wrong", "192.0.2.8").await, slowed);
        for _ in 0..20 {
            app.clock.advance(TimeDelta::minutes(1));
            let outcome = attempt(&app, email, "wrong", "").await;
            assert_eq!(outcome, Err(AppError::WrongCredentials), "{email}");
        }
        assert_eq!(
            attempt(&app, email, "wrong", "").await,
            Err(AppError::RateLimited { retry_after: 60 })
        );
    }
    app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(attempt(&app, EMAIL, PASSWORD, "").await, Ok(()));
    // A success forgets the failures.
    for _ in 0..5 {
        let outcome = attempt(&app, EMAIL, "wrong", "").await;
        assert_eq!(outcome, Err(AppError::WrongCredentials));
    }
    assert_eq!(attempt(&app, EMAIL, PASSWORD, "").await, Ok(()));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_address_is_throttled_across_accounts(pool: PgPool) {
    let app = with_operator(pool).await;
    for n in 0..21 {
        let email = format!("somebody-{n}@example.com");
        let outcome = attempt(&app, &email, "wrong", "2001:db8::1").await;
        assert_eq!(outcome, Err(AppError::WrongCredentials), "{n}");
    }
    // The whole network of one subscriber is one address, and others are none of it.
    let slowed = Err(AppError::RateLimited { retry_after: 1 });
    assert_eq!(attempt(&app, EMAIL, PASSWORD, "2001:db8::2").await, slowed);
    assert_eq!(
        attempt(&app, EMAIL, PASSWORD, "2001:db8:0:1::1").await,
        Ok(())
    );
    // What was refused for its address has cost the account nothing.
    app.clock.advance(TimeDelta::hours(1));
    assert_eq!(attempt(&app, EMAIL, PASSWORD, "2001:db8::2").await, Ok(()));
    app.clock.advance(TimeDelta::days(2));
    assert!(app.services.sessions.sweep_attempts().await.unwrap() > 0);
    let left = app.count("select count(*) from sign_in_attempts").await;
    assert_eq!(left, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_guesses_are_each_counted(pool: PgPool) {
    let app = with_operator(pool).await;
    let guesses = (0..12).map(|_| attempt(&app, EMAIL, "wrong", "192.0.2.1"));
    let outcomes = join_all(guesses).await;
    let tried = outcomes
        .iter()
        .filter(|outcome| **outcome == Err(AppError::WrongCredentials))
        .count();
    assert_eq!(tried, 6, "{outcomes:?}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn changing_one_s_password_ends_the_other_sessions(pool: PgPool) {
    let app = TestApp::new(pool);
    let mine = app.signed_in(EMAIL, Role::Auditor).await;
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
    let other = format!("__Host-myproof-session={}", session.cookie.as_str());
    let change = async |cookie: &str, current: &str, new: &str| {
        let body = json!({"current": current, "new": new});
        app.rpc("session/change-password", Some(cookie), body).await
    };
    let faults = |answer: crate::support::Answer| {
        assert_eq!(answer.status, 400, "{}", answer.text);
        answer.json()["fields"][0]["path"].clone()
    };
    assert_eq!(faults(change(&mine, PASSWORD, "too short").await), "new");
    assert_eq!(
        faults(change(&mine, "wrong", "a canary of twelve").await),
        "current"
    );
    assert_eq!(app.page("/api-keys", Some(&other)).await.status, 200);

    let changed = change(&mine, PASSWORD, "a canary of twelve").await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let renewed = changed.header("set-cookie");
    let renewed = renewed.split(';').next().unwrap();
    assert_eq!(app.page("/api-keys", Some(renewed)).await.status, 200);
    assert_eq!(app.page("/api-keys", Some(&other)).await.status, 303);
    app.clock.advance(TimeDelta::seconds(10));
    assert_eq!(app.page("/api-keys", Some(&mine)).await.status, 303);
    assert!(attempt(&app, EMAIL, PASSWORD, "").await.is_err());
    assert_eq!(attempt(&app, EMAIL, "a canary of twelve", "").await, Ok(()));
    let event: (String, String) = sqlx::query_as(
        "select actor_type || ':' || actor_id, details::text from audit_events where action = 'operator.password_set'",
    )
    .fetch_one(&app.pool)
    .await
    .unwrap();
    assert_eq!(event.0, "operator:ops@example.com");
    assert!(!event.1.contains("canary"));
    // Guessing the present password is slowed like signing in.
    for _ in 0..6 {
        assert_eq!(
            faults(change(renewed, "wrong", "a canary of twelve").await),
            "current"
        );
    }
    let slowed = change(renewed, "wrong", "a canary of twelve").await;
    assert_eq!(
        (slowed.status.as_u16(), slowed.header("retry-after")),
        (429, "1")
    );
}

/// The time of a refusal does not reveal whether an account exists: the ranks of the two
/// kinds of attempt are mixed as chance would mix them (Mann and Whitney's U).
#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unknown_email_takes_as_long_as_a_wrong_password(pool: PgPool) {
    const EACH: usize = 40;
    let app = with_operator(pool).await;
    let mut times = Vec::new();
    for n in 0..2 * EACH {
        app.clock.advance(TimeDelta::minutes(10));
        let is_known = n % 2 == 0;
        let email = if is_known {
            EMAIL
        } else {
            "nobody@example.com"
        };
        let begun = std::time::Instant::now();
        let outcome = attempt(&app, email, "canary, but wrong", "").await;
        times.push((begun.elapsed(), is_known));
        assert_eq!(outcome, Err(AppError::WrongCredentials));
    }
    times.sort_unstable();
    let ranks = times
        .iter()
        .enumerate()
        .filter(|(_, (_, is_known))| *is_known);
    let sum: usize = ranks.map(|(rank, _)| rank + 1).sum();
    let n = EACH as f64;
    let u = sum as f64 - n * (n + 1.0) / 2.0;
    let z = (u - n * n / 2.0) / (n * n * (2.0 * n + 1.0) / 12.0).sqrt();
    assert!(z.abs() < 4.5, "z = {z:.1}: the two can be told apart");
}

/// A password whose hash was made with other parameters gets a new one when it is next seen.
#[sqlx::test(migrator = "MIGRATOR")]
async fn an_old_hash_is_upgraded_at_sign_in(pool: PgPool) {
    let app = with_operator(pool).await;
    // m = 64 KiB, t = 1, of PASSWORD.
    let weak = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        argon2::Params::new(64, 1, 1, None).unwrap(),
    );
    let mut out = [0; 32];
    weak.hash_password_into(PASSWORD.as_bytes(), b"nobody nobody!!", &mut out)
        .unwrap();
    let phc = format!(
        "$argon2id$v=19$m=64,t=1,p=1$bm9ib2R5IG5vYm9keSEh${}",
        BASE64_NOPAD.encode(&out)
    );
    sqlx::query("update operators set password_hash = $1")
        .bind(&phc)
        .execute(&app.pool)
        .await
        .unwrap();
    assert!(attempt(&app, EMAIL, "another password", "").await.is_err());
    let stored = "select password_hash from operators";
    let hash = async || {
        sqlx::query_scalar::<_, String>(stored)
            .fetch_one(&app.pool)
            .await
            .unwrap()
    };
    assert_eq!(hash().await, phc);
    for _ in 0..2 {
        assert_eq!(attempt(&app, EMAIL, PASSWORD, "").await, Ok(()));
        assert!(hash().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sessions_of_one_operator_or_all_are_ended(pool: PgPool) {
    let app = TestApp::new(pool);
    let one = app.signed_in(EMAIL, Role::Admin).await;
    let two = app.signed_in("two@example.com", Role::Auditor).await;
    let opens = async |cookie: &str| app.page("/audit", Some(cookie)).await.status == 200;
    let end = async |email: Option<&str>| app.services.sessions.end_all(&somebody(), email).await;
    assert!(end(Some("nobody@example.com")).await.is_err());
    assert_eq!(end(Some(" Two@example.com")).await, Ok(1));
    assert!(opens(&one).await && !opens(&two).await);
    assert_eq!(end(None).await, Ok(1));
    assert!(!opens(&one).await);
    assert_eq!(end(None).await, Ok(0));
    let told = "select count(*) from audit_events where action = 'operator.signed_out'";
    assert_eq!(app.count(told).await, 2);
}
