//! The module map of `src/lib.rs`, held to the `use` lines.

use std::fs;
use std::path::{Path, PathBuf};

/// What a module must not name, whatever the compiler would allow.
const NEVER: [(&str, &[&str]); 9] = [
    (
        "src/domain",
        &[
            "crate::server",
            "crate::console::rpc",
            "crate::console",
            "crate::app",
            "sqlx",
            "axum",
            "leptos",
            "tokio",
            "rand::",
        ],
    ),
    (
        "src/server/store",
        &[
            "server::service",
            "server::http",
            "server::auth",
            "server::crypto",
            "leptos",
            "crate::console",
            "crate::console::rpc",
        ],
    ),
    (
        "src/server/crypto",
        &[
            "server::store",
            "server::service",
            "server::http",
            "server::auth",
            "sqlx",
            "axum",
            "leptos",
        ],
    ),
    (
        "src/server/auth",
        &[
            "server::http",
            "server::service",
            "axum",
            "leptos",
            "crate::console",
            "crate::console::rpc",
        ],
    ),
    (
        "src/server/service",
        &[
            "server::http",
            "axum",
            "leptos",
            "crate::console",
            "crate::console::rpc",
        ],
    ),
    (
        "src/server/delivery",
        &[
            "server::http",
            "server::auth",
            "sqlx",
            "axum",
            "leptos",
            "crate::console",
            "crate::console::rpc",
        ],
    ),
    ("src/server/http", &["server::store", "sqlx", "leptos"]),
    (
        "src/console",
        &[
            "server::store",
            "server::http",
            "crate::app",
            "sqlx",
            "axum",
        ],
    ),
    (
        "src/console/kit",
        &[
            "crate::server",
            "console::keys",
            "console::partners",
            "console::audit",
            "console::settings",
            "console::sign_in",
        ],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file above its tests, without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let above_tests = text.split("#[cfg(test)]").next().unwrap().to_owned();
    above_tests
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn imports_follow_the_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for (folder, never) in NEVER {
        let files = sources(&root.join(folder));
        assert!(!files.is_empty(), "{folder} is gone: mend this test");
        for file in files {
            let code = code(&file);
            for name in never {
                if code.contains(name) {
                    faults.push(format!("{} names {name}", file.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_module_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in sources(&root.join("src")) {
        assert!(
            fs::read_to_string(&file).unwrap().starts_with("//!"),
            "{} has no module comment",
            file.display()
        );
    }
}

/// The layer around server functions asks who calls, but pages call their bodies without it.
#[test]
fn every_server_function_authorizes_its_caller() {
    let mut asked = 0;
    for path in sources(Path::new("src/console")) {
        let text = fs::read_to_string(&path).unwrap();
        for function in text.split("#[server(prefix").skip(1) {
            let endpoint = function.split("endpoint = \"").nth(1).unwrap();
            let endpoint = endpoint.split('"').next().unwrap();
            if myproof_registry::console::rpc::OPEN.contains(&format!("/rpc/{endpoint}").as_str()) {
                continue;
            }
            let body = function.split("\n}\n").next().unwrap();
            let asks = [
                "context::operator()",
                "context::proven_operator()",
                "context::admin()",
                "context::proven_admin()",
                "context::admin_over(",
            ];
            assert!(
                asks.iter().any(|asks| body.contains(asks)),
                "{endpoint} asks nobody"
            );
            asked += 1;
        }
    }
    assert!(asked >= 25, "only {asked} server functions were found");
}
