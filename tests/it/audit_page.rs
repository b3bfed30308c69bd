//! The audit log in the console and as an export.

use myproof_registry::domain::operator::Role;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, somebody};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn events_are_described_in_sentences_for_every_role(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in("auditor@example.com", Role::Auditor).await;
    let partner = app.partner("Acme & <b>Sons</b>").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let query = json!({"query": {"keyId": key.key_id}});
    let answer = app.rpc("audit/list", Some(&cookie), query).await;
    let told = &answer.json()["page"]["items"][0];
    let sentence: String = told["sentence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|piece| {
            let text = piece["Text"].as_str().or(piece["Name"].as_str());
            text.unwrap().to_owned()
        })
        .collect();
    let expected = format!(
        "test at the command line issued the key {} of Acme & <b>Sons</b>",
        key.key_id
    );
    assert_eq!(sentence, expected);
    let page = app.page("/audit", Some(&cookie)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Acme &amp; &lt;b&gt;Sons&lt;/b&gt;"));
    // An address of REST's is a view of the page, and what REST refuses the page refuses.
    let filtered = format!(
        "/audit?keyId={}&since=2027-01-15T12:00&until=2028-01-01T00:00:00Z",
        key.key_id
    );
    let page = app.page(&filtered, Some(&cookie)).await;
    assert!(page.text.contains("1 event on this page"));
    let page = app.page("/audit?since=yesterday", Some(&cookie)).await;
    assert!(page.text.contains("since"));
    assert!(page.text.contains("role=\"alert\""));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_export_contains_every_event_once(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("=HYPERLINK(\"http://evil\")").await;
    for n in 0..1_200 {
        let input = serde_json::from_value(json!({"name": format!("Name {n}")})).unwrap();
        let input: myproof_registry::domain::partner::PartnerUpdateInput = input;
        app.services
            .partners
            .update(&somebody(), partner.partner_id, input.check().unwrap())
            .await
            .unwrap();
    }
    let path = format!("/api/admin/audit/export?partnerId={}", partner.partner_id);
    let answer = app.get(&path, &admin).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert_eq!(answer.header("cache-control"), "no-store");
    let disposition = answer.header("content-disposition");
    assert_eq!(
        disposition,
        "attachment; filename=\"history-20270115T120000Z.ndjson\""
    );
    let events: Vec<Value> = answer
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 1_201);
    let mut ids: Vec<&str> = events
        .iter()
        .map(|event| event["eventId"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_201);

    let created = format!("{path}&action=partner.created&format=csv");
    let answer = app.get(&created, &admin).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    assert_eq!(reader.headers().unwrap().get(5), Some("summary"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].get(5),
        Some("test at the command line created the partner Name 1199")
    );
    assert_eq!(rows[0].get(7), Some("Name 1199"));
    let details: Value = serde_json::from_str(rows[0].get(12).unwrap()).unwrap();
    assert_eq!(details["name"], "=HYPERLINK(\"http://evil\")");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_exported_cell_is_a_formula(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    for name in ["=1+1", "+1+1", "-1+1", "@SUM(1)"] {
        app.partner(name).await;
    }
    let path = "/api/admin/audit/export?format=csv&action=partner.created";
    let answer = app.get(path, &admin).await;
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let names: Vec<String> = reader
        .records()
        .map(|row| row.unwrap().get(7).unwrap().to_owned())
        .collect();
    for name in ["'=1+1", "'+1+1", "'-1+1", "'@SUM(1)", "Registry staff"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_export_requires_authorization(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["audit:read"]).await;
    app.get("/api/admin/audit/export", &key.token)
        .await
        .problem(403, "forbidden", "");
    let answer = app.page("/audit/export?format=csv", None).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/login?next=%2Faudit")
    );
    // A key opens no page of the console.
    let answer = app.get("/audit/export?format=csv", &admin).await;
    assert_eq!(answer.status, 303);
    let cookie = app.signed_in("auditor@example.com", Role::Auditor).await;
    let answer = app
        .page(
            "/audit/export?format=csv&actor=test&keyId=mpk_none",
            Some(&cookie),
        )
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text.lines().count(), 1, "{}", answer.text);
    for query in ["format=xml", "limit=5", "keyId=", "since=yesterday"] {
        let name = query.split('=').next().unwrap();
        let answer = app
            .get(&format!("/api/admin/audit/export?{query}"), &admin)
            .await;
        assert_eq!(answer.faults(), [name]);
        let answer = app
            .page(&format!("/audit/export?{query}"), Some(&cookie))
            .await;
        assert_eq!(answer.faults(), [name]);
    }
}
