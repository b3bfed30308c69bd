//! Verification of the audit log: tampering in the database is located at the first event in
//! which it shows.

use myproof_registry::domain::checkpoint::{Checkpoint, Damage};
use serde_json::json;
use sqlx::PgPool;

use crate::support::process::{database_url, program};
use crate::support::{Setting, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// An attacker who owns the tables: no trigger and no constraint applies.
const BREAK_IN: &str = "
    alter table audit_events disable trigger user;
    alter table audit_checkpoints disable trigger user;
    alter table audit_events drop constraint audit_events_hash_true,
        drop constraint audit_events_unforked, drop constraint audit_events_event_id_unique;
    create table kept as table audit_events;
    create table kept_head as table audit_head;
    create table kept_checkpoints as table audit_checkpoints";
const PUT_BACK: &str = "
    truncate audit_events, audit_head, audit_checkpoints;
    insert into audit_events select * from kept;
    insert into audit_head select * from kept_head;
    insert into audit_checkpoints select * from kept_checkpoints";
/// Recomputes the chain from an event on, and its head.
const CHAIN_ANEW: &str = "
    do $$
    declare event record; last bytea;
    begin
        for event in select * from audit_events order by seq loop
            last := coalesce(last, event.prev_hash);
            update audit_events set prev_hash = last, hash = sha256(last || canonical)
             where seq = event.seq returning hash into last;
        end loop;
        update audit_head set seq = (select max(seq) from audit_events), hash = last;
    end $$;";

async fn history(app: &TestApp) -> String {
    let admin = app.admin().await;
    for name in ["Acme", "Brown", "Clark", "Doe"] {
        let body = json!({"name": name, "contactEmail": format!("{name}@example.com")});
        app.post("/api/admin/partners", &admin, body).await.ok(201);
    }
    admin
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn tampering_is_located_at_its_first_event(pool: PgPool) {
    let app = TestApp::new(pool);
    history(&app).await;
    let report = app.services.audit.verify_chain(&[]).await.unwrap();
    assert_eq!((report.events, report.broken), (6, None));
    sqlx::raw_sql(BREAK_IN).execute(&app.pool).await.unwrap();
    let forge = "canonical = convert_to(replace(convert_from(canonical, 'utf8'), 'Brown', 'Bruno'), 'utf8'),
                 details = replace(details::text, 'Brown', 'Bruno')::jsonb";
    let renumber = |by: &str, from: u32| {
        format!(
            "update audit_events set seq = seq + 100 where seq > {from};
             update audit_events set seq = seq - 100 {by} where seq > 100"
        )
    };
    for (meddling, seq, how) in [
        ("update audit_events set details = '{}' where seq = 3".to_owned(), 3, Damage::Altered),
        ("update audit_events set actor_id = 'mpk_1' where seq = 1".to_owned(), 1, Damage::Altered),
        ("update audit_events set at = at + interval '1 microsecond' where seq = 2".to_owned(), 2, Damage::Altered),
        ("update audit_events set ip = '192.0.2.9' where seq = 5".to_owned(), 5, Damage::Altered),
        ("update audit_events set ip = null where seq = 5".to_owned(), 5, Damage::Altered),
        ("update audit_events set action = 'key.paid' where seq = 5".to_owned(), 5, Damage::Altered),
        (format!("update audit_events set {forge} where seq = 4"), 4, Damage::Altered),
        (
            format!("update audit_events set {forge} where seq = 4;
                     update audit_events set hash = sha256(prev_hash || canonical) where seq = 4"),
            4,
            Damage::Altered,
        ),
        ("delete from audit_events where seq = 1".to_owned(), 1, Damage::Removed),
        ("delete from audit_events where seq = 3".to_owned(), 3, Damage::Removed),
        ("delete from audit_events where seq = 6".to_owned(), 6, Damage::Removed),
        ("delete from audit_events".to_owned(), 1, Damage::Removed),
        (
            format!("delete from audit_events where seq = 3; {}", renumber("- 1", 3)),
            3,
            Damage::Removed,
        ),
        (
            format!(
                "{}; insert into audit_events select 4, gen_random_uuid(), at, actor_type, actor_id, action,
                     key_id, partner_id, asset_id, ip, request_id, details, version,
                     convert_to('{{}}', 'utf8'), hash, sha256(hash || convert_to('{{}}', 'utf8'))
                   from audit_events where seq = 3",
                renumber("+ 1", 3)
            ),
            4,
            Damage::Altered,
        ),
        (
            "insert into audit_events select 7, gen_random_uuid(), at, actor_type, actor_id, action, key_id,
                 partner_id, asset_id, ip, request_id, details, version, canonical, hash,
                 sha256(hash || canonical) from audit_events where seq = 6"
                .to_owned(),
            7,
            Damage::Inserted,
        ),
        ("update audit_head set seq = 5".to_owned(), 6, Damage::Inserted),
        ("update audit_head set hash = sha256('x')".to_owned(), 6, Damage::Altered),
        ("update audit_head set seq = 9".to_owned(), 7, Damage::Removed),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(meddling.clone()))
            .execute(&app.pool)
            .await
            .unwrap();
        let broken = app.services.audit.verify_chain(&[]).await.unwrap().broken;
        let broken = broken.unwrap_or_else(|| panic!("unnoticed: {meddling}"));
        assert_eq!((broken.seq, broken.how), (seq, how), "{meddling}");
        sqlx::raw_sql(PUT_BACK).execute(&app.pool).await.unwrap();
        assert_eq!(app.services.audit.verify_chain(&[]).await.unwrap().broken, None);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn checkpoints_detect_what_the_chain_cannot(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = history(&app).await;
    let answer = app.get("/api/admin/audit/checkpoint", &admin).await.ok(200);
    let exported: Checkpoint = serde_json::from_value(answer["checkpoint"].clone()).unwrap();
    assert_eq!((exported.seq, exported.at), (6, app.services.now()));
    // A second request returns the same checkpoint.
    assert_eq!(
        app.services.audit.checkpoint().await.unwrap().as_ref(),
        Some(&exported)
    );
    let report = app
        .services
        .audit
        .verify_chain(std::slice::from_ref(&exported))
        .await
        .unwrap();
    assert_eq!(
        (report.events, report.checkpoints, report.broken),
        (6, 2, None)
    );
    sqlx::raw_sql(BREAK_IN).execute(&app.pool).await.unwrap();
    let cut = "delete from audit_events where seq > 4;
               update audit_head set seq = 4, hash = (select hash from audit_events where seq = 4);";
    let forge = "update audit_events
                    set canonical = convert_to(replace(convert_from(canonical, 'utf8'), 'Brown', 'Bruno'), 'utf8'),
                        details = replace(details::text, 'Brown', 'Bruno')::jsonb;";
    let forget = "truncate audit_checkpoints;";
    let sign = "update audit_checkpoints set hash = (select hash from audit_head);";
    for (meddling, seq, how) in [
        (cut.to_owned(), 5, Damage::Removed),
        (format!("{forge} {CHAIN_ANEW}"), 6, Damage::Rewritten),
        // A forged checkpoint has no valid signature.
        (format!("{forge} {CHAIN_ANEW} {sign}"), 6, Damage::Rewritten),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(meddling.clone()))
            .execute(&app.pool)
            .await
            .unwrap();
        let broken = app
            .services
            .audit
            .verify_chain(&[])
            .await
            .unwrap()
            .broken
            .unwrap();
        assert_eq!((broken.seq, broken.how), (seq, how), "{meddling}");
        sqlx::raw_sql(forget).execute(&app.pool).await.unwrap();
        // Without its checkpoints the database looks intact; an exported checkpoint detects it.
        assert_eq!(
            app.services.audit.verify_chain(&[]).await.unwrap().broken,
            None
        );
        let report = app
            .services
            .audit
            .verify_chain(std::slice::from_ref(&exported))
            .await
            .unwrap();
        let broken = report.broken.unwrap();
        assert_eq!((broken.seq, broken.how), (seq, how), "{meddling}");
        sqlx::raw_sql(PUT_BACK).execute(&app.pool).await.unwrap();
    }

    // Another pepper can neither confirm nor deny; once it knows the old one it can.
    let other = |retired: &'static [&'static str]| {
        TestApp::with(
            app.pool.clone(),
            Setting {
                pepper: "another-canary-pepper-0123456789abcdefghijkl",
                retired,
                ..Setting::default()
            },
        )
    };
    let report = other(&[]).services.audit.verify_chain(&[]).await.unwrap();
    assert_eq!(
        (report.checkpoints, report.unknown_peppers, report.broken),
        (0, 1, None)
    );
    let report = other(&[crate::support::PEPPER])
        .services
        .audit
        .verify_chain(&[])
        .await
        .unwrap();
    assert_eq!((report.checkpoints, report.unknown_peppers), (1, 0));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_command_line_checks_and_exports(pool: PgPool) {
    let database = database_url(&pool);
    let run = |arguments: &[&str]| {
        let output = program(&database, arguments).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, _, stderr) = run(&["audit", "checkpoint"]);
    assert!(
        code == 1 && stderr.contains("the audit log is empty"),
        "{stderr}"
    );
    // Written by the machine's own clock, from the command line.
    for partner in ["Acme", "Brown"] {
        let arguments = [
            "key",
            "issue",
            "--partner",
            partner,
            "--scope",
            "assets:read",
        ];
        assert_eq!(run(&arguments).0, 0);
    }
    let (code, line, stderr) = run(&["audit", "checkpoint"]);
    assert_eq!((code, line.lines().count()), (0, 1), "{stderr}");
    let file = crate::support::process::scratch().join("checkpoints");
    std::fs::write(&file, &line).unwrap();
    let verify = ["audit", "verify", "--checkpoints", file.to_str().unwrap()];
    let (code, _, stderr) = run(&verify);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("4 events are intact; 2 checkpoints match."),
        "{stderr}"
    );
    sqlx::raw_sql(
        "alter table audit_events disable trigger user;
         update audit_events set actor_id = 'somebody else' where seq = 2",
    )
    .execute(&pool)
    .await
    .unwrap();
    let (code, _, stderr) = run(&["audit", "verify"]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("error: the audit log is not intact: event 2 ("),
        "{stderr}"
    );
    assert!(stderr.contains(") was altered"), "{stderr}");
    std::fs::write(&file, "{}").unwrap();
    let (code, _, stderr) = run(&verify);
    assert!(
        code == 1 && stderr.contains("checkpoints:1: is not a checkpoint"),
        "{stderr}"
    );
}
