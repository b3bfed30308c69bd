//! Taking over the earlier Node pack's partners and keys.

use serde_json::json;
use sqlx::PgPool;

use crate::support::process::{database_url, program};
use crate::support::{Setting, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

const PEPPER: &str = "change-this-pepper-now";
/// Made by the Node pack under that pepper.
const SECRET: &str = "7d0e1f2a3b4c5d6e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9012a3b4c5d6e7";
const TAIL: &str = "$JdAXGzHCixT9VSvB3FDcRw$X78bc9cdHhLCJ49VJDi3dfZCakimSrY3BwBGdwYiFg8";
const ACME: &str = "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e";
const QUIET: &str = "1b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e";

/// The Node pack's tables in a schema of their own, and the address that leads to them.
async fn source(pool: &PgPool) -> String {
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "create schema node;
         create table node.partners (partner_id text, name text, contact_email text, active boolean,
                                     created_at timestamp, motto text);
         create table node.api_keys (key_id text, partner_id text, secret_hash text, scopes text,
                                     environment text, rate_per_minute integer, status text,
                                     not_before timestamptz, not_after timestamptz,
                                     created_at timestamptz, revoked_at timestamptz);
         insert into node.partners values
             ('{ACME}', 'Acme', 'ops@acme.example', true, '2025-03-01 10:00:00', 'always'),
             ('{QUIET}', 'Quiet', null, false, '2025-03-02', null),
             ('7', 'Numbered', null, true, null, null),
             ('2b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e', 'X', null, true, null, null);
         insert into node.api_keys
         select key_id, partner_id, '$argon2id$v=19$' || params || '{TAIL}', scopes, 'production', rate, status,
                '2025-03-01T00:00:00Z', not_after::timestamptz, '2025-03-01T00:00:00Z', revoked::timestamptz
           from (values
             ('mpk_0f1e2d3c4b5a', '{ACME}', 'm=19456,p=1,t=2', 'assets:read, reverify', 240, 'active', '2028-01-01', null),
             ('mpk_quiet', '{QUIET}', 'm=19456,p=1,t=2', 'assets:read', 300, 'active', null, null),
             ('mpk_gone', '{ACME}', 'm=19456,p=1,t=2', 'assets:read', 300, 'revoked', null, '2026-01-01'),
             ('mpk_admin', '{ACME}', 'm=19456,p=1,t=2', 'admin:*', 300, 'active', null, null),
             ('mpk_scope', '{ACME}', 'm=19456,p=1,t=2', 'assets:read,assets:sell', 300, 'active', null, null),
             ('mpk_none', '{ACME}', 'm=19456,p=1,t=2', ' , ', 300, 'active', null, null),
             ('mpk_rate', '{ACME}', 'm=19456,p=1,t=2', 'reverify', 0, 'active', null, null),
             ('mpk_fast', '{ACME}', 'm=19456,p=1,t=2', 'reverify', 10001, 'active', null, null),
             ('mpk_alone', '3b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e', 'm=19456,p=1,t=2', 'reverify', 1, 'active', null, null),
             ('mpk_heavy', '{ACME}', 'm=65537,p=1,t=2', 'reverify', 1, 'active', null, null),
             ('mpk_long', '{ACME}', 'm=19456,p=1,t=11', 'reverify', 1, 'active', null, null),
             ('mpk_wide', '{ACME}', 'm=19456,p=5,t=2', 'reverify', 1, 'active', null, null),
             ('mpk_odd', '{ACME}', 'm=19456,p=1,t=2', 'reverify', 1, 'paused', null, null),
             ('mpk_never', '{ACME}', 'm=19456,p=1,t=2', 'reverify', 1, 'active', '2024-01-01', null),
             ('no/id', '{ACME}', 'm=19456,p=1,t=2', 'reverify', 1, 'active', null, null)
           ) v (key_id, partner_id, params, scopes, rate, status, not_after, revoked)"
    )))
    .execute(pool)
    .await
    .unwrap();
    format!("{}&options=-csearch_path%3Dnode", database_url(pool))
}

