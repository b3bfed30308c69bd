//! A database that crashes under load and comes back: what is answered meanwhile, and that nothing that was
//! acknowledged is lost.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::process::{Server, program, scratch};

/// A generous limit for noisy machines; not a measurement.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster of the test's own, which may be stopped and started.
struct Cluster(PathBuf);

impl Cluster {
    fn start() -> Self {
        let cluster = Self(scratch());
        cluster.run("start");
        cluster
    }

    /// `stop` ends it like a crash: nothing more is written, no client is waited for.
    fn run(&self, order: &str) -> String {
        let folder = self.0.to_str().unwrap();
        let output = Command::new("scripts/cluster.sh")
            .args(["--dir", folder, "--throwaway", order])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{order}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn url(&self) -> String {
        let folder = self.0.to_str().unwrap();
        let arguments = ["--dir", folder, "url"];
        let output = Command::new("scripts/cluster.sh")
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.run("stop");
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(database: &str, arguments: &[&str]) -> String {
    let output = program(database, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Stops the threads even if the test fails.
struct StopAtLast<'a>(&'a AtomicBool);

impl Drop for StopAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Forward-auth, which needs only key verification.
fn verified(server: &Server, token: &str) -> u16 {
    server.call("GET", "/api/auth/verify", token, "").0
}

/// Answers to the calls.
#[derive(Default)]
struct Answered {
    statuses: Vec<u16>,
    tokens: Vec<String>,
}

#[test]
fn a_database_crash_loses_no_acknowledged_write() {
    let cluster = Cluster::start();
    let database = cluster.url();
    // A throw-away cluster acknowledges before it has written; this one must not.
    let sql = "alter database postgres set synchronous_commit = on";
    let done = Command::new("psql")
        .args([&database, "-qc", sql])
        .output()
        .unwrap();
    assert!(done.status.success());
    run(&database, &["migrate"]);
    let admin = run(
        &database,
        &[
            "key",
            "issue",
            "--partner",
            "Staff",
            "--scope",
            "admin:*",
            "--rate",
            "10000",
        ],
    );
    let strict = Server::start_on(&database, &[]);
    let bridging = Server::start_on(&database, &[("APIKEY_OUTAGE_SECONDS", "60")]);
    let (_, own) = strict.call("GET", "/api/key", &admin, "");
    let own: Value = serde_json::from_str(own.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let order =
        json!({"partnerId": own["key"]["partnerId"], "scopes": ["assets:read"]}).to_string();
    assert_eq!(verified(&bridging, &admin), 200);

    let stop = AtomicBool::new(false);
    let issue = |server: &Server, answered: &mut Answered| {
        let (status, answer) = server.call("POST", "/api/admin/api-keys/issue", &admin, &order);
        answered.statuses.push(status);
        if status == 201 {
            let body = answer.split("\r\n\r\n").nth(1).unwrap();
            let body: Value = serde_json::from_str(body).unwrap();
            answered
                .tokens
                .push(body["token"].as_str().unwrap().to_owned());
        }
    };
    let (issued, checked, bridged) = std::thread::scope(|threads| {
        let issuing = threads.spawn(|| {
            let mut answered = Answered::default();
            while !stop.load(Ordering::Relaxed) {
                issue(&strict, &mut answered);
            }
            answered
        });
        let checking = |server| {
            let stop = &stop;
            let admin = &admin;
            move || {
                let mut statuses = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    statuses.push(verified(server, admin));
                    // Less often than its rate allows.
                    std::thread::sleep(Duration::from_millis(5));
                }
                statuses
            }
        };
        let strictly = threads.spawn(checking(&strict));
        let bridging = threads.spawn(checking(&bridging));
        let _at_last = StopAtLast(&stop);
        let wait = |seconds| std::thread::sleep(Duration::from_secs(seconds));
        wait(1);
        for _ in 0..2 {
            cluster.run("stop");
            wait(1);
            cluster.run("start");
            // All is well soon after: a key is issued, by the same process.
            let begun = Instant::now();
            loop {
                let mut answered = Answered::default();
                issue(&strict, &mut answered);
                if answered.statuses == [201] && strict.status(&admin) == 200 {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "{:?}", answered.statuses);
            }
            wait(1);
        }
        stop.store(true, Ordering::Relaxed);
        (
            issuing.join().unwrap(),
            strictly.join().unwrap(),
            bridging.join().unwrap(),
        )
    });

    let away = |statuses: &[u16]| statuses.iter().filter(|status| **status == 503).count();
    assert!(
        issued
            .statuses
            .iter()
            .all(|status| [201, 503].contains(status)),
        "{:?}",
        issued.statuses
    );
    assert!(checked.iter().all(|status| [200, 503].contains(status)));
    assert!(
        away(&issued.statuses) > 0 && away(&checked) > 0,
        "the database was never away"
    );
    // A verified key is still accepted if an outage grace is configured.
    assert!(
        bridged.iter().all(|status| *status == 200),
        "{} of {}",
        away(&bridged),
        bridged.len()
    );
    assert!(issued.tokens.len() > 2, "{}", issued.tokens.len());
    for token in &issued.tokens {
        assert_eq!(strict.status(token), 200, "an acknowledged key is lost");
    }
    let verified = run(&database, &["audit", "verify"]);
    assert!(!verified.contains("broken"), "{verified}");
}
