//! A database whose disk is full: nothing is acknowledged that is not kept, keys that are known go on
//! being answered, and all is well once there is room again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::client::Client;
use crate::setup::{ISSUE, QUIET, VERIFY};
use crate::support::process::{Server, program, scratch};

/// Writes that must fail before space is freed.
const FAILURES: usize = 10;
/// How long it may take until they have.
const PATIENCE: Duration = Duration::from_secs(180);
/// How soon after there is room again a key is issued.
const WELL_WITHIN: Duration = Duration::from_secs(30);
/// A database that has given up is gone by then.
const SETTLES_WITHIN: Duration = Duration::from_secs(2);
const RATE: &str = "10000";

#[tokio::test]
async fn disk_full() {
    let volume = match Volume::mount() {
        Ok(volume) => volume,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let cluster = Cluster(volume);
    cluster.run("start");
    let database = cluster.run("url").trim().to_owned();
    keep_one_s_word(&database).await;
    run(&database, &["migrate"]);
    let admin = issued(&database, "Staff", "admin:*");
    let warm = issued(&database, "Acme", "assets:read");
    let server = Server::start_on(&database, &[QUIET]);
    let mut caller = Caller::new(&server, admin, warm);
    for _ in 0..5 {
        assert_eq!(caller.issue(), 201);
    }
    assert_eq!(caller.check(), 200);

    let tried = orders_on_a_full_disk(&mut caller, &cluster.0);
    println!(
        "{tried} orders on a full disk, {FAILURES} of them failed; {} keys were acknowledged so far",
        caller.tokens.len()
    );
    cluster.0.relieve();
    let begun = Instant::now();
    thread::sleep(SETTLES_WITHIN);
    // It may have given up; one that runs is left alone.
    cluster.run("start");
    while caller.issue() != 201 {
        assert!(begun.elapsed() < WELL_WITHIN, "no key is issued again");
        thread::sleep(Duration::from_millis(100));
    }
    println!(
        "a key was issued {:.1?} after there was room",
        begun.elapsed()
    );
    for token in &caller.tokens {
        let (status, body, _) = caller.client.call("GET", VERIFY, token, "").unwrap();
        assert_eq!(status, 200, "an acknowledged key is lost: {body}");
    }
    let verified = run(&database, &["audit", "verify"]);
    assert!(!verified.contains("broken"), "{verified}");
}

/// Gives orders on a full disk until enough of them have failed; how many those were. For a while the
/// database finds room in its own files.
fn orders_on_a_full_disk(caller: &mut Caller, volume: &Volume) -> usize {
    let begun = Instant::now();
    let (mut tried, mut failed) = (0, 0);
    while failed < FAILURES {
        // Room that the database gives back is taken, too.
        volume.fill();
        tried += 1;
        match caller.issue() {
            201 => {}
            500 | 503 => failed += 1,
            other => panic!("an order on a full disk: {other}"),
        }
        let checked = caller.check();
        assert!([200, 503].contains(&checked), "a warm key: {checked}");
        assert!(
            begun.elapsed() < PATIENCE,
            "{failed} of {tried} orders failed"
        );
    }
    tried
}

/// A throw-away cluster acknowledges before it has written; this one must not.
async fn keep_one_s_word(database: &str) {
    let mut connection = PgConnection::connect(database).await.unwrap();
    sqlx::query("alter database postgres set synchronous_commit = on")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

fn run(database: &str, arguments: &[&str]) -> String {
    let output = program(database, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The token of a key that the command line issues.
fn issued(database: &str, partner: &str, scope: &str) -> String {
    let whose = ["key", "issue", "--partner", partner];
    let what = ["--scope", scope, "--rate", RATE];
    run(database, &[whose, what].concat())
}

/// A client of the server.
struct Caller {
    client: Client,
    admin: String,
    warm: String,
    order: String,
    /// Of the keys that were acknowledged.
    tokens: Vec<String>,
}

impl Caller {
    fn new(server: &Server, admin: String, warm: String) -> Self {
        let mut client = Client::new(&server.address);
        let (_, own, _) = client.call("GET", "/api/key", &admin, "").unwrap();
        let own: Value = serde_json::from_str(&own).unwrap();
        let partner = &own["key"]["partnerId"];
        Self {
            client,
            order: json!({"partnerId": partner, "scopes": ["assets:read"]}).to_string(),
            tokens: vec![warm.clone()],
            admin,
            warm,
        }
    }

    /// Orders a key and keeps its token; the status of the answer. A failure is told in the form of
    /// RFC 9457.
    fn issue(&mut self) -> u16 {
        let answer = self.client.call("POST", ISSUE, &self.admin, &self.order);
        let (status, body, _) = answer.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        if status == 201 {
            self.tokens.push(body["token"].as_str().unwrap().to_owned());
        } else {
            assert_eq!(body["ok"], false, "{body}");
            assert_eq!(body["status"], status, "{body}");
            assert!(body["title"].is_string() && body["requestId"].is_string());
        }
        status
    }

    fn check(&mut self) -> u16 {
        let answer = self.client.call("GET", VERIFY, &self.warm, "");
        answer.unwrap().0
    }
}

/// A small file system in memory.
struct Volume(PathBuf);

impl Volume {
    /// Mounts it, or returns why it can't be mounted.
    fn mount() -> Result<Self, String> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return Err("only root may mount a file system to fill".to_owned());
        }
        let folder = scratch();
        let output = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                "size=200m,mode=755",
                "myproof-slow-test",
            ])
            .arg(&folder)
            .output()
            .unwrap();
        if !output.status.success() {
            let _ = fs::remove_dir(&folder);
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(Self(folder))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all room that is left.
    fn fill(&self) {
        let path = self.ballast();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        // The last page, too.
        for size in [1 << 20, 1 << 12] {
            let part = vec![0; size];
            while file.write_all(&part).is_ok() {}
        }
    }

    /// Gives it back.
    fn relieve(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let unmounted = |options: &[&str]| {
            let status = Command::new("umount").args(options).arg(&self.0).status();
            status.is_ok_and(|status| status.success())
        };
        // A process with an open file there keeps the memory, but not the folder.
        if unmounted(&[]) || unmounted(&["--lazy"]) {
            let _ = fs::remove_dir(&self.0);
        }
    }
}

/// A cluster on a file system of its own. It ends before that does.
struct Cluster(Volume);

impl Cluster {
    fn order(&self, order: &str) -> std::io::Result<Output> {
        Command::new("scripts/cluster.sh")
            .arg("--dir")
            .arg(&self.0.0)
            .args(["--throwaway", order])
            .output()
    }

    fn run(&self, order: &str) -> String {
        let output = self.order(order).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{order}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its file system has to be unmounted, whatever comes of this.
        let _ = self.order("stop");
    }
}
