//! The command line, as a program of its own against a database of its own.

use std::io::Write;
use std::process::Output;

use myproof_registry::server::service::ClientInfo;
use sqlx::PgPool;

use crate::support::canary::secret_in;
use crate::support::process::{database_url as url, program};
use crate::support::{PASSWORD, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// Runs the binary with the given standard input.
fn run(database: &str, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = program(database, arguments).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(secret_in(&stderr), None, "{stderr}");
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        stderr,
    )
}

/// The line that says why a command failed.
fn reason(stderr: &str) -> &str {
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    lines[0]
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_first_admin_key_comes_from_the_command_line(pool: PgPool) {
    let database = url(&pool);
    let (code, stdout, _) = run(
        &database,
        &[
            "key",
            "issue",
            "--partner",
            "Registry staff",
            "--scope",
            "admin:*",
        ],
        "",
    );
    assert_eq!(code, 0);
    let token = stdout.strip_suffix('\n').unwrap();
    let app = TestApp::new(pool);
    assert_eq!(
        app.get("/api/admin/partners", token).await.ok(200)["partners"][0]["name"],
        "Registry staff"
    );
    // The same name again is the same partner; its id will do too.
    let arguments = [
        "key",
        "issue",
        "--partner",
        "Registry staff",
        "--scope",
        "assets:read",
        "reverify",
        "--rate",
        "7",
        "--not-after",
        "2099-01-01T00:00:00Z",
    ];
    let (code, stdout, _) = run(&database, &arguments, "");
    assert_eq!(code, 0);
    assert_eq!(app.count("select count(*) from partners").await, 1);
    let key = app
        .get("/api/admin/api-keys?q=registry", token)
        .await
        .ok(200)["keys"]
        .clone();
    assert_eq!(key.as_array().unwrap().len(), 2);
    let (key_id, _) = stdout.split_once('.').unwrap();
    let (code, _, stderr) = run(
        &database,
        &["key", "revoke", key_id, "--reason", "superseded"],
        "",
    );
    assert_eq!(code, 0, "{stderr}");
    let events = app
        .get("/api/admin/audit?actor=tester&action=key.revoked", token)
        .await
        .ok(200)["events"]
        .clone();
    assert_eq!(events[0]["actor"]["type"], "cli");
    assert_eq!(events[0]["keyId"], key_id);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_is_rotated_and_a_revocation_undone(pool: PgPool) {
    let database = url(&pool);
    let issue = ["key", "issue", "--partner", "Acme", "--scope", "reverify"];
    let (_, token, _) = run(&database, &issue, "");
    let (old_id, _) = token.split_once('.').unwrap();
    let rotate = [
        "key",
        "rotate",
        old_id,
        "--grace",
        "60",
        "--grace-starts",
        "first_use",
    ];
    let (code, stdout, stderr) = run(&database, &rotate, "");
    assert_eq!(code, 0, "{stderr}");
    let (new_id, _) = stdout.trim_end().split_once('.').unwrap();
    assert!(
        stderr.contains(&format!("{new_id} replaces {old_id}")),
        "{stderr}"
    );
    assert!(stderr.contains("at the latest"), "{stderr}");
    let (code, stdout, stderr) = run(&database, &["key", "rotate", old_id], "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(reason(&stderr).contains(new_id), "{stderr}");

    let (code, _, stderr) = run(&database, &["key", "restore", new_id], "");
    assert_eq!(code, 1);
    assert!(reason(&stderr).contains("is not revoked"), "{stderr}");
    assert_eq!(run(&database, &["key", "revoke", new_id], "").0, 0);
    let (code, _, stderr) = run(&database, &["key", "restore", new_id], "");
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains(&format!("{new_id} is active again.")),
        "{stderr}"
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn errors_are_one_line_and_create_nothing(pool: PgPool) {
    let database = url(&pool);
    let app = TestApp::new(pool);
    for _ in 0..2 {
        app.partner("Twin").await;
    }
    let issue = |partner: &'static str, rest: &[&'static str]| {
        let mut arguments = vec!["key", "issue", "--partner", partner, "--scope"];
        arguments.extend_from_slice(rest);
        arguments
    };
    for (arguments, said) in [
        (issue("Twin", &["assets:read"]), "several partners"),
        (issue("New", &["assets:read,admin:*"]), "scopes[0]"),
        (
            issue("New", &["assets:read", "--rate", "0"]),
            "ratePerMinute",
        ),
        (
            issue(
                "New",
                &["assets:read", "--not-after", "2020-01-01T00:00:00Z"],
            ),
            "notAfter",
        ),
        (issue("N", &["assets:read"]), "name"),
        (
            issue("00000000-0000-4000-8000-000000000000", &["assets:read"]),
            "no partner",
        ),
        (vec!["key", "revoke", "mpk_0"], "no key"),
        (vec!["key", "restore", "mpk_0"], "no key"),
        (vec!["key", "rotate", "mpk_0"], "no key"),
        (
            vec!["key", "rotate", "mpk_0", "--grace", "-1"],
            "graceSeconds",
        ),
        (
            vec!["key", "rotate", "mpk_0", "--grace-starts", "later"],
            "graceStarts must be one of now, first_use",
        ),
        (
            vec!["key", "revoke", "mpk_0", "--reason", "stolen"],
            "reason",
        ),
        (
            vec!["operator", "disable", "--email", "nobody@example.com"],
            "no operator",
        ),
    ] {
        let (code, stdout, stderr) = run(&database, &arguments, "");
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(reason(&stderr).contains(said), "{arguments:?}: {stderr}");
    }
    assert_eq!(app.count("select count(*) from partners").await, 2);
    assert_eq!(app.count("select count(*) from api_keys").await, 0);
    for arguments in [
        &["key", "issue"][..],
        &["nonsense"],
        &[
            "operator",
            "create",
            "--email",
            "a@b.c",
            "--role",
            "root",
            "--password-stdin",
        ],
    ] {
        assert_eq!(run(&database, arguments, "").0, 2, "{arguments:?}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn operators_are_managed_from_the_command_line(pool: PgPool) {
    let database = url(&pool);
    let create = [
        "operator",
        "create",
        "--email",
        "Ops@Example.com",
        "--role",
        "auditor",
        "--password-stdin",
    ];
    let (code, _, stderr) = run(&database, &create, &format!("{PASSWORD}\n"));
    assert_eq!(code, 0, "{stderr}");
    assert!(reason(&run(&database, &create, PASSWORD).2).contains("exists already"));
    assert_eq!(
        run(&database, &["operator", "list"], "").1,
        "ops@example.com\tauditor\tactive\n"
    );
    let app = TestApp::new(pool);
    let sign_in = async |password: &str| {
        app.services
            .sessions
            .sign_in(
                "ops@example.com",
                zeroize::Zeroizing::new(password.into()),
                ClientInfo::default(),
                None,
            )
            .await
    };
    assert!(sign_in(PASSWORD).await.is_ok());
    let password = [
        "operator",
        "password",
        "--email",
        "ops@example.com",
        "--password-stdin",
    ];
    assert!(reason(&run(&database, &password, "short\n").2).contains("at least"));
    // One newline is dropped, not two: the rest is the password.
    assert_eq!(run(&database, &password, "canary password two\n\n").0, 0);
    assert!(sign_in(PASSWORD).await.is_err());
    assert!(sign_in("canary password two\n").await.is_ok());
    assert_eq!(
        run(
            &database,
            &["operator", "disable", "--email", "ops@example.com"],
            ""
        )
        .0,
        0
    );
    assert_eq!(
        run(&database, &["operator", "list"], "").1,
        "ops@example.com\tauditor\tdisabled\n"
    );
    assert!(sign_in("canary password two\n").await.is_err());
}

#[sqlx::test(migrations = false)]
async fn a_missing_schema_is_reported_and_created(pool: PgPool) {
    let database = url(&pool);
    let (code, _, stderr) = run(&database, &["operator", "list"], "");
    assert_eq!(code, 1);
    assert!(reason(&stderr).contains("migrate"), "{stderr}");
    assert_eq!(run(&database, &["migrate"], "").0, 0);
    assert_eq!(run(&database, &["migrate"], "").0, 0);
    assert_eq!(run(&database, &["operator", "list"], "").0, 0);
}

#[test]
fn a_bad_configuration_stops_the_start_with_one_line() {
    let with = |name: &str, value: &str| {
        let mut command = program("postgres://nobody@127.0.0.1:1/none", &["serve"]);
        command
            .env("PUBLIC_URL", "https://registry.example")
            .env(name, value);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        reason(&String::from_utf8(output.stderr).unwrap()).to_owned()
    };
    for (name, value, said) in [
        ("APIKEY_PEPPER", "", "APIKEY_PEPPER is missing"),
        ("APIKEY_PEPPER", "short", "APIKEY_PEPPER is too short"),
        ("APIKEY_PEPPER", "change-this-pepper-now", "sample"),
        ("DATABASE_URL", "", "DATABASE_URL is missing"),
        ("PUBLIC_URL", "", "PUBLIC_URL is missing"),
        (
            "PUBLIC_URL",
            "http://registry.example",
            "PUBLIC_URL must be https",
        ),
        ("APP_ENV", "staging", "APP_ENV must be"),
        ("APIKEY_ID_PREFIX", "MPK_", "APIKEY_ID_PREFIX must be"),
        ("APIKEY_SECRET_BYTES", "15", "APIKEY_SECRET_BYTES must be"),
        ("LEPTOS_SITE_ADDR", "here", "LEPTOS_SITE_ADDR must be"),
        ("METRICS_ADDR", "9464", "METRICS_ADDR must be"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "TRUSTED_PROXIES must be"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT must be"),
        ("LEPTOS_SITE_ROOT", "/nonexistent", "LEPTOS_SITE_ROOT"),
    ] {
        let line = with(name, value);
        assert!(line.contains(said), "{name}={value}: {line}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bulk_actions_run_only_when_confirmed(pool: PgPool) {
    let database = url(&pool);
    let app = TestApp::new(pool);
    let acme = app.partner("Acme").await;
    let old = [
        app.key(&acme, &["assets:read"]).await,
        app.key(&acme, &["reverify"]).await,
    ];
    let rotate = ["bulk", "rotate", "--partner", "Acme"];
    let (code, stdout, stderr) = run(&database, &rotate, "");
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains(&format!("{}\tAcme\tscheduled\tnever\n", old[0].key_id)));
    assert!(stderr.contains("This would rotate 2 keys, 0 of them used in the last 30 days."));
    assert_eq!(app.count("select count(*) from api_keys").await, 2);

    let (code, stdout, stderr) = run(&database, &[&rotate[..], &["--yes"]].concat(), "");
    assert_eq!(code, 0, "{stderr}");
    let lines: Vec<Vec<&str>> = stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert!(old.iter().any(|key| key.key_id.as_str() == line[0]));
        assert_eq!(
            app.get("/api/key", line[2]).await.ok(200)["key"]["keyId"],
            line[1]
        );
    }
    let revoke = [
        "bulk",
        "revoke",
        "--key",
        lines[0][1],
        "mpk_000000000000",
        "--yes",
    ];
    let (code, stdout, stderr) = run(&database, &revoke, "");
    assert_eq!((code, stdout.trim()), (0, lines[0][1]), "{stderr}");
    assert!(stderr.contains("skipped: mpk_000000000000: no key has this id"));
    app.get("/api/key", lines[0][2])
        .await
        .problem(401, "unauthorized", "key_inactive");
    for (arguments, why) in [
        (
            &["bulk", "revoke", "--yes"][..],
            "must name keyIds, or some of partnerId, olderThanDays and rotationDue",
        ),
        (
            &["bulk", "revoke", "--partner", "Nobody"],
            "no partner has this id",
        ),
        (
            &[
                "bulk",
                "rotate",
                "--partner",
                "Acme",
                "--grace",
                "60",
                "--yes",
            ],
            "graceSeconds must be a whole number from 3600 to 2592000",
        ),
    ] {
        let (code, _, stderr) = run(&database, arguments, "");
        assert_eq!(code, 1, "{stderr}");
        assert!(reason(&stderr).contains(why), "{stderr}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_policy_is_shown_and_set(pool: PgPool) {
    let database = url(&pool);
    let (code, shown, _) = run(&database, &["policy", "show"], "");
    assert_eq!(code, 0);
    assert_eq!(
        shown,
        "max-key-age\toff\nmax-lifetime\toff\nstale-after\t90\n"
    );
    let set = [
        "policy",
        "set",
        "--max-key-age",
        "180",
        "--max-lifetime",
        "365",
        "--stale-after",
        "off",
    ];
    let (code, shown, _) = run(&database, &set, "");
    assert_eq!(code, 0);
    assert_eq!(
        shown,
        "max-key-age\t180\nmax-lifetime\t365\nstale-after\toff\n"
    );
    let issue = [
        "key",
        "issue",
        "--partner",
        "Acme",
        "--scope",
        "assets:read",
    ];
    let (code, stdout, stderr) = run(&database, &issue, "");
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        reason(&stderr).contains("notAfter must be given"),
        "{stderr}"
    );
    for (arguments, code) in [
        (&["policy", "set"][..], 2),
        (&["policy", "set", "--max-key-age", "soon"], 2),
        (&["policy", "set", "--max-key-age", "0"], 1),
    ] {
        assert_eq!(run(&database, arguments, "").0, code, "{arguments:?}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn sample_keys_are_for_development_only(pool: PgPool) {
    let database = url(&pool);
    let (code, _, stderr) = run(&database, &["sample", "--keys", "60"], "");
    assert_eq!(code, 1);
    assert!(reason(&stderr).contains("for development"), "{stderr}");
    let app = TestApp::new(pool);
    assert_eq!(app.count("select count(*) from api_keys").await, 0);
    let arguments = ["sample", "--keys", "60", "--partners", "3"];
    let mut program = program(&database, &arguments);
    let done = program.env("APP_ENV", "development").output().unwrap();
    assert!(done.status.success());
    assert_eq!(app.count("select count(*) from api_keys").await, 60);
    let stdout = String::from_utf8(done.stdout).unwrap();
    let (token, rest) = stdout.split_once('\n').unwrap();
    assert_eq!((secret_in(token).is_some(), rest), (true, ""));
}
