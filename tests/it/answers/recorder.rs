//! Requests and their answers as the text of a snapshot.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use regex::{Captures, Regex};
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{Answer, TestApp};

/// The folder of the snapshots, relative to this file.
const FOLDER: &str = "../snapshots";
/// Longest request body, in bytes, that is shown; of a longer one only the size.
const LONGEST_REQUEST: usize = 1_000;
/// Longest answer body, in bytes, that is shown on one line.
const LONGEST_LINE: usize = 240;

pub struct Recorder {
    pub app: TestApp,
    /// A token with `admin:*`.
    pub admin: String,
    /// Headers that all answers share; listed once, and shown only where they differ.
    common: Vec<(String, String)>,
    text: String,
    placeholders: Placeholders,
}

impl Recorder {
    pub async fn new(pool: PgPool) -> Self {
        // The migration sets this time from the database's clock; all others come from the test's clock.
        sqlx::query("update policy set updated_at = '2027-01-15T12:00:00Z'")
            .execute(&pool)
            .await
            .unwrap();
        let app = TestApp::new(pool);
        let staff = app.partner("Registry staff").await;
        app.clock.advance(TimeDelta::seconds(1));
        let admin = app.key(&staff, &["admin:*"]).await.token.to_string();
        let mut placeholders = Placeholders::new();
        let (key_id, secret) = admin.split_once('.').unwrap();
        placeholders.name(key_id, "[admin key]");
        placeholders.name(secret, "[admin secret]");
        let healthy = app.call("GET", "/healthz", None, None).await;
        let mut common = headers(&healthy);
        common.retain(|(name, _)| name != "content-type");
        let mut text = "Headers of every answer, beside x-request-id:\n".to_owned();
        for (name, value) in &common {
            text.push_str(&format!("< {name}: {value}\n"));
        }
        Self {
            app,
            admin,
            common,
            text,
            placeholders,
        }
    }

    /// Adds a heading.
    pub fn section(&mut self, title: &str) {
        self.text.push_str(&format!("\n=== {title} ===\n"));
    }

    /// Calls with the admin key. `line` is a method and a path; `Value::Null` stands for no body.
    pub async fn admin(&mut self, line: &str, body: Value) -> Value {
        let admin = self.admin.clone();
        self.with(&admin, line, body).await
    }

    /// Calls with a token.
    pub async fn with(&mut self, token: &str, line: &str, body: Value) -> Value {
        self.call(line, &[("X-API-Key", token)], body).await
    }

    /// Calls with these headers, and gives back the answer's body where it is JSON.
    pub async fn call(&mut self, line: &str, headers: &[(&str, &str)], body: Value) -> Value {
        let answer = if body.is_null() {
            self.send(line, headers, "").await
        } else {
            let mut headers = headers.to_vec();
            headers.push(("Content-Type", "application/json"));
            self.send(line, &headers, &body.to_string()).await
        };
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    /// Sends a request and adds it and its answer to the snapshot.
    pub async fn send(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.unrecorded(line, headers, body).await;
        let mut entry = format!("\n> {line}\n");
        for (name, value) in headers {
            entry.push_str(&format!("> {name}: {value}\n"));
        }
        if body.len() > LONGEST_REQUEST {
            entry.push_str(&format!("> ({} bytes)\n", body.len()));
        } else if !body.is_empty() {
            entry.push_str(&format!("> {body}\n"));
        }
        entry.push_str(&self.written(&answer));
        let entry = self.placeholders.put_into(&entry);
        self.text.push_str(&entry);
        answer
    }

    /// Adds a document without placeholders: all its ids are examples.
    pub async fn document(&mut self, path: &str) {
        let line = format!("GET {path}");
        let answer = self.unrecorded(&line, &[], "").await;
        let entry = format!("\n> {line}\n{}", self.written(&answer));
        self.text.push_str(&entry);
    }

    /// Sends a request, one second after the previous one, so that no rate limit is reached and rows of
    /// different requests differ in time.
    pub async fn unrecorded(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.app.clock.advance(TimeDelta::seconds(1));
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::from(body.to_owned());
        self.app.send(request.body(body).unwrap()).await
    }

    /// An answer's status, headers and body.
    fn written(&self, answer: &Answer) -> String {
        let mut text = format!("< {}\n", answer.status.as_u16());
        let found = headers(answer);
        for (name, _) in &self.common {
            if !found.iter().any(|(other, _)| other == name) {
                text.push_str(&format!("< no {name}\n"));
            }
        }
        for header in &found {
            if !self.common.contains(header) {
                text.push_str(&format!("< {}: {}\n", header.0, header.1));
            }
        }
        let own_id = answer.header("x-request-id");
        assert_eq!(
            uuid::Uuid::parse_str(own_id).map(|id| id.get_version_num()),
            Ok(4)
        );
        text.push_str(&shown(answer));
        text.replace(own_id, "[request]")
    }

    /// Compares the text with the snapshot of this name.
    pub fn compare(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(FOLDER);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, self.text));
    }
}

