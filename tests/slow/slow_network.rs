//! A network to the database that is slow, far too slow, and cut: what is answered meanwhile, that no
//! answer is waited for, and that all is well soon after.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;

use crate::client::Client;
use crate::setup::{self, ISSUE, MIGRATOR, QUIET, VERIFY};
use crate::support::process::Server;

/// How long a check may take, whatever the network is like.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
/// How soon all has to be well again.
const WELL_WITHIN: Duration = Duration::from_secs(5);
/// How long a network that is far too slow, or cut, is looked at.
const LENGTH: Duration = Duration::from_secs(10);
const CUT: Duration = Duration::from_secs(3);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(20);

#[sqlx::test(migrator = "MIGRATOR")]
async fn slow_network(pool: PgPool) {
    let app = setup::app(pool);
    let acme = app.partner("Acme").await;
    let token = app.key(&acme, &["assets:read"]).await.token;
    let admin = app.admin().await;
    setup::lift_rates(&app).await;
    let network = Network::to(&app.pool);
    let server = Server::start_on(&network.url(&app.pool), &[QUIET]);
    let mut caller = Caller {
        client: Client::new(&server.address),
        token: token.to_string(),
        admin,
        order: json!({"partnerId": acme.partner_id, "scopes": ["assets:read"]}).to_string(),
    };

    caller.all_is_well("a network without delay", 20);
    network.delay(Duration::from_millis(200));
    caller.all_is_well("200 ms each way", 20);

    // A heartbeat takes longer than one holds: the listener keeps its connection all the same.
    let listener = listener(&app.pool).await;
    network.delay(Duration::from_millis(600));
    tokio::time::sleep(LENGTH).await;
    assert_eq!(self::listener(&app.pool).await, listener, "reconnected");
    network.delay(Duration::ZERO);
    caller.recovers("600 ms each way, and without delay again");

    network.delay(Duration::from_secs(3));
    caller.nothing_hangs("3 s each way", LENGTH);
    network.delay(Duration::ZERO);
    caller.recovers("without delay again");

    network.cut();
    caller.nothing_hangs("cut", CUT);
    network.restore();
    caller.recovers("restored");
}

