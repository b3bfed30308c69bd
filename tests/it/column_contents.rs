//! Contents of every column: none holds a secret in a usable form.

use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER};
use myproof_registry::domain::operator::Role;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{PASSWORD, PEPPER, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// Every row of every table as text, bytes in hex.
async fn everything(pool: &PgPool) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I', table_name) from information_schema.tables where table_schema = 'public'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut text = String::new();
    for table in tables {
        let query = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {table} t");
        let rows: String = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .fetch_one(pool)
            .await
            .unwrap();
        text.push_str(&rows);
        text.push('\n');
    }
    text
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_column_holds_a_secret(pool: PgPool) {
    let app = TestApp::new(pool.clone());
    let admin = app.admin().await;
    let cookie = app.signed_in("ops@example.com", Role::Admin).await;
    let partner = app.partner("Acme").await;
    let issued = app.key(&partner, &["assets:read", "assets:mint"]).await;
    let rotated = json!({"key_id": issued.key_id, "input": {"graceSeconds": 3600}});
    let rotated = app.rpc("keys/rotate", Some(&cookie), rotated).await.json();
    let webhook = json!({"partner_id": partner.partner_id, "input": {"url": "https://hooks.example.com/", "kinds": ["key.revoked"]}});
    let webhook = app
        .rpc("notices/create-webhook", Some(&cookie), webhook)
        .await
        .json();
    let begun = json!({ "password": PASSWORD });
    let begun = app.rpc("factor/begin", Some(&cookie), begun).await.json();
    let secret = BASE32_NOPAD
        .decode(begun["secret"].as_str().unwrap().as_bytes())
        .unwrap();
    let code = myproof_registry::server::crypto::totp::code(&secret, {
        use myproof_registry::server::clock::Clock;
        myproof_registry::server::crypto::totp::step(app.clock.now())
    });
    let confirmed = json!({ "code": format!("{code:06}") });
    let codes = app
        .rpc("factor/confirm", Some(&cookie), confirmed)
        .await
        .json();
    // Accepted, refused and failed: each leaves a trace.
    app.get("/api/key", &issued.token).await.ok(200);
    app.get("/api/key", &format!("{}0", &*issued.token)).await;
    let minted = json!({"contentHash": "ab".repeat(32), "title": "A title"});
    app.post(
        "/api/proof-assets",
        rotated["token"].as_str().unwrap(),
        minted,
    )
    .await
    .ok(201);
    let failed = app.services.sessions.sign_in(
        "ops@example.com",
        "canary of a wrong password".to_owned().into(),
        Default::default(),
        None,
    );
    assert!(failed.await.is_err());
    app.services.audit.write_denied_actions().await.unwrap();

    let stored = everything(&pool).await;
    assert!(stored.contains("ops@example.com") && stored.contains("hooks.example.com"));
    let mut needles = vec![
        PEPPER.to_owned(),
        PASSWORD.to_owned(),
        "canary of a wrong password".to_owned(),
        cookie.split_once('=').unwrap().1.to_owned(),
    ];
    for token in [&*admin, &*issued.token, rotated["token"].as_str().unwrap()] {
        let secret = token.split_once('.').unwrap().1;
        // Whole, without its checksum, and in the middle.
        needles.extend([secret, &secret[..64], &secret[16..48]].map(str::to_owned));
    }
    let signing = webhook["secret"]
        .as_str()
        .unwrap()
        .strip_prefix("whsec_")
        .unwrap();
    needles.push(signing.to_owned());
    needles.push(HEXLOWER.encode(&BASE64.decode(signing.as_bytes()).unwrap()));
    needles.extend([
        begun["secret"].as_str().unwrap().to_owned(),
        HEXLOWER.encode(&secret),
    ]);
    for code in codes.as_array().unwrap() {
        let code = code.as_str().unwrap();
        let plain = code.replace('-', "");
        needles.extend([code.to_owned(), HEXLOWER.encode(plain.as_bytes()), plain]);
    }
    assert!(needles.len() > 40);
    for needle in &needles {
        // Named by its place: what failed must not tell it either.
        let place = needles.iter().position(|one| one == needle);
        assert!(
            !stored.to_lowercase().contains(&needle.to_lowercase()),
            "needle {place:?} is stored"
        );
        let as_bytes = HEXLOWER.encode(needle.as_bytes());
        assert!(
            !stored.contains(&as_bytes),
            "needle {place:?} is stored as bytes"
        );
    }
}