/// An answer's headers, sorted. Left out are the request's id, which is compared apart, and a
/// `content-length` that is the body's: Hyper adds it where it is missing.
fn headers(answer: &Answer) -> Vec<(String, String)> {
    let length = answer.text.len().to_string();
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, value)| match name.as_str() {
            "date" | "x-request-id" => false,
            "content-length" => *value != length,
            _ => true,
        })
        .collect();
    headers.sort();
    headers
}

/// An answer's body, broken into lines if it is long. It ends with a line break.
fn shown(answer: &Answer) -> String {
    let body = answer.text.replace('\r', "\\r");
    let kind = answer.header("content-type");
    let is_json = matches!(kind, "application/json" | "application/problem+json");
    let mut body = if is_json && body.len() > LONGEST_LINE {
        let lines = on_lines(&body);
        let joined: String = lines.lines().map(str::trim_start).collect();
        assert_eq!(joined, body, "JSON with blanks between its members");
        lines
    } else if kind.starts_with("text/html") {
        assert!(!body.contains(">\n<"));
        body.replace("><", ">\n<")
    } else {
        body
    };
    if !body.is_empty() && !body.ends_with('\n') {
        body.push('\n');
    }
    body
}

/// Compact JSON with its members on lines of their own. Nothing but line breaks and spaces is added,
/// and no member moves.
fn on_lines(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let break_line = |text: &mut String, depth| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if !quoted && matches!(c, '}' | ']') {
            depth -= 1;
            if !text.ends_with(['{', '[']) {
                break_line(&mut text, depth);
            }
        }
        text.push(c);
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => {
                depth += 1;
                if !matches!(rest.peek(), Some('}' | ']')) {
                    break_line(&mut text, depth);
                }
            }
            ',' => break_line(&mut text, depth),
            _ => {}
        }
    }
    text
}

/// Placeholders for random values, numbered per kind in order of appearance.
struct Placeholders {
    pattern: Regex,
    names: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
}

const KINDS: [(&str, &str); 6] = [
    ("key", "mpk_[0-9a-f]{12}"),
    ("secret", "[0-9a-f]{72}"),
    (
        "uuid",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    ),
    ("signing", "whsec_[A-Za-z0-9+/]+=*"),
    ("session", "myproof-session=[A-Za-z0-9_-]{32,}"),
    ("digest", "\"[A-Za-z0-9_-]{43}\""),
];

impl Placeholders {
    fn new() -> Self {
        let kinds = KINDS.map(|(kind, pattern)| format!("(?P<{kind}>{pattern})"));
        Self {
            pattern: Regex::new(&kinds.join("|")).unwrap(),
            names: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    fn name(&mut self, value: &str, name: &str) {
        self.names.insert(value.to_owned(), name.to_owned());
    }

    fn put_into(&mut self, text: &str) -> String {
        let Self {
            pattern,
            names,
            counts,
        } = self;
        let name = |found: &Captures<'_>| {
            let kind = KINDS.iter().map(|(kind, _)| *kind);
            let kind = kind.into_iter().find(|kind| found.name(kind).is_some());
            let kind = kind.unwrap();
            let name = names.entry(found[0].to_owned()).or_insert_with(|| {
                let count = counts.entry(kind).or_default();
                *count += 1;
                format!("[{kind}-{count}]")
            });
            name.clone()
        };
        pattern.replace_all(text, name).into_owned()
    }
}
