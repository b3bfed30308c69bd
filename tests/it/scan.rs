//! `scan`: leaked tokens in files.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Output;

use myproof_registry::domain::token::{KeyId, compose};
use sqlx::PgPool;

use crate::support::TestApp;
use crate::support::canary::secret_in;
use crate::support::process::{database_url, program, scratch};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

fn scan(database: Option<&str>, arguments: &[&str], input: &str) -> (i32, Vec<String>, String) {
    let mut command = program(
        database.unwrap_or_default(),
        &[&["scan"], arguments].concat(),
    );
    if database.is_none() {
        command
            .env_remove("DATABASE_URL")
            .env_remove("APIKEY_PEPPER");
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    );
    for text in [&stdout, &stderr] {
        assert_eq!(secret_in(text), None, "{text}");
    }
    let lines = stdout.lines().map(str::to_owned).collect();
    (status.code().unwrap(), lines, stderr)
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn some_token(id: &str) -> String {
    compose(&KeyId::parse(id).unwrap(), &[0x5a; 32])
}

#[test]
fn without_a_database_files_are_read_as_git_sees_them() {
    let folder = scratch();
    let token = some_token("mpk_0f1e2d3c4b5a");
    write(
        &folder,
        "src/deep/config.rs",
        &format!("// nothing\nlet key = \"{token}\";\n"),
    );
    write(&folder, ".env.production", &format!("API_KEY={token}\n"));
    write(&folder, ".gitignore", "ignored/\n*.log\n");
    write(&folder, "ignored/a.txt", &token);
    write(&folder, "server.log", &token);
    write(&folder, ".git/config", &token);
    write(
        &folder,
        "clean.txt",
        "mpk_0f1e2d3c4b5a.0123 and nothing more\n",
    );
    let path = folder.to_str().unwrap();
    let (code, lines, stderr) = scan(None, &[path], "");
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(
        lines,
        [
            format!("{path}/.env.production:1:9: mpk_0f1e2d3c4b5a unknown"),
            format!("{path}/src/deep/config.rs:2:12: mpk_0f1e2d3c4b5a unknown"),
        ]
    );
    assert!(stderr.contains("2 tokens of 1 keys"), "{stderr}");
    // What is named itself is read whatever git says.
    let (code, lines, _) = scan(None, &[&format!("{path}/server.log")], "");
    assert_eq!((code, lines.len()), (1, 1));
    let (code, lines, _) = scan(None, &[&format!("{path}/clean.txt")], "");
    assert_eq!((code, lines.len()), (0, 0));
    for arguments in [&[][..], &["-"]] {
        let (code, lines, _) = scan(None, arguments, &format!("+key: {token}"));
        assert_eq!(
            (code, &lines[..]),
            (1, &["-:1:7: mpk_0f1e2d3c4b5a unknown".to_owned()][..])
        );
        assert_eq!(scan(None, arguments, "nothing").0, 0);
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_impossible_scan_is_reported() {
    let (code, lines, stderr) = scan(None, &["/nowhere/at/all"], "");
    assert_eq!((code, lines.len()), (3, 0), "{stderr}");
    assert!(
        stderr.contains("failed: ") && stderr.contains("/nowhere/at/all"),
        "{stderr}"
    );
    let (code, _, stderr) = scan(None, &["--revoke"], &some_token("mpk_0f1e2d3c4b5a"));
    assert_eq!(code, 3);
    assert!(
        stderr.contains("error: DATABASE_URL is missing"),
        "{stderr}"
    );
    // A leak is reported even if the database is unreachable.
    let away = "postgres://nobody@127.0.0.1:9/none";
    let (code, lines, stderr) = scan(Some(away), &[], &some_token("mpk_0f1e2d3c4b5a"));
    assert_eq!(
        (code, &lines[..]),
        (1, &["-:1:1: mpk_0f1e2d3c4b5a unknown".to_owned()][..])
    );
    assert!(stderr.contains("status of the keys is unknown"), "{stderr}");
    assert_eq!(scan(None, &["--nonsense"], "").0, 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn statuses_are_reported_and_only_verified_tokens_are_revoked(pool: PgPool) {
    let database = database_url(&pool);
    let app = TestApp::new(pool);
    let acme = app.partner("Acme").await;
    let leaked = app.key(&acme, &["assets:read"]).await;
    let forged = app.key(&acme, &["assets:read"]).await;
    let forgery = compose(&forged.key_id, &[0x5a; 32]);
    let nobody = some_token("mpk_000000000000");
    let text = format!(
        "a {}\nb {forgery}\nc {nobody}\nd {}\n",
        &*leaked.token, &*leaked.token
    );
    let (id, other) = (leaked.key_id.as_str(), forged.key_id.as_str());
    // The program's clock is the machine's, at which these are not valid yet.
    let (code, lines, stderr) = scan(Some(&database), &[], &text);
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(
        lines,
        [
            format!("-:1:3: {id} scheduled"),
            format!("-:2:3: {other} scheduled"),
            "-:3:3: mpk_000000000000 no such key".to_owned(),
            format!("-:4:3: {id} scheduled"),
        ]
    );
    for key in [&leaked, &forged] {
        app.get("/api/key", &key.token).await.ok(200);
    }
    for _ in 0..2 {
        let (code, lines, stderr) = scan(Some(&database), &["--revoke"], &text);
        assert_eq!(code, 1, "{stderr}");
        assert_eq!(
            lines,
            [
                format!("-:1:3: {id} revoked"),
                format!("-:2:3: {other} not verified"),
                "-:3:3: mpk_000000000000 not verified".to_owned(),
                format!("-:4:3: {id} revoked"),
            ]
        );
    }
    // The server of this test has no listener: it checks every request against the row.
    app.get("/api/key", &leaked.token)
        .await
        .problem(401, "unauthorized", "key_inactive");
    app.get("/api/key", &forged.token).await.ok(200);
    let reason: String =
        sqlx::query_scalar("select revoked_reason from api_keys where key_id = $1")
            .bind(id)
            .fetch_one(&app.pool)
            .await
            .unwrap();
    assert_eq!(reason, "key_compromise");
    assert_eq!(
        app.count(
            "select count(*) from audit_events where action = 'key.revoked' and actor_type = 'cli'"
        )
        .await,
        1
    );
}
