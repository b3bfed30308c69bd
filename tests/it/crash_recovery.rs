//! Crash recovery of the command line, killed at each step of a write: the partner is left with the
//! old key or the requested one, and the audit log says which.
//!
//! The binary connects to the database through a proxy in this test, which kills it (SIGKILL) at a given
//! step: before the database receives the step, or after the database has answered and before the
//! binary receives the answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use myproof_registry::domain::key::IssuedKey;
use sqlx::PgPool;

use crate::support::TestApp;
use crate::support::process::program;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// The moment at which the binary is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The database has not received the step.
    Before,
    /// The database has answered; the binary has not received it.
    After,
}

/// Runs the binary and kills it at a step, counted from 1. True if it finished before.
fn killed_at(pool: &PgPool, arguments: &[&str], step: u32, moment: Moment) -> bool {
    let options = pool.connect_options();
    let socket: PathBuf = options
        .get_socket()
        .unwrap()
        .join(format!(".s.PGSQL.{}", options.get_port()));
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = proxy.local_addr().unwrap().port();
    let url = format!(
        "postgres://{}@127.0.0.1:{port}/{}?sslmode=disable",
        options.get_username(),
        options.get_database().unwrap()
    );
    let child = program(&url, arguments)
        .env("RUST_LOG", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let victim = Arc::new(Victim {
        child: Mutex::new(child),
        steps: AtomicU32::new(0),
        is_dead: AtomicBool::new(false),
        step,
        moment,
    });
    thread::spawn({
        let victim = Arc::clone(&victim);
        move || {
            for program in proxy.incoming() {
                let (Ok(program), Ok(database)) = (program, UnixStream::connect(&socket)) else {
                    return;
                };
                let victim = Arc::clone(&victim);
                thread::spawn(move || {
                    // As the kernel does for a dead process: the other side sees the connection close.
                    let both = (program.try_clone().unwrap(), database.try_clone().unwrap());
                    victim.relay(program, database);
                    let _ = both.0.shutdown(Shutdown::Both);
                    let _ = both.1.shutdown(Shutdown::Both);
                });
            }
        }
    });
    loop {
        if let Some(status) = victim.child.lock().unwrap().try_wait().unwrap() {
            let ended = !victim.is_dead.load(Ordering::SeqCst);
            assert!(!ended || status.success(), "{arguments:?} failed by itself");
            return ended;
        }
        thread::sleep(std::time::Duration::from_millis(2));
    }
}

struct Victim {
    child: Mutex<Child>,
    steps: AtomicU32,
    is_dead: AtomicBool,
    step: u32,
    moment: Moment,
}

impl Victim {
    fn kill(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
        self.child.lock().unwrap().kill().unwrap();
    }

    /// Forwards the binary's messages one at a time, and the database's answers.
    fn relay(&self, mut program: TcpStream, mut database: UnixStream) {
        let mut answers = database.try_clone().unwrap();
        let mut to_program = program.try_clone().unwrap();
        // Reads the answers to a step here while they must not reach the binary.
        let is_deaf = Arc::new(AtomicBool::new(false));
        let (tell, told) = std::sync::mpsc::channel();
        let deaf = Arc::clone(&is_deaf);
        thread::spawn(move || {
            let mut bytes = [0; 16_384];
            let mut last = Vec::new();
            loop {
                let Ok(read @ 1..) = answers.read(&mut bytes) else {
                    return;
                };
                if deaf.load(Ordering::SeqCst) {
                    // The database is ready again: ReadyForQuery ends an answer.
                    last.extend_from_slice(&bytes[..read]);
                    let end = last.len().saturating_sub(6);
                    if last[end..].starts_with(b"Z\0\0\0\x05") {
                        let _ = tell.send(());
                        return;
                    }
                } else if to_program.write_all(&bytes[..read]).is_err() {
                    return;
                }
            }
        });
        // The first message has no kind.
        let mut is_first = true;
        loop {
            let mut head = vec![0; if is_first { 4 } else { 5 }];
            if program.read_exact(&mut head).is_err() {
                return;
            }
            let length = &head[head.len() - 4..];
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            let mut message = head.clone();
            message.resize(head.len() + length - 4, 0);
            if program.read_exact(&mut message[head.len()..]).is_err() {
                return;
            }
            let is_step = !is_first && matches!(head[0], b'S' | b'Q');
            is_first = false;
            let is_it = is_step && self.steps.fetch_add(1, Ordering::SeqCst) + 1 == self.step;
            if is_it && self.moment == Moment::Before {
                return self.kill();
            }
            if is_it {
                is_deaf.store(true, Ordering::SeqCst);
            }
            if database.write_all(&message).is_err() {
                return;
            }
            if is_it {
                let _ = told.recv();
                return self.kill();
            }
        }
    }
}

struct Lineage {
    live: i64,
    old_lives: bool,
    successors: i64,
}

async fn lineage(app: &TestApp, key: &IssuedKey) -> Lineage {
    let (live, old_lives, successors) = sqlx::query_as(
        "select count(*) filter (where lives), coalesce(bool_or(lives and key_id = $1), false),
                count(*) filter (where rotated_from = $1)
           from (select key_id, rotated_from,
                        revoked_at is null and (retires_at is null or retires_at > now()) as lives
                   from api_keys where lineage = $1) keys",
    )
    .bind(key.key_id.as_str())
    .fetch_one(&app.pool)
    .await
    .unwrap();
    Lineage {
        live,
        old_lives,
        successors,
    }
}

/// Checks that the audit log is intact and has exactly one event for each rotation.
async fn history_fits(app: &TestApp) {
    let report = app.services.audit.verify_chain(&[]).await.unwrap();
    assert_eq!(report.broken, None);
    assert_eq!(
        app.count("select count(*) from api_keys where rotated_from is not null")
            .await,
        app.count("select count(*) from audit_events where action = 'key.rotated'")
            .await
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_rotation_killed_at_any_step_leaves_the_old_key_or_the_new_one(pool: PgPool) {
    let app = TestApp::new(pool);
    let acme = app.partner("Acme").await;
    let mut kills = 0;
    for moment in [Moment::Before, Moment::After] {
        for grace in ["0", "3600"] {
            for step in 1.. {
                let key = app.key(&acme, &["assets:read"]).await;
                let id = key.key_id.as_str();
                let arguments = ["key", "rotate", id, "--grace", grace];
                let ended = killed_at(&app.pool, &arguments, step, moment);
                let found = lineage(&app, &key).await;
                let rotated = found.successors == 1;
                let old_may_live = !rotated || grace != "0";
                assert_eq!(found.old_lives, old_may_live, "{moment:?} {step}");
                assert_eq!(found.live, i64::from(rotated) + i64::from(old_may_live));
                history_fits(&app).await;
                if ended {
                    assert!(rotated);
                    break;
                }
                kills += 1;
                // A retry succeeds, once.
                let output = program(&url(&app.pool), &arguments).output().unwrap();
                assert_eq!(output.status.success(), !rotated, "{moment:?} {step}");
                assert_eq!(lineage(&app, &key).await.successors, 1);
            }
        }
    }
    assert!(kills >= 50, "{kills}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_bulk_rotation_killed_at_any_step_rotates_all_or_none(pool: PgPool) {
    let app = TestApp::new(pool);
    let acme = app.partner("Acme").await;
    let mut kills = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let keys = [
                app.key(&acme, &["assets:read"]).await,
                app.key(&acme, &["assets:read"]).await,
                app.key(&acme, &["assets:read"]).await,
            ];
            let mut arguments = vec!["bulk", "rotate", "--yes", "--key"];
            arguments.extend(keys.iter().map(|key| key.key_id.as_str()));
            let ended = killed_at(&app.pool, &arguments, step, moment);
            let mut successors = 0;
            for key in &keys {
                let found = lineage(&app, key).await;
                assert!(found.old_lives, "a grace cuts nobody off");
                successors += found.successors;
            }
            assert!(
                successors == 0 || successors == 3,
                "{moment:?} {step}: {successors}"
            );
            history_fits(&app).await;
            if ended {
                assert_eq!(successors, 3);
                break;
            }
            kills += 1;
        }
    }
    assert!(kills >= 50, "{kills}");
}

fn url(pool: &PgPool) -> String {
    crate::support::process::database_url(pool)
}

/// Checks that the audit log is intact and agrees with the keys issued and revoked.
async fn history_counts(app: &TestApp, action: &'static str, keys: &'static str) {
    let report = app.services.audit.verify_chain(&[]).await.unwrap();
    assert_eq!(report.broken, None);
    let events: i64 = sqlx::query_scalar("select count(*) from audit_events where action = $1")
        .bind(action)
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(app.count(keys).await, events, "{action}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_killed_issue_or_revocation_is_atomic_and_matches_the_audit_log(pool: PgPool) {
    let app = TestApp::new(pool);
    let acme = app.partner("Acme").await;
    let mut kills = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let arguments = [
                "key",
                "issue",
                "--partner",
                "Acme",
                "--scope",
                "assets:read",
            ];
            let ended = killed_at(&app.pool, &arguments, step, moment);
            history_counts(&app, "key.issued", "select count(*) from api_keys").await;
            if ended {
                break;
            }
            kills += 1;
        }
        for step in 1.. {
            let key = app.key(&acme, &["assets:read"]).await;
            let arguments = ["key", "revoke", key.key_id.as_str()];
            let ended = killed_at(&app.pool, &arguments, step, moment);
            let revoked = "select count(*) from api_keys where revoked_at is not null";
            history_counts(&app, "key.revoked", revoked).await;
            if ended {
                break;
            }
            kills += 1;
            // A retry succeeds, and is recorded once.
            assert!(
                program(&url(&app.pool), &arguments)
                    .output()
                    .unwrap()
                    .status
                    .success()
            );
            history_counts(&app, "key.revoked", revoked).await;
        }
    }
    assert!(kills >= 40, "{kills}");
}
