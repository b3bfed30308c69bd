//! Load from wrk: 32 connections that present tokens in turn.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use myproof_registry::domain::token::{KeyId, compose};

/// How long a run takes.
pub const SECONDS: u32 = 4;

/// What wrk presents.
pub struct Script(PathBuf);

/// What wrk saw.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Requests a second.
    pub rate: f64,
    /// The slowest of a hundred, in milliseconds.
    pub p99: f64,
    /// Answers that were neither 2xx nor 3xx.
    pub refused: f64,
}

impl Script {
    /// A script that presents the tokens in turn.
    pub fn new(path: &Path, tokens: &[String]) -> Self {
        let mut script = "local requests = {}\nlocal next = 0\nlocal tokens = {\n".to_owned();
        for token in tokens {
            writeln!(script, "\"{token}\",").unwrap();
        }
        script.push_str(
            "}\nfunction init(args)\n  for i, token in ipairs(tokens) do\n    requests[i] = wrk.format('GET', nil, {['X-API-Key'] = token})\n  end\nend\n\
             function request()\n  next = next % #requests + 1\n  return requests[next]\nend\n",
        );
        fs::write(path, script).unwrap();
        Self(path.to_owned())
    }

    /// Runs it over so many connections.
    pub fn run(&self, connections: u32, url: &str) -> Seen {
        seen(self.start(connections, url))
    }

    /// The same beside other load, which goes on for a little longer.
    pub fn run_beside(&self, connections: u32, other: &Self, others: u32, url: &str) -> Seen {
        let beside = other.start(others, url);
        let seen = self.run(connections, url);
        self::seen(beside);
        seen
    }

    fn start(&self, connections: u32, url: &str) -> Child {
        let threads = connections.min(2);
        Command::new("wrk")
            .args([
                &format!("-t{threads}"),
                &format!("-c{connections}"),
                &format!("-d{SECONDS}s"),
                "--latency",
                "-s",
            ])
            .arg(&self.0)
            .arg(url)
            .stdout(Stdio::piped())
            .spawn()
            .expect("wrk is installed by scripts/setup.sh wrk")
    }
}

fn seen(child: Child) -> Seen {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let after = |label: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(label));
        line.map(|rest| rest.trim().to_owned())
    };
    let number = |label: &str| after(label).unwrap_or_else(|| panic!("wrk said: {text}"));
    Seen {
        rate: number("Requests/sec:").parse().unwrap(),
        p99: milliseconds(&number("99%")),
        refused: after("Non-2xx or 3xx responses:").map_or(0.0, |text| text.parse().unwrap()),
    }
}

fn milliseconds(text: &str) -> f64 {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let value: f64 = text[..text.len() - unit.len()].parse().unwrap();
    match unit {
        "us" => value / 1_000.0,
        "ms" => value,
        "s" => value * 1_000.0,
        other => panic!("wrk's unit {other}"),
    }
}

/// The token of the same key with a secret that is not its own.
pub fn with_other_secret(token: &str) -> String {
    let key_id = token.split('.').next().unwrap();
    compose(&KeyId::parse(key_id).unwrap(), &[7; 32])
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
