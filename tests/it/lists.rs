//! Lists: order, pages, filters, literal searches.

use chrono::TimeDelta;
use myproof_registry::domain::key::KeyStatus;
use myproof_registry::domain::operator::Role;
#[cfg(feature = "sample")]
use myproof_registry::server::service::sample::SampleSize;
use serde_json::{Value, json};
use sqlx::PgPool;
use strum::VariantArray;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// All rows of a list, page by page; `between` runs after each page.
async fn all(
    app: &TestApp,
    admin: &str,
    path: &str,
    rows: &str,
    between: impl AsyncFn(),
) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("{path}{cursor}"), admin).await.ok(200);
        found.extend(page[rows].as_array().unwrap().iter().cloned());
        let Some(next) = page["nextCursor"].as_str() else {
            return found;
        };
        assert!(
            next.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        );
        cursor = format!("&cursor={next}");
        between().await;
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_row_appears_once_while_rows_are_added(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    for n in 0..7 {
        app.key(&partner, &["assets:read"]).await;
        // Some at the same moment: the id decides.
        app.clock.advance(TimeDelta::seconds(n % 2));
    }
    let before = app
        .get("/api/admin/api-keys?limit=200", &admin)
        .await
        .ok(200)["keys"]
        .clone();
    let add = async || {
        app.key(&partner, &["assets:read"]).await;
    };
    let paged = all(&app, &admin, "/api/admin/api-keys?limit=3", "keys", add).await;
    assert_eq!(&paged, before.as_array().unwrap());
    let partners = all(
        &app,
        &admin,
        "/api/admin/partners?limit=1",
        "partners",
        async || {},
    )
    .await;
    assert_eq!(partners.len(), 2);
    let events = all(
        &app,
        &admin,
        "/api/admin/audit?limit=2",
        "events",
        async || {},
    )
    .await;
    assert_eq!(
        i64::try_from(events.len()).unwrap(),
        app.count("select count(*) from audit_events").await
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn searches_are_literal_and_case_insensitive(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    for name in [
        "100% Proof",
        "under_score",
        r"back\slash",
        "ÄRGER GmbH",
        "plain",
    ] {
        let partner = app.partner(name).await;
        app.key(&partner, &["assets:read"]).await;
    }
    for (q, found) in [
        ("%25", "100% Proof"),
        ("0%25%20p", "100% Proof"),
        ("_", "under_score"),
        ("%5C", r"back\slash"),
        ("%C3%A4rger", "ÄRGER GmbH"),
        ("PLAIN", "plain"),
    ] {
        let partners = app
            .get(&format!("/api/admin/partners?q={q}"), &admin)
            .await
            .ok(200)["partners"]
            .clone();
        let names: Vec<&str> = partners
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, [found], "{q}");
    }
    // Every keyId has an underscore, so for keys the search is by name here.
    let keys = app.get("/api/admin/api-keys?q=R_s", &admin).await.ok(200)["keys"].clone();
    assert_eq!(keys.as_array().unwrap().len(), 1);
    let key_id = keys[0]["keyId"].as_str().unwrap().to_owned();
    let by_id = app
        .get(
            &format!("/api/admin/api-keys?q={}", key_id[4..10].to_uppercase()),
            &admin,
        )
        .await
        .ok(200);
    assert_eq!(by_id["keys"][0]["keyId"], key_id.as_str());
    assert_eq!(
        app.get("/api/admin/api-keys?q=nobody", &admin)
            .await
            .ok(200)["keys"],
        json!([])
    );
}

/// The status that a filter finds by SQL is the one that is shown by Rust, at every moment.
#[sqlx::test(migrator = "MIGRATOR")]
async fn the_status_filter_and_the_status_agree(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    for changes in [
        "update api_keys set created_by = created_by where key_id = $1",
        "update api_keys set not_before = '2027-01-15T12:00:05Z' where key_id = $1",
        "update api_keys set not_after = '2027-01-15T12:00:05Z' where key_id = $1",
        "update api_keys set retires_at = '2027-01-15T12:00:05Z' where key_id = $1",
        "update api_keys set retires_at = '2027-01-15T12:00:07Z', not_after = '2027-01-15T12:00:05Z' where key_id = $1",
        "update api_keys set revoked_at = '2027-01-15T12:00:05Z' where key_id = $1",
        "update api_keys set not_before = '2027-01-15T12:00:08Z', not_after = '2027-01-15T12:00:05Z' where key_id = $1",
    ] {
        let key = app.key(&partner, &["assets:read"]).await;
        app.sql(changes, key.key_id.as_str()).await;
    }
    for _ in 0..10 {
        let mut found = 0;
        for status in KeyStatus::VARIANTS.iter().map(KeyStatus::into_str) {
            let path = format!("/api/admin/api-keys?status={status}");
            for key in app.get(&path, &admin).await.ok(200)["keys"]
                .as_array()
                .unwrap()
            {
                assert_eq!(key["status"], status);
                found += 1;
            }
        }
        assert_eq!(found, 8);
        app.clock.advance(TimeDelta::seconds(1));
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn filters_combine(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let (acme, bcme) = (app.partner("Acme").await, app.partner("Bcme").await);
    let key = app.key(&acme, &["assets:read"]).await;
    app.key(&bcme, &["assets:read"]).await;
    let of = |query: String| format!("/api/admin/api-keys?{query}");
    let count = async |path: String| {
        app.get(&path, &admin).await.ok(200)["keys"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count(of(format!("partnerId={}", acme.partner_id))).await, 1);
    assert_eq!(
        count(of(format!("partnerId={}&q=bcme", acme.partner_id))).await,
        0
    );
    assert_eq!(
        count(of("environment=production&status=active".into())).await,
        3
    );
    assert_eq!(count(of("environment=test".into())).await, 0);
    let events = app
        .get(&format!("/api/admin/audit?keyId={}", key.key_id), &admin)
        .await
        .ok(200);
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
    for (query, found) in [
        ("actor=test&action=key.issued", 3),
        ("actor=nobody", 0),
        ("since=2027-01-15T12:00:00Z", 6),
        ("until=2027-01-15T12:00:00Z", 0),
    ] {
        let events = app
            .get(&format!("/api/admin/audit?{query}"), &admin)
            .await
            .ok(200);
        assert_eq!(events["events"].as_array().unwrap().len(), found, "{query}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_console_pages_on_and_back(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in("ops@example.com", Role::Auditor).await;
    let partner = app.partner("Acme").await;
    for _ in 0..5 {
        app.key(&partner, &["assets:read"]).await;
        app.clock.advance(TimeDelta::seconds(1));
    }
    let page = async |cursor: Option<&Value>| {
        let query = json!({"query": {"limit": "2", "cursor": cursor}});
        let answer = app.rpc("keys/list", Some(&cookie), query).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["page"].clone()
    };
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|key| key["keyId"].to_string()).collect()
    };
    let first = page(None).await;
    assert!(first["previousCursor"].is_null());
    let second = page(Some(&first["nextCursor"])).await;
    let third = page(Some(&second["nextCursor"])).await;
    assert_eq!(ids(&third).len(), 1);
    assert!(third["nextCursor"].is_null());
    let back = page(Some(&third["previousCursor"])).await;
    assert_eq!(ids(&back), ids(&second));
    let start = page(Some(&back["previousCursor"])).await;
    assert_eq!(ids(&start), ids(&first));
    assert!(start["previousCursor"].is_null());
    // A key that is made meanwhile moves the way back by one row: the first page is whole again.
    app.key(&partner, &["assets:read"]).await;
    let start = page(Some(&second["previousCursor"])).await;
    assert_eq!((ids(&start).len(), ids(&start)), (2, ids(&first)));
    let newest = page(Some(&start["previousCursor"])).await;
    assert_eq!(ids(&newest).len(), 2);
    assert!(newest["previousCursor"].is_null());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn partner_options_are_one_page_plus_the_selected_partner(pool: PgPool) {
    let app = TestApp::new(pool);
    let cookie = app.signed_in("ops@example.com", Role::Admin).await;
    sqlx::query(
        "insert into partners (partner_id, name)
         select gen_random_uuid(), 'Partner ' || to_char(n, 'FM000') from generate_series(1, 80) n",
    )
    .execute(&app.pool)
    .await
    .unwrap();
    let last = app.partner("zeta").await.partner_id.to_string();
    let choices = async |query: Value| {
        let answer = app
            .rpc("partners/choices", Some(&cookie), json!({"query": query}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    let all = choices(json!({})).await;
    let names = all["partners"].as_array().unwrap();
    assert_eq!((names.len(), &all["more"]), (50, &json!(true)));
    assert_eq!(names[0]["name"], "Partner 001");
    let with_last = choices(json!({"chosen": last})).await;
    assert_eq!(with_last["partners"].as_array().unwrap().len(), 51);
    assert_eq!(with_last["partners"][0]["name"], "zeta");
    let found = choices(json!({"q": "ETA", "chosen": last})).await;
    assert_eq!(
        (found["partners"].as_array().unwrap().len(), &found["more"]),
        (1, &json!(false))
    );
    let none = choices(json!({"q": "%", "chosen": "no id"})).await;
    assert_eq!(none["partners"], json!([]));
}

/// Every order has the keys that it should, page by page and back, whatever their values are.
#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_are_sorted_and_paged_both_ways(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    // Some ends and uses at the same moment, some keys without.
    for n in 0..9_i64 {
        let key = app.key(&partner, &["assets:read"]).await;
        app.clock.advance(TimeDelta::seconds(1));
        if n % 3 != 0 {
            let end = app.services.now() + TimeDelta::days(1 + n / 4);
            sqlx::query("update api_keys set not_after = $1 where key_id = $2")
                .bind(end - TimeDelta::seconds(n))
                .bind(key.key_id.as_str())
                .execute(&app.pool)
                .await
                .unwrap();
        }
        if n % 4 != 0 {
            sqlx::query("update api_key_last_use set last_used_at = $2 where key_id = $1")
                .bind(key.key_id.as_str())
                .bind(app.services.now() - TimeDelta::minutes(n % 2))
                .execute(&app.pool)
                .await
                .unwrap();
        }
    }
    let base = format!("/api/admin/api-keys?partnerId={}", partner.partner_id);
    for (sort, value, falls) in [
        ("-createdAt", "createdAt", true),
        ("createdAt", "createdAt", false),
        ("-lastUsedAt", "lastUsedAt", true),
        ("lastUsedAt", "lastUsedAt", false),
        ("-notAfter", "notAfter", true),
        ("notAfter", "notAfter", false),
    ] {
        for status in ["", "&status=active"] {
            let path = format!("{base}&sort={sort}{status}&limit=2");
            let keys = all(&app, &admin, &path, "keys", async || {}).await;
            assert_eq!(keys.len(), 9, "{sort}");
            let mut expected = keys.clone();
            expected.sort_by(|a, b| {
                // RFC 3339 of one offset and precision sorts as text.
                let text = |key: &Value, name: &str| key[name].as_str().map(str::to_owned);
                let place = |key: &Value| {
                    let id = text(key, "keyId");
                    match text(key, value) {
                        Some(at) => (0, Some(at), id),
                        None => (1, text(key, "createdAt"), id),
                    }
                };
                let (a, b) = (place(a), place(b));
                let order = (&a.1, &a.2).cmp(&(&b.1, &b.2));
                let falls = falls || a.0 == 1;
                a.0.cmp(&b.0)
                    .then(if falls { order.reverse() } else { order })
            });
            assert_eq!(keys, expected, "{sort}");
        }
        // A cursor of one order is none of another.
        let first = app
            .get(&format!("{base}&sort={sort}&limit=2"), &admin)
            .await
            .ok(200);
        let cursor = first["nextCursor"].as_str().unwrap();
        let other = if sort == "notAfter" {
            "createdAt"
        } else {
            "notAfter"
        };
        let answer = app
            .get(&format!("{base}&sort={other}&cursor={cursor}"), &admin)
            .await;
        assert_eq!(answer.faults(), ["cursor"], "{sort}");
    }
    let answer = app.get(&format!("{base}&sort=name"), &admin).await;
    assert_eq!(answer.faults(), ["sort"]);
    // The way back shows the same pages.
    let cookie = app.signed_in("ops@example.com", Role::Auditor).await;
    for sort in ["lastUsedAt", "-notAfter"] {
        let page = async |cursor: &Value| {
            let query = json!({"partnerId": partner.partner_id, "sort": sort, "limit": "2", "cursor": cursor});
            let answer = app
                .rpc("keys/list", Some(&cookie), json!({"query": query}))
                .await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            answer.json()["page"].clone()
        };
        let mut pages = vec![page(&Value::Null).await];
        while !pages.last().unwrap()["nextCursor"].is_null() {
            let next = page(&pages.last().unwrap()["nextCursor"]).await;
            pages.push(next);
        }
        assert_eq!(pages.len(), 5);
        for n in (1..pages.len()).rev() {
            let back = page(&pages[n]["previousCursor"]).await;
            assert_eq!(back["items"], pages[n - 1]["items"], "{sort} {n}");
        }
    }
}

/// A status follows from the row and the clock: no write is needed for it to change.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_is_listed_by_its_current_status(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let id = key.key_id.as_str();
    let end = "update api_keys set not_after = '2027-01-15T12:00:10Z' where key_id = $1";
    app.sql(end, id).await;
    let statuses = async || {
        let mut found = Vec::new();
        for status in KeyStatus::VARIANTS.iter().map(KeyStatus::into_str) {
            let path = format!("/api/admin/api-keys?status={status}&q={id}");
            if app.get(&path, &admin).await.ok(200)["keys"] != json!([]) {
                found.push(status);
            }
        }
        found
    };
    assert_eq!(statuses().await, ["active"]);
    app.clock.advance(TimeDelta::seconds(10));
    assert_eq!(statuses().await, ["expired"]);
    // A longer life brings it back.
    app.sql("update api_keys set not_after = null where key_id = $1", id)
        .await;
    assert_eq!(statuses().await, ["active"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn short_searches_match_prefixes(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let acme = app.partner("Acme").await;
    app.key(&acme, &["assets:read"]).await;
    let named = |name: &str| myproof_registry::domain::key_input::IssueInput {
        partner_id: Some(acme.partner_id.to_string()),
        scopes: Some(vec!["assets:read".to_owned()]),
        name: Some(name.to_owned()),
        ..Default::default()
    };
    app.issue(named("%ignored")).await;
    app.issue(named("Zebra crossing")).await;
    let count = async |q: &str| {
        let path = format!("/api/admin/api-keys?q={q}");
        app.get(&path, &admin).await.ok(200)["keys"]
            .as_array()
            .unwrap()
            .len()
    };
    // All three of the partner; one by its name, not by a word in it; the literal sign.
    assert_eq!(count("AC").await, 3);
    assert_eq!(
        (count("z").await, count("cr").await, count("cro").await),
        (1, 0, 1)
    );
    assert_eq!(count("%25").await, 1);
    assert_eq!(count("mp").await, 4);
}

/// Whichever way a search goes, its pages are those of the whole list that fit, in its order.
#[cfg(feature = "sample")]
#[sqlx::test(migrator = "MIGRATOR")]
async fn every_search_finds_all_matches_and_nothing_else(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let size = SampleSize {
        partners: 90,
        keys: 500,
        seed: 3,
    };
    app.services.keys.add_sample(size).await.unwrap();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap_or_default().to_lowercase();
    let mut found_some = 0;
    for view in [
        "",
        "&sort=createdAt",
        "&sort=-lastUsedAt",
        "&sort=notAfter",
        "&status=active",
        "&status=expired&sort=-notAfter",
    ] {
        let path = format!("/api/admin/api-keys?limit=100{view}");
        let whole = all(&app, &admin, &path, "keys", async || {}).await;
        assert!(whole.len() > 20, "{view}");
        let some = &whole[whole.len() / 2];
        let id = text(some, "keyId");
        let partner = text(some, "partnerName");
        let named = whole
            .iter()
            .map(|key| text(key, "name"))
            .find(|name| !name.is_empty());
        let name = named.unwrap();
        // Texts of three characters and more: of one key, of one partner, of a few, of most.
        for q in [
            &id[4..7],
            &id[5..12],
            &partner[..],
            &partner[..3],
            &partner[2..9],
            &name[2..],
            &name[name.len() - 3..],
            "mpk",
            "tion",
            "zzz",
        ] {
            let fits = |key: &&Value| {
                ["keyId", "name", "partnerName"]
                    .iter()
                    .any(|name| text(key, name).contains(q))
            };
            let expected: Vec<Value> = whole.iter().filter(fits).cloned().collect();
            let path = format!(
                "/api/admin/api-keys?limit=7&q={}{view}",
                q.replace(' ', "%20")
            );
            // Each page costs the key a unit of its rate.
            app.clock.advance(TimeDelta::seconds(60));
            let found = all(&app, &admin, &path, "keys", async || {}).await;
            assert_eq!(found, expected, "{q:?}{view}");
            found_some += usize::from(!found.is_empty());
        }
    }
    assert!(found_some > 30, "{found_some}");
}
