//! The program that holds the browser's files: it serves them from nowhere but itself.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use sqlx::PgPool;

use crate::support::process::{call, database_url, program, scratch};
use crate::support::{PEPPER, PUBLIC_ORIGIN};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_program_with_the_files_in_it_needs_no_folder(pool: PgPool) {
    let folder = scratch();
    let (site, temporary) = (folder.join("site"), folder.join("tmp"));
    fs::create_dir_all(site.join("pkg")).unwrap();
    fs::create_dir_all(&temporary).unwrap();
    for extension in ["css", "js", "wasm"] {
        fs::write(
            site.join(format!("pkg/myproof-registry.{extension}")),
            "packed",
        )
        .unwrap();
    }
    fs::write(site.join("pkg/__wasm_split.hash.js"), "").unwrap();
    fs::write(site.join("pkg/__wasm_split_manifest.hash.json"), "{}").unwrap();
    let packed = folder.join("packed");
    let database = database_url(&pool);
    let done = program(
        &database,
        &[
            "pack",
            "--site",
            site.to_str().unwrap(),
            "--output",
            packed.to_str().unwrap(),
        ],
    )
    .output()
    .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    // What is served comes from nowhere else.
    fs::remove_dir_all(&site).unwrap();
    let mut server = Command::new(&packed)
        .args(["serve", "--no-migrate"])
        .env_clear()
        .envs([
            ("DATABASE_URL", database.as_str()),
            ("APIKEY_PEPPER", PEPPER),
            ("PUBLIC_URL", PUBLIC_ORIGIN),
            ("LEPTOS_SITE_ADDR", "127.0.0.1:0"),
            ("METRICS_ADDR", "off"),
            ("LOG_FORMAT", "json"),
            ("TMPDIR", temporary.to_str().unwrap()),
        ])
        .current_dir("/")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.contains("\"listening\""))
        .and_then(|line| {
            Some(
                line.split("\"address\":\"")
                    .nth(1)?
                    .split('"')
                    .next()?
                    .to_owned(),
            )
        })
        .unwrap();
    let (status, answer) = call(&address, "GET", "/pkg/myproof-registry.css", &[], "");
    assert_eq!(
        (status, answer.ends_with("packed")),
        (200, true),
        "{answer}"
    );
    let unpacked = fs::read_dir(&temporary).unwrap().count();
    assert_eq!(unpacked, 1);
    let stopped = Command::new("kill").arg(server.id().to_string()).status();
    assert!(stopped.unwrap().success());
    assert!(server.wait().unwrap().success());
    assert_eq!(
        fs::read_dir(&temporary).unwrap().count(),
        0,
        "files are left behind"
    );
    fs::remove_dir_all(folder).unwrap();
}
