//! Notifications: written with their change, signed, sent to real receivers, retried for a day, never to
//! forbidden addresses.

use std::time::Duration;

use chrono::TimeDelta;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use myproof_registry::domain::partner::Partner;
use myproof_registry::server::config::notifications::{MailConfig, NotificationConfig};
use myproof_registry::server::delivery::DeliveryWorker;
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::PgPool;
use zeroize::Zeroizing;

use crate::support::process::{Server, database_url, program};
use crate::support::receiver::{Call, MailServer, Receiver};
use crate::support::{Setting, TestApp, start_of_time};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// An application whose webhooks may call this machine.
fn open(pool: PgPool) -> TestApp {
    let setting = Setting {
        webhook_networks: &["127.0.0.0/8"],
        ..Setting::default()
    };
    TestApp::with(pool, setting)
}

fn worker(app: &TestApp) -> DeliveryWorker {
    DeliveryWorker::new(
        app.services.notifications.clone(),
        &NotificationConfig::default(),
    )
    .unwrap()
}

/// Makes a webhook and gives back its id and its secret.
async fn webhook(app: &TestApp, admin: &str, partner: &Partner, body: Value) -> (String, String) {
    let path = format!("/api/admin/partners/{}/webhooks", partner.partner_id);
    let made = app.post(&path, admin, body).await.ok(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["webhook"]["webhookId"]), text(&made["secret"]))
}

async fn deliveries(app: &TestApp, admin: &str, partner: &Partner) -> Vec<Value> {
    let path = format!("/api/admin/partners/{}/deliveries", partner.partner_id);
    let body = app.get(&path, admin).await.ok(200);
    body["deliveries"].as_array().unwrap().clone()
}

