//! Each invariant of the schema, with somebody who tries to break it by plain SQL.

use sqlx::PgPool;

use crate::support::TestApp;

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
            "insert into api_key_last_use (key_id, partner_id, last_used_at) values ('mpk_0', gen_random_uuid(), now())",
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

#[sqlx::test(migrations = false)]
async fn keys_that_were_there_before_lineages_get_theirs(pool: PgPool) {
    let run = async |versions: std::ops::RangeInclusive<i64>| {
        for migration in MIGRATOR.iter().filter(|m| versions.contains(&m.version)) {
            let sql = migration.sql.as_str().to_owned();
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                .execute(&pool)
                .await
                .unwrap();
        }
    };
    run(1..=6).await;
    for statement in [
        PARTNER,
        "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, created_at)
         values ('mpk_1', '00000000-0000-4000-8000-000000000001', '{assets:read}', '$argon2id$v=19$x', '\\x01020304',
                 '\\x0102030405060708', 'cli:test', '2027-01-01Z')",
        "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, created_at, rotated_from)
         select 'mpk_2', partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, timestamptz '2027-01-02Z', 'mpk_1' from api_keys
         union all
         select 'mpk_3', partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by, timestamptz '2027-01-03Z', 'mpk_2' from api_keys",
        "update api_keys set retires_at = '2027-01-02 01:00Z' where key_id = 'mpk_1'",
        "update api_keys set retires_at = '2028-01-01Z' where key_id = 'mpk_2'",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    run(7..=i64::MAX).await;
    type Row = (String, String, i32, Option<i32>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "select key_id, lineage, generation, grace_seconds, grace_starts from api_keys order by key_id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let row = |id: &str, generation, seconds: Option<i32>| {
        let starts = seconds.map(|_| "now".to_owned());
        (
            id.to_owned(),
            "mpk_1".to_owned(),
            generation,
            seconds,
            starts,
        )
    };
    assert_eq!(
        rows,
        [
            row("mpk_1", 0, Some(3_600)),
            row("mpk_2", 1, Some(2_592_000)),
            row("mpk_3", 2, None)
        ]
    );
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
async fn the_history_can_only_grow_and_only_at_its_end(pool: PgPool) {
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

/// What somebody at `psql` may rely on: each of these alone is enough.
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
async fn migrating_on_several_machines_at_once_works(pool: PgPool) {
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
