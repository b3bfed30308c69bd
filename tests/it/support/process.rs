//! The real program: its command line, and a server of its own process.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use super::PEPPER;
use super::canary::secret_in;

/// The test database's URL for another process.
pub fn database_url(pool: &PgPool) -> String {
    let options: PgConnectOptions = (*pool.connect_options()).clone();
    let base = std::env::var("DATABASE_URL").unwrap();
    let (server, parameters) = base
        .split_once('?')
        .map_or((base.as_str(), ""), |(server, rest)| (server, rest));
    let (host, _) = server.rsplit_once('/').unwrap();
    format!("{host}/{}?{parameters}", options.get_database().unwrap())
}

/// The program with the settings of a test.
pub fn program(database: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_myproof-registry"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database)
        .env("APIKEY_PEPPER", PEPPER)
        .env("USER", "tester")
        .env("RUST_LOG", "trace");
    piped(command)
}

fn piped(mut command: Command) -> Command {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A folder with the files that a server needs for its start.
pub fn empty_site() -> PathBuf {
    let site = scratch();
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    for extension in ["css", "js", "wasm"] {
        std::fs::write(site.join(format!("pkg/myproof-registry.{extension}")), "").unwrap();
    }
    std::fs::write(site.join("pkg/__wasm_split.hash.js"), "").unwrap();
    std::fs::write(site.join("pkg/__wasm_split_manifest.hash.json"), "{}").unwrap();
    site
}

fn serving(database: &str) -> Command {
    program(database, &["serve", "--no-migrate"])
}

/// The same program in a session of its own; it still ends with the thread that started it.
fn apart(program: &Command) -> Command {
    let mut command = Command::new("setsid");
    command
        .args(["setpriv", "--pdeathsig", "TERM"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(
            program
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    piped(command)
}

/// A server of its own process. Its log, at `trace`, is read for secrets.
pub struct Server {
    pub address: String,
    child: Child,
    log: Option<std::thread::JoinHandle<Option<String>>>,
    answered: Arc<Mutex<Vec<String>>>,
    site: PathBuf,
}

impl Server {
    pub fn start(pool: &PgPool) -> Self {
        Self::start_with(pool, &[])
    }

    /// The same with more settings.
    pub fn start_with(pool: &PgPool, settings: &[(&str, &str)]) -> Self {
        Self::start_on(&database_url(pool), settings)
    }

    /// The same in a session of its own, as service managers start it. The kernel shares the cores out
    /// by sessions (`autogroup` of sched(7)): a server in that of its busy clients starves PostgreSQL,
    /// whose processes have one each.
    #[allow(dead_code, reason = "used by tests/slow")]
    pub fn start_apart(pool: &PgPool, settings: &[(&str, &str)]) -> Self {
        Self::run(apart(&serving(&database_url(pool))), settings)
    }

    /// The same on another cluster's database.
    pub fn start_on(database: &str, settings: &[(&str, &str)]) -> Self {
        Self::run(serving(database), settings)
    }

    fn run(mut program: Command, settings: &[(&str, &str)]) -> Self {
        let site = empty_site();
        let mut child = program
            .env("PUBLIC_URL", super::PUBLIC_ORIGIN)
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0")
            .env("METRICS_ADDR", "127.0.0.1:0")
            .env("LEPTOS_SITE_ROOT", &site)
            .env("LOG_FORMAT", "json")
            .envs(settings.iter().copied())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (found, address) = mpsc::channel();
        let answered = Arc::<Mutex<Vec<String>>>::default();
        let told_of = Arc::clone(&answered);
        let log = std::thread::spawn(move || {
            let mut leaked = None;
            for line in lines.map_while(Result::ok) {
                if secret_in(&line).is_some() {
                    leaked.get_or_insert(line.clone());
                }
                if line.contains("\"answered\"") {
                    told_of.lock().unwrap().push(line.clone());
                }
                let told = line
                    .contains("\"listening\"")
                    .then(|| line.split("\"address\":\"").nth(1));
                if let Some(address) = told.flatten().and_then(|rest| rest.split('"').next()) {
                    let _ = found.send(address.to_owned());
                }
            }
            leaked
        });
        let address = address.recv_timeout(Duration::from_secs(30)).unwrap();
        Self {
            address,
            child,
            log: Some(log),
            answered,
            site,
        }
    }

    /// A call with a token: the status and the whole answer.
    pub fn call(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let key = [("X-API-Key", token), ("Content-Type", "application/json")];
        call(&self.address, method, path, &key, body)
    }

    /// What its log says of the requests that it has answered, a line of JSON each.
    #[allow(dead_code, reason = "not used by tests/slow")]
    pub fn answered(&self) -> Vec<String> {
        self.answered.lock().unwrap().clone()
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
    }

    /// How it ended.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    /// The process's id.
    #[allow(dead_code, reason = "used by tests/slow")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it outright (SIGKILL).
    #[allow(dead_code, reason = "used by tests/slow")]
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn status(&self, token: &str) -> u16 {
        self.call("GET", "/api/key", token, "").0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let leaked = self.log.take().and_then(|log| log.join().unwrap());
        let _ = std::fs::remove_dir_all(&self.site);
        if !std::thread::panicking() {
            assert_eq!(leaked, None);
        }
    }
}

/// A new folder of this test's own.
pub fn scratch() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("myproof-it-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// One HTTP/1.1 call on a connection of its own.
pub fn call(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    try_call(address, method, path, headers, body).unwrap()
}

/// The same, of a server that may be on its way out.
pub fn try_call(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).ok_or(ErrorKind::UnexpectedEof)?;
    Ok((status.parse().unwrap(), answer))
}