/// True if a call is signed with this secret (Standard Webhooks).
fn is_signed(call: &Call, secret: &str) -> bool {
    let key = BASE64
        .decode(secret.strip_prefix("whsec_").unwrap().as_bytes())
        .unwrap();
    let (id, time) = (call.header("webhook-id"), call.header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{time}.{}", call.body).as_bytes());
    let signature = BASE64.encode(&mac.finalize().into_bytes());
    call.header("webhook-signature") == format!("v1,{signature}")
}

fn kinds(calls: &[Call]) -> Vec<String> {
    let mut kinds: Vec<String> = calls
        .iter()
        .map(|call| call.json()["type"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn key_events_are_delivered_signed_and_once(pool: PgPool) {
    let app = open(pool);
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let (acme, other) = (app.partner("Acme").await, app.partner("Other").await);
    let (_, secret) = webhook(&app, &admin, &acme, json!({"url": receiver.url()})).await;
    let key = app.key(&acme, &["assets:read"]).await;
    app.key(&other, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}", key.key_id);
    let rotated = app
        .post(
            &format!("{path}/rotate"),
            &admin,
            json!({"graceSeconds": 60}),
        )
        .await
        .ok(201);
    let successor = format!("/api/admin/api-keys/{}", rotated["keyId"].as_str().unwrap());
    let why = json!({"reason": "unspecified", "note": "for staff alone"});
    app.post(&format!("{successor}/revoke"), &admin, why)
        .await
        .ok(200);
    app.post(&format!("{successor}/restore"), &admin, json!({}))
        .await
        .ok(200);
    // Refused requests cause no notification.
    app.post(&format!("{path}/rotate"), &admin, json!({}))
        .await
        .problem(409, "conflict", "already_rotated");
    let worker = worker(&app);
    worker.run_once().await.unwrap();
    worker.run_once().await.unwrap();
    let calls = receiver.calls();
    assert_eq!(
        kinds(&calls),
        ["key.issued", "key.restored", "key.revoked", "key.rotated"]
    );
    let mut ids: Vec<&str> = calls.iter().map(|call| call.header("webhook-id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
    for call in &calls {
        assert_eq!(call.header("content-type"), "application/json");
        assert!(is_signed(call, &secret), "{call:?}");
        assert_eq!(call.json()["data"]["partnerId"], json!(acme.partner_id));
        for kept in [
            &*key.token,
            rotated["token"].as_str().unwrap(),
            "staff",
            "test",
        ] {
            assert!(!call.body.contains(kept), "{}", call.body);
        }
    }
    let told = calls
        .iter()
        .find(|call| call.json()["type"] == "key.rotated")
        .unwrap()
        .json();
    assert_eq!(told["data"]["replacedBy"], rotated["keyId"]);
    assert_eq!(told["data"]["keyId"], key.key_id.as_str());
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(log.len(), 4);
    for delivery in log {
        assert_eq!(
            (
                &delivery["status"],
                &delivery["lastCode"],
                &delivery["attempts"]
            ),
            (&json!("delivered"), &json!(204), &json!(1))
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn failed_deliveries_are_retried_for_a_day_and_can_be_resent(pool: PgPool) {
    let app = open(pool);
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let acme = app.partner("Acme").await;
    let (webhook_id, _) = webhook(&app, &admin, &acme, json!({"url": receiver.url()})).await;
    app.key(&acme, &["assets:read"]).await;
    let worker = worker(&app);
    receiver.answer_next(&[500; 20]);
    worker.run_once().await.unwrap();
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(
        (&log[0]["status"], &log[0]["lastCode"]),
        (&json!("pending"), &json!(500))
    );
    assert!(!log[0].to_string().contains("own words"), "{}", log[0]);
    let next = log[0]["nextAttemptAt"]
        .as_str()
        .unwrap()
        .parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap();
    assert!(
        (4..=6).contains(&(next - start_of_time()).num_seconds()),
        "{next}"
    );
    // Not before its time.
    worker.run_once().await.unwrap();
    assert_eq!(receiver.calls().len(), 1);
    let mut attempts = 1;
    for _ in 0..400 {
        app.clock.advance(TimeDelta::minutes(5));
        worker.run_once().await.unwrap();
        attempts += receiver.calls().len();
    }
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(
        (&log[0]["status"], &log[0]["nextAttemptAt"]),
        (&json!("failed"), &Value::Null)
    );
    assert!((7..=9).contains(&attempts), "{attempts}");
    assert_eq!(log[0]["attempts"], attempts);
    let at: chrono::DateTime<chrono::Utc> =
        log[0]["lastAttemptAt"].as_str().unwrap().parse().unwrap();
    assert!(at - start_of_time() <= TimeDelta::hours(24), "{at}");

    receiver.answer_well();
    let again = format!(
        "/api/admin/deliveries/{}/send-again",
        log[0]["deliveryId"].as_str().unwrap()
    );
    let answer = app.call("POST", &again, Some(&admin), None).await.ok(200);
    assert_eq!(answer["delivery"]["status"], "pending");
    worker.run_once().await.unwrap();
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(log[0]["status"], "delivered");
    let events = app
        .get("/api/admin/audit?action=notice.sent_again", &admin)
        .await
        .ok(200);
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
    let filtered = format!(
        "/api/admin/partners/{}/deliveries?webhookId={webhook_id}&status=failed",
        acme.partner_id
    );
    assert_eq!(
        app.get(&filtered, &admin).await.ok(200)["deliveries"],
        json!([])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nothing_is_sent_to_forbidden_addresses(pool: PgPool) {
    let app = TestApp::new(pool);
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let acme = app.partner("Acme").await;
    let path = format!("/api/admin/partners/{}/webhooks", acme.partner_id);
    for url in [
        receiver.url(),
        format!("https://{}/", receiver.address),
        "https://user:word@hooks.example/".to_owned(),
        "https://[::ffff:127.0.0.1]/".to_owned(),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        String::new(),
    ] {
        let refused = app.post(&path, &admin, json!({"url": url})).await;
        assert_eq!(refused.faults(), ["url"], "{url}");
    }
    // Names are resolved at each attempt.
    let port = receiver.address.port();
    webhook(
        &app,
        &admin,
        &acme,
        json!({"url": format!("https://localhost:{port}/")}),
    )
    .await;
    let (by_sql, _) = webhook(
        &app,
        &admin,
        &acme,
        json!({"url": "https://hooks.example/"}),
    )
    .await;
    sqlx::query("update webhooks set url = $2 where webhook_id = $1::uuid")
        .bind(&by_sql)
        .bind(receiver.url())
        .execute(&app.pool)
        .await
        .unwrap();
    app.key(&acme, &["assets:read"]).await;
    worker(&app).run_once().await.unwrap();
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(log.len(), 2);
    for delivery in log {
        assert_eq!(delivery["lastError"], "its address is not allowed");
        assert_eq!(delivery["status"], "pending");
    }
    assert!(receiver.calls().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn receiver_responses_are_classified(pool: PgPool) {
    let app = open(pool);
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let acme = app.partner("Acme").await;
    let (webhook_id, _) = webhook(&app, &admin, &acme, json!({"url": receiver.url()})).await;
    let port = receiver.address.port();
    webhook(
        &app,
        &admin,
        &acme,
        json!({"url": format!("https://localhost:{port}/")}),
    )
    .await;
    webhook(&app, &admin, &acme, json!({"url": "http://127.0.0.1:9/"})).await;
    webhook(
        &app,
        &admin,
        &acme,
        json!({"url": "https://no-such-host.invalid/"}),
    )
    .await;
    app.key(&acme, &["assets:read"]).await;
    receiver.answer_next(&[302, 410]);
    let worker = worker(&app);
    worker.run_once().await.unwrap();
    let calls = receiver.calls();
    assert_eq!(calls.len(), 1, "a redirect is not followed");
    assert_eq!(calls[0].path, "/hook");
    let mut said: Vec<String> = deliveries(&app, &admin, &acme)
        .await
        .iter()
        .map(|delivery| delivery["lastError"].as_str().unwrap().to_owned())
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "redirects are not followed",
            "the receiver can't be reached",
            "the receiver's certificate can't be trusted, or TLS failed",
            "the receiver's name can't be resolved",
        ]
    );
    // 410: the receiver is gone for good, and its webhook is switched off.
    app.clock.advance(TimeDelta::seconds(6));
    worker.run_once().await.unwrap();
    let path = format!("/api/admin/partners/{}/webhooks", acme.partner_id);
    let webhooks = app.get(&path, &admin).await.ok(200)["webhooks"].clone();
    let gone = webhooks
        .as_array()
        .unwrap()
        .iter()
        .find(|webhook| webhook["webhookId"] == webhook_id.as_str());
    assert_eq!(gone.unwrap()["active"], false);
    let events = app
        .get("/api/admin/audit?action=webhook.updated", &admin)
        .await
        .ok(200);
    assert_eq!(events["events"][0]["actor"]["type"], "system");
    receiver.calls();
    app.key(&acme, &["assets:read"]).await;
    worker.run_once().await.unwrap();
    assert!(receiver.calls().is_empty());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_scheduled_reminder_is_sent_once(pool: PgPool) {
    let app = open(pool);
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let acme = app.partner("Acme").await;
    let only = json!({"url": receiver.url(), "kinds": ["key.expiring", "key.rotation_due", "key.first_used"]});
    webhook(&app, &admin, &acme, only).await;
    let worker = worker(&app);
    let after = |days| start_of_time() + TimeDelta::days(days);
    let issue = async |days| {
        let body = json!({"partnerId": acme.partner_id, "scopes": ["assets:read"], "notAfter": after(days)});
        app.post("/api/admin/api-keys/issue", &admin, body)
            .await
            .ok(201)
    };
    let key = issue(20).await;
    let key_id = key["keyId"].as_str().unwrap().to_owned();
    let told = async || {
        app.services
            .notifications
            .enqueue_scheduled()
            .await
            .unwrap();
        app.services
            .notifications
            .enqueue_scheduled()
            .await
            .unwrap();
        worker.run_once().await.unwrap();
        let calls = receiver.calls();
        let days: Vec<Value> = calls
            .iter()
            .map(|call| call.json()["data"]["daysLeft"].clone())
            .collect();
        (kinds(&calls), days)
    };
    assert_eq!(told().await.0.len(), 0);
    app.clock.advance(TimeDelta::days(6));
    assert_eq!(
        told().await,
        (vec!["key.expiring".to_owned()], vec![json!(14)])
    );
    app.clock.advance(TimeDelta::days(5));
    assert_eq!(told().await.0.len(), 0);
    // A key created after a reminder's time gets the next one.
    let late = issue(20).await;
    assert_eq!(told().await.0.len(), 0);
    app.clock.advance(TimeDelta::days(2));
    let (kinds_told, days) = told().await;
    assert_eq!((kinds_told.len(), days), (2, vec![json!(7), json!(7)]));
    // A changed expiry has its own reminders.
    let path = format!("/api/admin/api-keys/{key_id}");
    app.patch(&path, &admin, json!({"notAfter": after(27)}))
        .await
        .ok(200);
    assert_eq!(told().await.1, [json!(14)]);
    let path = format!(
        "/api/admin/api-keys/{}/revoke",
        late["keyId"].as_str().unwrap()
    );
    app.post(&path, &admin, json!({})).await.ok(200);
    app.clock.advance(TimeDelta::days(7));
    assert_eq!(told().await.1, [json!(7)]);

    app.patch("/api/admin/policy", &admin, json!({"maxKeyAgeDays": 10}))
        .await
        .ok(200);
    let (kinds_told, _) = told().await;
    assert_eq!(kinds_told, ["key.rotation_due"]);
    app.get("/api/key", key["token"].as_str().unwrap())
        .await
        .ok(200);
    app.get("/api/key", key["token"].as_str().unwrap())
        .await
        .ok(200);
    app.state
        .guard
        .usage()
        .flush_first(&app.pool)
        .await
        .unwrap();
    worker.run_once().await.unwrap();
    let calls = receiver.calls();
    assert_eq!(kinds(&calls), ["key.first_used"]);
    assert_eq!(calls[0].json()["data"]["keyId"], json!(key_id));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn webhooks_are_stored_sealed_and_shown_without_their_secret(pool: PgPool) {
    let app = open(pool.clone());
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let acme = app.partner("Acme").await;
    let (webhook_id, secret) = webhook(&app, &admin, &acme, json!({"url": receiver.url()})).await;
    let base64 = secret.strip_prefix("whsec_").unwrap();
    assert_eq!(BASE64.decode(base64.as_bytes()).unwrap().len(), 32);
    let path = format!("/api/admin/partners/{}/webhooks", acme.partner_id);
    assert!(!app.get(&path, &admin).await.text.contains(base64));
    let stored: Vec<u8> = sqlx::query_scalar("select sealed_secret from webhooks")
        .fetch_one(&pool)
        .await
        .unwrap();
    let bytes = BASE64.decode(base64.as_bytes()).unwrap();
    assert!(!stored.windows(32).any(|window| window == bytes));

    // With a new pepper the secret is opened by the old one and resealed.
    let setting = |pepper, retired| Setting {
        pepper,
        retired,
        seed: 2,
        webhook_networks: &["127.0.0.0/8"],
        ..Setting::default()
    };
    const NEXT: &str = "canary-pepper-that-comes-next-0123456789abcdefghij";
    let stranger = TestApp::with(pool.clone(), setting(NEXT, &[]));
    assert_eq!(
        stranger
            .services
            .notifications
            .reseal_webhooks()
            .await
            .unwrap(),
        1
    );
    app.key(&acme, &["assets:read"]).await;
    worker(&stranger).run_once().await.unwrap();
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(
        log[0]["lastError"],
        "its secret was sealed under a pepper that is not known here"
    );
    let next = TestApp::with(pool.clone(), setting(NEXT, &[crate::support::PEPPER]));
    assert_eq!(
        next.services.notifications.reseal_webhooks().await.unwrap(),
        0
    );
    let alone = TestApp::with(pool.clone(), setting(NEXT, &[]));
    alone.clock.advance(TimeDelta::seconds(10));
    worker(&alone).run_once().await.unwrap();
    let calls = receiver.calls();
    assert_eq!(calls.len(), 1);
    assert!(is_signed(&calls[0], &secret));

    let one = format!("/api/admin/webhooks/{webhook_id}");
    let changed = app
        .patch(
            &one,
            &admin,
            json!({"active": false, "kinds": ["key.revoked"]}),
        )
        .await
        .ok(200);
    assert_eq!(changed["webhook"]["kinds"], json!(["key.revoked"]));
    assert_eq!(
        app.patch(&one, &admin, json!({"url": "ftp://x", "kinds": []}))
            .await
            .faults(),
        ["kinds"]
    );
    assert_eq!(
        app.patch(&one, &admin, json!({"url": "ftp://x"}))
            .await
            .faults(),
        ["url"]
    );
    app.call("DELETE", &one, Some(&admin), None).await.ok(200);
    app.call("DELETE", &one, Some(&admin), None).await.problem(
        404,
        "not_found",
        "webhook_not_found",
    );
    app.patch("/api/admin/webhooks/7", &admin, json!({}))
        .await
        .problem(404, "not_found", "webhook_not_found");
    app.post("/api/admin/deliveries/7/send-again", &admin, json!({}))
        .await
        .problem(404, "not_found", "delivery_not_found");
    for _ in 0..10 {
        webhook(
            &app,
            &admin,
            &acme,
            json!({"url": "https://hooks.example/secret-path"}),
        )
        .await;
    }
    let body = json!({"url": "https://hooks.example/"});
    app.post(&path, &admin, body)
        .await
        .problem(409, "conflict", "too_many_webhooks");
    // A URL may be secret itself: the audit log names only its host.
    let history = app
        .get("/api/admin/audit?action=webhook.created", &admin)
        .await;
    assert!(history.text.contains("hooks.example") && !history.text.contains("secret-path"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn contacts_receive_mail(pool: PgPool) {
    let app = TestApp::new(pool);
    let (admin, server) = (app.admin().await, MailServer::start().await);
    let acme = app.partner("Acmé").await;
    let path = format!("/api/admin/partners/{}", acme.partner_id);
    app.patch(&path, &admin, json!({"contactEmail": "ops@acme.example"}))
        .await
        .ok(200);
    let config = |address: String| NotificationConfig {
        allowed_networks: Vec::new(),
        mail: Some(MailConfig {
            url: Zeroizing::new(format!("smtp://{address}")),
            from: "MyProof Registry <registry@example.org>".to_owned(),
        }),
    };
    let key = app.key(&acme, &["assets:read"]).await;
    // An unavailable server is tried again.
    let away = DeliveryWorker::new(
        app.services.notifications.clone(),
        &config("127.0.0.1:9".to_owned()),
    )
    .unwrap();
    away.run_once().await.unwrap();
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(
        (&log[0]["email"], &log[0]["lastError"]),
        (
            &json!("ops@acme.example"),
            &json!("the mail server can't be reached")
        )
    );
    assert!(server.mails().is_empty());
    app.clock.advance(TimeDelta::seconds(10));
    let worker = DeliveryWorker::new(
        app.services.notifications.clone(),
        &config(server.address.to_string()),
    )
    .unwrap();
    worker.run_once().await.unwrap();
    worker.run_once().await.unwrap();
    let log = deliveries(&app, &admin, &acme).await;
    assert_eq!(
        (&log[0]["status"], &log[0]["lastCode"]),
        (&json!("delivered"), &json!(250)),
        "{}",
        log[0]
    );
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    for part in [
        "To: ops@acme.example",
        "From: \"MyProof Registry\" <registry@example.org>",
        &format!("Subject: API key {} was issued", key.key_id),
    ] {
        assert!(mails[0].contains(part), "{part}: {}", mails[0]);
    }
    let (_, secret) = key.token.split_once('.').unwrap();
    assert!(!mails[0].contains(secret));
    for (url, from) in [
        ("http://x", "a@b.c"),
        ("smtp://user:canary-word@host", "nobody"),
    ] {
        let config = NotificationConfig {
            mail: Some(MailConfig {
                url: Zeroizing::new(url.to_owned()),
                from: from.to_owned(),
            }),
            ..NotificationConfig::default()
        };
        let error = DeliveryWorker::new(app.services.notifications.clone(), &config)
            .map(|_| ())
            .unwrap_err();
        assert!(
            error.contains("must be") && !error.contains("canary"),
            "{error}"
        );
    }
}

/// The running server, rung by a change of its own and finding that of another process.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_running_server_delivers_notifications_of_any_process(pool: PgPool) {
    let database = database_url(&pool);
    let arguments = ["key", "issue", "--partner", "Acme", "--scope", "admin:*"];
    let issued = program(&database, &arguments).output().unwrap();
    let admin = String::from_utf8(issued.stdout).unwrap().trim().to_owned();
    let receiver = Receiver::start().await;
    let app = open(pool.clone());
    let partner_id: uuid::Uuid = sqlx::query_scalar("select partner_id from partners")
        .fetch_one(&pool)
        .await
        .unwrap();
    let partner = app.services.partners.get(partner_id).await.unwrap();
    webhook(&app, &admin, &partner, json!({"url": receiver.url()})).await;
    let server = Server::start_with(&pool, &[("WEBHOOK_ALLOWED_NETWORKS", "127.0.0.1")]);
    assert_eq!(server.status(&admin), 200);
    assert!(
        program(&database, &arguments)
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut told = Vec::new();
    for _ in 0..200 {
        told.extend(receiver.calls());
        // The issue that came before the webhook, the issue after it, and the first use.
        if told.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kinds(&told), ["key.first_used", "key.issued", "key.issued"]);
}
