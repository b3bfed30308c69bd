//! Invariants of the schema, each against an attempt to break it by plain SQL.

use std::process::Command;

use sqlx::postgres::PgListener;
use sqlx::{Connection, PgPool};

use crate::support::TestApp;
use crate::support::process::{database_url, empty_site, program};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

const PARTNER: &str = "insert into partners (partner_id, name) values ('00000000-0000-4000-8000-000000000001', 'Acme')";
const KEY: &str = "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by)
     values ('mpk_1', '00000000-0000-4000-8000-000000000001', '{assets:read}', '$argon2id$v=19$x', '\\x01020304',
             '\\x0102030405060708', 'cli:test')";

/// Runs statements and gives back the constraint that refused the last one.
pub async fn refused_by(pool: &PgPool, statement: &'static str) -> String {
    let mut transaction = pool.begin().await.unwrap();
    let error = sqlx::query(statement)
        .execute(&mut *transaction)
        .await
        .expect_err(statement);
    let database = error
        .as_database_error()
        .unwrap_or_else(|| panic!("{statement}: {error}"));
    match database.constraint() {
        Some(constraint) => constraint.to_owned(),
        None => database.code().unwrap_or_default().into_owned(),
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn partners_are_well_formed(pool: PgPool) {
    sqlx::query(PARTNER).execute(&pool).await.unwrap();
    for (statement, constraint) in [
        ("update partners set name = 'A'", "partners_name_length"),
        (
            "update partners set name = repeat('x', 201)",
            "partners_name_length",
        ),
        (
            "update partners set name = ' Acme'",
            "partners_name_trimmed",
        ),
        (
            "update partners set name = E'Ac\\nme'",
            "partners_name_without_controls",
        ),
        (
            "update partners set contact_email = 'nobody'",
            "partners_contact_email_form",
        ),
    ] {
        assert_eq!(
            refused_by(&pool, statement).await,
            constraint,
            "{statement}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_are_well_formed_and_belong_to_a_partner(pool: PgPool) {
    assert_eq!(refused_by(&pool, KEY).await, "api_keys_partner");
    sqlx::query(PARTNER).execute(&pool).await.unwrap();
    sqlx::query(KEY).execute(&pool).await.unwrap();
    for (statement, constraint) in [
        (KEY, "api_keys_pkey"),
        ("delete from partners", "api_keys_partner"),
        ("update api_keys set name = ''", "api_keys_name_length"),
        (
            "update api_keys set environment = 'prod'",
            "api_keys_environment_known",
        ),
        ("update api_keys set scopes = '{}'", "api_keys_scopes_known"),
        (
            "update api_keys set scopes = '{\"assets:read,admin:*\"}'",
            "api_keys_scopes_known",
        ),
        (
            "update api_keys set scopes = array['assets:read', null]",
            "api_keys_scopes_distinct",
        ),
        (
            "update api_keys set scopes = '{assets:read,assets:read}'",
            "api_keys_scopes_distinct",
        ),
        (
            "update api_keys set rate_per_minute = 0",
            "api_keys_rate_positive",
        ),
        (
            "update api_keys set secret_hash = 'plain'",
            "api_keys_secret_hash_argon2id",
        ),
        (
            "update api_keys set check_tag = '\\x0102'",
            "api_keys_check_tag_size",
        ),
        (
            "update api_keys set pepper_fingerprint = '\\x01'",
            "api_keys_pepper_fingerprint_size",
        ),
        (
            "update api_keys set check_tag = null",
            "api_keys_modern_rows_are_complete",
        ),
        (
            "update api_keys set pepper_fingerprint = null",
            "api_keys_modern_rows_are_complete",
        ),
        (
            "update api_keys set revoked_reason = 'stolen'",
            "api_keys_revoked_reason_known",
        ),
        (
            "update api_keys set revoked_note = repeat('x', 201)",
            "api_keys_revoked_note_length",
        ),
        (
            "update api_keys set grace_seconds = 2592001",
            "api_keys_grace_seconds_bounded",
        ),
        (
            "update api_keys set grace_starts = 'later'",
            "api_keys_grace_starts_known",
        ),
        (
            "update api_keys set lineage = 'mpk_2'",
            "api_keys_identity_for_life",
        ),
        (
            "update api_keys set generation = 1",
            "api_keys_identity_for_life",
        ),
        (
            "update api_keys set created_by = 'me'",
            "api_keys_created_by_form",
        ),
        (
            "update api_keys set key_id = 'mpk_2'",
            "api_keys_identity_for_life",
        ),
        (
            "update api_keys set partner_id = gen_random_uuid()",
            "api_keys_identity_for_life",
        ),
        (
            "update api_keys set created_at = now() + interval '1 day'",
            "api_keys_identity_for_life",
        ),
        (
            "insert into api_key_last_use (key_id, partner_id, created_at) values ('mpk_0', gen_random_uuid(), now())",
            "api_key_last_use_key",
        ),
    ] {
        assert_eq!(
            refused_by(&pool, statement).await,
            constraint,
            "{statement}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_has_one_successor_at_most(pool: PgPool) {
    sqlx::query(PARTNER).execute(&pool).await.unwrap();
    sqlx::query(KEY).execute(&pool).await.unwrap();
    const SUCCESSOR: &str = "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag,
                                                   pepper_fingerprint, created_by, rotated_from)
         select 'mpk_2', partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, key_id
           from api_keys where key_id = 'mpk_1'";
    sqlx::query(SUCCESSOR).execute(&pool).await.unwrap();
    for (statement, constraint) in [
        (
            "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, rotated_from)
             select 'mpk_3', partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, rotated_from
               from api_keys where key_id = 'mpk_2'",
            "api_keys_one_successor",
        ),
        (
            "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, rotated_from)
             select 'mpk_4', partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, 'mpk_9'
               from api_keys where key_id = 'mpk_2'",
            "api_keys_rotated_from",
        ),
        ("update api_keys set rotated_from = null where key_id = 'mpk_2'", "api_keys_identity_for_life"),
        ("delete from api_keys where key_id = 'mpk_1'", "api_keys_rotated_from"),
    ] {
        assert_eq!(refused_by(&pool, statement).await, constraint, "{statement}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn operators_and_sessions_are_well_formed(pool: PgPool) {
    sqlx::query(
        "insert into operators (operator_id, email, password_hash, role)
         values ('00000000-0000-4000-8000-000000000001', 'a@example.com', '$argon2id$v=19$x', 'admin')",
    )
    .execute(&pool)
    .await
    .unwrap();
    for (statement, constraint) in [
        (
            "insert into operators (operator_id, email, password_hash, role)
             values (gen_random_uuid(), 'a@example.com', '$argon2id$v=19$x', 'admin')",
            "operators_email_unique",
        ),
        (
            "update operators set email = 'A@example.com'",
            "operators_email_lower_case",
        ),
        ("update operators set role = 'root'", "operators_role_known"),
        (
            "update operators set password_hash = 'plain'",
            "operators_password_hash_argon2id",
        ),
        (
            "insert into operator_sessions values ('\\x00', '00000000-0000-4000-8000-000000000001', now(), now())",
            "operator_sessions_hash_size",
        ),
        (
            "insert into operator_sessions values (sha256(''), gen_random_uuid(), now(), now())",
            "operator_sessions_operator",
        ),
        (
            "insert into operator_sessions values (sha256(''), '00000000-0000-4000-8000-000000000001', now(), now() - interval '1 s')",
            "operator_sessions_seen_after_created",
        ),
    ] {
        assert_eq!(
            refused_by(&pool, statement).await,
            constraint,
            "{statement}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_audit_log_is_append_only(pool: PgPool) {
    let app = TestApp::new(pool);
    app.partner("Acme").await;
    app.partner("Bcme").await;
    for (statement, constraint) in [
        ("update audit_events set action = 'x'", "audit_events_append_only"),
        ("delete from audit_events", "audit_events_append_only"),
        ("truncate audit_events", "audit_events_append_only"),
        (
            "insert into audit_events (seq, event_id, at, actor_type, actor_id, action, version, canonical, prev_hash, hash)
             select 3, gen_random_uuid(), at, actor_type, actor_id, action, version, canonical, prev_hash, hash
               from audit_events where seq = 2",
            "audit_events_unforked",
        ),
        (
            "insert into audit_events (seq, event_id, at, actor_type, actor_id, action, version, canonical, prev_hash, hash)
             select 3, gen_random_uuid(), at, actor_type, actor_id, action, version, 'x', hash, hash
               from audit_events where seq = 2",
            "audit_events_hash_true",
        ),
        ("insert into audit_head (only_row, seq, hash) values (false, 0, sha256(''))", "audit_head_only_row"),
        ("insert into audit_head (seq, hash) values (0, sha256(''))", "audit_head_pkey"),
    ] {
        assert_eq!(refused_by(&app.pool, statement).await, constraint, "{statement}");
    }
}

/// Guarantees for users of `psql`: each of these statements alone is enough.
#[sqlx::test(migrator = "MIGRATOR")]
async fn plain_sql_needs_no_second_column(pool: PgPool) {
    sqlx::query(PARTNER).execute(&pool).await.unwrap();
    sqlx::query(KEY).execute(&pool).await.unwrap();
    for statement in [
        "update api_keys set not_before = now() + interval '1 year'",
        "update api_keys set not_after = now()",
        "update api_keys set rate_per_minute = 2147483647",
        "update api_keys set scopes = '{admin:*}'",
        "update api_keys set revoked_at = now()",
        "update partners set active = false",
    ] {
        sqlx::query(statement)
            .execute(&pool)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

#[sqlx::test(migrations = false)]
async fn concurrent_migrations_work(pool: PgPool) {
    use myproof_registry::server::store::schema;

    assert!(
        !schema::is_current(&mut pool.acquire().await.unwrap())
            .await
            .unwrap()
    );
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { schema::migrate(&pool).await })
        })
        .collect();
    for run in runs {
        run.await.unwrap().unwrap();
    }
    assert!(
        schema::is_current(&mut pool.acquire().await.unwrap())
            .await
            .unwrap()
    );
}

/// The caller's search_path decides nothing: each change is written, checked and announced.
#[sqlx::test(migrator = "MIGRATOR")]
async fn plain_sql_works_under_any_search_path(pool: PgPool) {
    sqlx::query(PARTNER).execute(&pool).await.unwrap();
    let mut listener = PgListener::connect_with(&pool).await.unwrap();
    listener.listen("myproof_registry").await.unwrap();
    let mut connection = pool.acquire().await.unwrap().detach();
    sqlx::query("select set_config('search_path', '', false)")
        .execute(&mut connection)
        .await
        .unwrap();
    const SUCCESSOR: &str = "insert into public.api_keys (key_id, partner_id, scopes, secret_hash, check_tag,
                                                          pepper_fingerprint, created_by, rotated_from)
         select 'mpk_2', partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, key_id
           from public.api_keys where key_id = 'mpk_1'";
    for (statement, announced) in [
        (
            KEY.replace("into api_keys", "into public.api_keys"),
            "k:mpk_1",
        ),
        (SUCCESSOR.to_owned(), "k:mpk_2"),
        (
            "update public.api_keys set revoked_at = now() where key_id = 'mpk_1'".to_owned(),
            "k:mpk_1",
        ),
        (
            "update public.partners set active = false".to_owned(),
            "p:00000000-0000-4000-8000-000000000001",
        ),
        (
            "delete from public.api_keys where key_id = 'mpk_2'".to_owned(),
            "k:mpk_2",
        ),
        (
            // The events of assets refuse to go along.
            "alter table public.asset_events disable trigger asset_events_append_only;
             truncate public.api_keys cascade"
                .to_owned(),
            "*",
        ),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone()))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
        let heard = listener.recv().await.unwrap();
        assert_eq!(heard.payload(), announced, "{statement}");
    }
    connection.close().await.unwrap();
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_schema_keeps_to_its_own_rules(pool: PgPool) {
    for (rule, broken) in [
        (
            "a function's names are resolved when it is created, or under its own search_path",
            "select proname::text from pg_proc p
              where pronamespace = 'public'::regnamespace and prosqlbody is null
                and not exists (select from unnest(proconfig) c where c like 'search_path=%')
                and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')",
        ),
        (
            "a table has a primary key",
            "select relname::text from pg_class c
              where relnamespace = 'public'::regnamespace and relkind = 'r'
                and not exists (select from pg_index where indrelid = c.oid and indisprimary)",
        ),
        (
            "a trigger that announces changes does so for replicated rows, too",
            "select tgname::text from pg_trigger
              where tgfoid = 'announce_changes'::regproc and tgenabled <> 'A'",
        ),
    ] {
        let broken: Vec<String> = sqlx::query_scalar(broken).fetch_all(&pool).await.unwrap();
        assert_eq!(broken, [""; 0], "{rule}");
    }
}

/// The text of `pg_dump`, but for what depends on its release and on the moment.
fn dump(pool: &PgPool) -> String {
    let output = Command::new("pg_dump")
        .args([
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            "--schema=public",
        ])
        .args(["--exclude-table=_sqlx_migrations", &database_url(pool)])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pg_dump: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        let is_noise = line.starts_with("--")
            || line.starts_with('\\')
            || line.starts_with("SET ")
            || line.starts_with("SELECT pg_catalog.set_config")
            || (line.is_empty() && lines.last().is_none_or(|last| last.is_empty()));
        if !is_noise {
            lines.push(line);
        }
    }
    format!("{}\n", lines.join("\n").trim_end())
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_schema_matches_the_checked_in_dump(pool: PgPool) {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/schema.sql");
    let text = format!(
        "-- The schema after all migrations, by pg_dump of PostgreSQL 15. Generated: do not edit.\n\n{}",
        dump(&pool)
    );
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(FILE).unwrap_or_default() == text,
        "migrations/schema.sql is not the schema that the migrations make; \
         run this test with UPDATE_SCHEMA=1 in the environment to write it"
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_pre_release_database_is_refused_with_instructions(pool: PgPool) {
    sqlx::query("update _sqlx_migrations set checksum = '\\x00' where version = 2")
        .execute(&pool)
        .await
        .unwrap();
    for arguments in [&["migrate"][..], &["serve"]] {
        let refused = program(&database_url(&pool), arguments)
            .env("PUBLIC_URL", "https://registry.example")
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
            .env("METRICS_ADDR", "off")
            .env("LEPTOS_SITE_ROOT", empty_site())
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        let errors: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("error:"))
            .collect();
        assert_eq!(
            errors,
            [
                "error: the database was created by a pre-release version; create a new database or restore a dump \
              into the current schema; see docs/operations.md"
            ],
            "{arguments:?}: {said}"
        );
    }
}