fn import(pool: &PgPool, arguments: &[&str]) -> (i32, Vec<String>, String) {
    let arguments = [&["import"], arguments].concat();
    let output = program(&database_url(pool), &arguments).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = stdout.lines().map(str::to_owned).collect();
    lines.sort();
    (
        output.status.code().unwrap(),
        lines,
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn valid_rows_are_imported_and_the_rest_reported(pool: PgPool) {
    let from = source(&pool).await;
    let (code, lines, stderr) = import(&pool, &["--from", &from]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr
            .contains("Imported: 2 partners, 3 keys. Already present: 0. Revoked: 0. Skipped: 14."),
        "{stderr}"
    );
    assert!(
        stderr.contains("Ignored columns: partners.motto."),
        "{stderr}"
    );
    let why = |row: &str| {
        let begin = format!("skipped: {row}: ");
        let line = lines.iter().find_map(|line| line.strip_prefix(&begin));
        line.unwrap_or_else(|| panic!("{row} is not told of: {lines:?}"))
            .to_owned()
    };
    for (row, reason) in [
        ("partner 7", "is no UUID"),
        (
            "partner 2b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e",
            "its name must have 2 to 200",
        ),
        ("key mpk_admin", "--allow-admin"),
        ("key mpk_scope", "a scope that is not known"),
        ("key mpk_none", "has no scope"),
        (
            "key mpk_rate",
            "its rate_per_minute must be a whole number from 1 to 10000",
        ),
        ("key mpk_fast", "its rate_per_minute"),
        ("key mpk_alone", "its partner was not taken"),
        ("key mpk_heavy", "argon2id v19 within"),
        ("key mpk_long", "argon2id v19 within"),
        ("key mpk_wide", "argon2id v19 within"),
        ("key mpk_odd", "its status"),
        ("key mpk_never", "its not_after"),
        ("key no/id", "its key_id"),
    ] {
        assert!(why(row).contains(reason), "{row}: {}", why(row));
    }

    let setting = Setting {
        pepper: PEPPER,
        ..Setting::default()
    };
    let app = TestApp::with(pool.clone(), setting);
    let token = format!("mpk_0f1e2d3c4b5a.{SECRET}");
    for _ in 0..2 {
        let key = app.get("/api/key", &token).await.ok(200)["key"].clone();
        assert_eq!(key["partnerId"], ACME);
        assert_eq!(key["scopes"], json!(["assets:read", "reverify"]));
        assert_eq!(
            (
                &key["ratePerMinute"],
                &key["notAfter"],
                &key["createdAt"],
                &key["createdBy"]
            ),
            (
                &json!(240),
                &json!("2028-01-01T00:00:00Z"),
                &json!("2025-03-01T00:00:00Z"),
                &json!("operator")
            )
        );
    }
    for (id, reason) in [
        ("mpk_gone", "key_inactive"),
        ("mpk_quiet", "partner_inactive"),
    ] {
        app.get("/api/key", &format!("{id}.{SECRET}"))
            .await
            .problem(401, "unauthorized", reason);
    }
    assert_eq!(
        app.count(
            "select count(*) from audit_events where action in ('partner.imported', 'key.imported')"
        )
        .await,
        5
    );
    assert_eq!(
        app.services.audit.verify_chain(&[]).await.unwrap().broken,
        None
    );
    let (_, _, stderr) = import(&pool, &["--from", &from, "--allow-admin"]);
    assert!(
        stderr.contains("Imported: 0 partners, 1 keys. Already present: 5."),
        "{stderr}"
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_repeated_import_only_revokes_keys(pool: PgPool) {
    let from = source(&pool).await;
    assert_eq!(import(&pool, &["--from", &from]).0, 0);
    let state = || async {
        sqlx::query_scalar::<_, String>(
            "select json_build_array((select json_agg(p order by partner_id) from partners p),
                                     (select json_agg(k order by key_id) from api_keys k))::text",
        )
        .fetch_one(&pool)
        .await
        .unwrap()
    };
    let before = state().await;
    sqlx::raw_sql(
        "update node.api_keys set scopes = 'assets:mint', rate_per_minute = 5, not_after = now(),
                status = 'active', revoked_at = null where key_id in ('mpk_0f1e2d3c4b5a', 'mpk_gone');
         update node.partners set name = 'Renamed', active = not active where name in ('Acme', 'Quiet')",
    )
    .execute(&pool)
    .await
    .unwrap();
    let (code, _, stderr) = import(&pool, &["--from", &from]);
    assert_eq!(code, 0);
    assert!(stderr.contains("Imported: 0 partners, 0 keys."), "{stderr}");
    // What can't be read is not taken, whatever is here.
    sqlx::raw_sql("update node.api_keys set not_after = null where key_id <> 'mpk_never'")
        .execute(&pool)
        .await
        .unwrap();
    assert!(
        import(&pool, &["--from", &from])
            .2
            .contains("Already present: 5.")
    );
    assert_eq!(state().await, before);

    sqlx::raw_sql("update node.api_keys set status = 'revoked' where key_id = 'mpk_0f1e2d3c4b5a'")
        .execute(&pool)
        .await
        .unwrap();
    for revoked in [1, 0] {
        let (_, _, stderr) = import(&pool, &["--from", &from]);
        assert!(stderr.contains(&format!("Revoked: {revoked}.")), "{stderr}");
    }
    assert_ne!(state().await, before);

    // An import never changes a key issued by the registry.
    let app = TestApp::new(pool.clone());
    let partner = app.partner("Own").await;
    let own = app.key(&partner, &["reverify"]).await;
    sqlx::query(
        "update node.api_keys set key_id = $1, status = 'revoked' where key_id = 'mpk_quiet'",
    )
    .bind(own.key_id.as_str())
    .execute(&pool)
    .await
    .unwrap();
    let (_, lines, _) = import(&pool, &["--from", &from]);
    let expected = format!(
        "skipped: key {}: a key of the registry has this id already",
        own.key_id
    );
    assert!(lines.contains(&expected), "{lines:?}");
    app.get("/api/key", &own.token).await.ok(200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unreadable_source_is_reported(pool: PgPool) {
    for (from, why) in [
        ("mysql://x@y/z".to_owned(), "--from must be of the form"),
        (
            "postgres://nobody:geheim@127.0.0.1:9/none".to_owned(),
            "the source can't be read",
        ),
        (
            format!("{}&options=-csearch_path%3Dnowhere", database_url(&pool)),
            "it has no table partners",
        ),
    ] {
        let (code, lines, stderr) = import(&pool, &["--from", &from]);
        assert_eq!((code, lines.len()), (1, 0), "{stderr}");
        let error = stderr
            .lines()
            .find(|line| line.starts_with("error: "))
            .unwrap();
        assert!(
            error.contains(why) && !stderr.contains("geheim"),
            "{stderr}"
        );
    }
    source(&pool).await;
    sqlx::raw_sql("alter table node.api_keys rename secret_hash to hash")
        .execute(&pool)
        .await
        .unwrap();
    let from = format!("{}&options=-csearch_path%3Dnode", database_url(&pool));
    let (code, _, stderr) = import(&pool, &["--from", &from]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("its table api_keys has no column secret_hash"),
        "{stderr}"
    );
}