/// The backend of the connection on which the server hears of changes: the one with heartbeats.
async fn listener(pool: &PgPool) -> i32 {
    sqlx::query_scalar(
        "select pid from pg_stat_activity where datname = current_database() and query = 'select 1'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// A client of the server.
struct Caller {
    client: Client,
    token: String,
    admin: String,
    order: String,
}

impl Caller {
    /// The status of a check of a warm key, and how long it took.
    fn check(&mut self) -> (u16, Duration) {
        let begun = Instant::now();
        let answer = self.client.call("GET", VERIFY, &self.token, "");
        (answer.unwrap().0, begun.elapsed())
    }

    /// The same of an order to issue a key.
    fn issue(&mut self) -> (u16, Duration) {
        let begun = Instant::now();
        let answer = self.client.call("POST", ISSUE, &self.admin, &self.order);
        (answer.unwrap().0, begun.elapsed())
    }

    /// Everything is done, if slowly.
    fn all_is_well(&mut self, what: &str, checks: usize) {
        let mut slowest = Duration::ZERO;
        for _ in 0..checks {
            let (status, took) = self.check();
            assert_eq!(status, 200, "{what}");
            slowest = slowest.max(took);
            thread::sleep(PAUSE);
        }
        let (status, took) = self.issue();
        assert_eq!(status, 201, "{what}");
        println!("{what}: the slowest of {checks} checks took {slowest:.2?}, issuing {took:.2?}");
    }

    /// Every check is answered in time, with 200 or 503.
    fn nothing_hangs(&mut self, what: &str, length: Duration) {
        let begun = Instant::now();
        let mut slowest = Duration::ZERO;
        let (mut passed, mut away) = (0, 0);
        while begun.elapsed() < length {
            let (status, took) = self.check();
            match status {
                200 => passed += 1,
                503 => away += 1,
                _ => panic!("{what}: {status}"),
            }
            assert!(took <= ANSWERED_WITHIN, "{what}: {took:.2?} for {status}");
            slowest = slowest.max(took);
            thread::sleep(PAUSE);
        }
        println!("{what}: {passed} of 200, {away} of 503, the slowest took {slowest:.2?}");
        assert!(away > 0, "{what}: the server did not notice");
    }

    /// Soon a check passes, and an order is carried out.
    fn recovers(&mut self, what: &str) {
        let begun = Instant::now();
        let checked = Self::becomes(begun, what, 200, || self.check().0);
        let issued = Self::becomes(begun, what, 201, || self.issue().0);
        println!("{what}: a check passed after {checked:.2?}, a key was issued after {issued:.2?}");
    }

    /// How long after `begun` the answer is the one that is wanted; 503 until then.
    fn becomes(begun: Instant, what: &str, wanted: u16, mut ask: impl FnMut() -> u16) -> Duration {
        loop {
            let status = ask();
            let elapsed = begun.elapsed();
            assert!([wanted, 503].contains(&status), "{what}: {status}");
            assert!(
                elapsed <= WELL_WITHIN,
                "{what}: {status} after {elapsed:.2?}"
            );
            if status == wanted {
                return elapsed;
            }
            thread::sleep(PAUSE);
        }
    }
}

/// A network between a program and the cluster's socket.
struct Network(Arc<Wire>);

impl Network {
    fn to(pool: &PgPool) -> Self {
        let options = pool.connect_options();
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let wire = Arc::new(Wire {
            address: listener.local_addr().unwrap(),
            socket: options
                .get_socket()
                .unwrap()
                .join(format!(".s.PGSQL.{}", options.get_port())),
            delay: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        thread::spawn({
            let wire = Arc::clone(&wire);
            move || wire.serve(listener)
        });
        Self(wire)
    }

    /// The database's URL on this side.
    fn url(&self, pool: &PgPool) -> String {
        let options = pool.connect_options();
        format!(
            "postgres://{}@{}/{}?sslmode=disable",
            options.get_username(),
            self.0.address,
            options.get_database().unwrap()
        )
    }

    /// From now on what is sent takes so long, each way. What is under way keeps its time.
    fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap();
        self.0.delay.store(millis, Ordering::SeqCst);
    }

    fn cut(&self) {
        self.0.is_cut.store(true, Ordering::SeqCst);
    }

    fn restore(&self) {
        self.0.is_cut.store(false, Ordering::SeqCst);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
    }
}

struct Wire {
    address: SocketAddr,
    socket: PathBuf,
    /// In milliseconds.
    delay: AtomicU64,
    is_cut: AtomicBool,
    is_over: AtomicBool,
    connections: Mutex<Vec<Arc<Ends>>>,
}

impl Wire {
    /// Accepts connections unless the network is cut: then there is no listener, so that the system
    /// refuses them.
    fn serve(self: &Arc<Self>, listener: TcpListener) {
        let mut listener = Some(listener);
        while !self.is_over.load(Ordering::SeqCst) {
            if self.is_cut.load(Ordering::SeqCst) {
                listener = None;
                self.close_all();
            } else if let Some(listener) = &listener {
                while let Ok((program, _)) = listener.accept() {
                    self.connect(program);
                }
            } else {
                listener = listen(self.address).ok();
            }
            thread::sleep(Duration::from_millis(1));
        }
        self.close_all();
    }

    fn connect(self: &Arc<Self>, program: TcpStream) {
        let Ok(database) = UnixStream::connect(&self.socket) else {
            return;
        };
        program.set_nodelay(true).unwrap();
        let ends = Arc::new(Ends {
            program: program.try_clone().unwrap(),
            database: database.try_clone().unwrap(),
        });
        self.connections.lock().unwrap().push(Arc::clone(&ends));
        let (to_program, to_database) =
            (program.try_clone().unwrap(), database.try_clone().unwrap());
        self.carry(program, to_database, Arc::clone(&ends));
        self.carry(database, to_program, ends);
    }

    /// Passes on what one side says, each part at its time, until either side ends.
    fn carry(
        self: &Arc<Self>,
        mut from: impl Read + Send + 'static,
        mut to: impl Write + Send + 'static,
        ends: Arc<Ends>,
    ) {
        let (send, sent) = mpsc::channel::<(Instant, Vec<u8>)>();
        let wire = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = [0; 16_384];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                let delay = Duration::from_millis(wire.delay.load(Ordering::SeqCst));
                let part = (Instant::now() + delay, bytes[..read].to_vec());
                if send.send(part).is_err() {
                    return;
                }
            }
        });
        thread::spawn(move || {
            for (due, bytes) in sent {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if to.write_all(&bytes).is_err() {
                    break;
                }
            }
            ends.close();
        });
    }

    fn close_all(&self) {
        for ends in self.connections.lock().unwrap().drain(..) {
            ends.close();
        }
    }
}

/// Both ends of a connection.
struct Ends {
    program: TcpStream,
    database: UnixStream,
}

impl Ends {
    fn close(&self) {
        let _ = self.program.shutdown(Shutdown::Both);
        let _ = self.database.shutdown(Shutdown::Both);
    }
}

/// A listener that can be asked whether anybody waits.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
