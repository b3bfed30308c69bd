//! A newer release brings the schema on while an older instance serves: the older one goes on, and starts again.

use std::process::Command;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{PgPool, SqlSafeStr};

use crate::support::process::{Server, database_url, program};

const MIGRATOR: &Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_older_instance_works_with_a_newer_schema(pool: PgPool) {
    let issue = ["key", "issue", "--partner", "Acme", "--scope", "admin:*"];
    let issued = program(&database_url(&pool), &issue).output().unwrap();
    let token = String::from_utf8(issued.stdout).unwrap().trim().to_owned();
    let older = Server::start(&pool);
    assert_eq!(older.status(&token), 200);
    // What the next release may do: it adds, and no more.
    let next = Migration::new(
        9_999,
        "of the next release".into(),
        MigrationType::Simple,
        "alter table api_keys add column colour text not null default 'none';
         create table of_the_next_release (id bigint primary key);"
            .into_sql_str(),
        false,
    );
    let migrations = MIGRATOR.iter().cloned().chain([next]).collect();
    Migrator::with_migrations(migrations)
        .run(&pool)
        .await
        .unwrap();
    let all_is_well = |server: &Server, how: &str| {
        assert_eq!(server.call("GET", "/readyz", "", "").0, 200, "{how}");
        assert_eq!(server.status(&token), 200, "{how}");
        let body = r#"{"name": "Made meanwhile"}"#;
        let made = server.call("POST", "/api/admin/partners", &token, body);
        assert_eq!(made.0, 201, "{how}: {}", made.1);
    };
    all_is_well(&older, "beside it");
    // A restarted one migrates nothing, and serves.
    for arguments in [&["migrate"][..], &["operator", "list"]] {
        let mut started: Command = program(&database_url(&pool), arguments);
        let output = started.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
    }
    all_is_well(&Server::start_with(&pool, &[]), "restarted");
    // One that was changed is another matter: nothing serves what it does not know.
    sqlx::query("update _sqlx_migrations set checksum = '\\x00' where version = 1")
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(older.call("GET", "/readyz", "", "").0, 503);
    let refused = program(&database_url(&pool), &["migrate"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
}
