//! An application over a test's own database, and calls through its real router.

pub mod canary;
pub mod process;
pub mod receiver;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use chrono::{DateTime, Utc};
use http_body_util::BodyExt;
use leptos::config::LeptosOptions;
use myproof_registry::app::AssetPaths;
use myproof_registry::domain::audit::{Actor, ActorKind};
use myproof_registry::domain::key::IssuedKey;
use myproof_registry::domain::key_input::IssueInput;
use myproof_registry::domain::operator::Role;
use myproof_registry::domain::partner::{CreatePartner, Partner};
use myproof_registry::server::clock::{Clock, ManualClock, SeededEntropy};
use myproof_registry::server::crypto::pepper::Peppers;
use myproof_registry::server::http::middleware::http_service::HttpService;
use myproof_registry::server::router::router;
use myproof_registry::server::service::delivery_targets::DeliveryTargets;
use myproof_registry::server::service::{
    AuditContext, ClientInfo, Dependencies, IssuingPolicy, Services,
};
use myproof_registry::server::startup;
use myproof_registry::server::state::{AppState, Site};
use serde_json::Value;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

pub const PEPPER: &str = "canary-pepper-0123456789abcdefghijklmnopqrstuvwxyz";
pub const PASSWORD: &str = "canary password of an operator";
pub const PUBLIC_ORIGIN: &str = "https://registry.example";

/// Where requests are answered. Leptos renders with tasks of one executor per process, as a server
/// has it: on the many runtimes of many tests a page could wait for another test's.
static SERVER: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});

/// When every test begins.
pub fn start_of_time() -> DateTime<Utc> {
    "2027-01-15T12:00:00Z".parse().unwrap()
}

pub struct TestApp {
    pub pool: PgPool,
    pub clock: Arc<ManualClock>,
    pub services: Services,
    pub state: AppState,
    service: HttpService,
}

/// What `peppers` and `seed` of an application are, where a test wants them otherwise.
pub struct Setting<'a> {
    pub pepper: &'a str,
    pub retired: &'a [&'a str],
    pub seed: u64,
    pub outage: Duration,
    pub webhook_networks: &'a [&'a str],
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self {
            pepper: PEPPER,
            retired: &[],
            seed: 1,
            outage: Duration::ZERO,
            webhook_networks: &[],
        }
    }
}

impl TestApp {
    pub fn new(pool: PgPool) -> Self {
        Self::with(pool, Setting::default())
    }

    pub fn with(pool: PgPool, setting: Setting<'_>) -> Self {
        canary::watch_logs();
        let clock = Arc::new(ManualClock::new(start_of_time()));
        let retired: Vec<_> = setting
            .retired
            .iter()
            .map(|value| Zeroizing::new((*value).to_owned()))
            .collect();
        let peppers = Arc::new(Peppers::new(setting.pepper, &retired));
        let networks = setting.webhook_networks.iter();
        let networks = networks.map(|network| network.parse().unwrap()).collect();
        let dependencies = startup::dependencies(
            pool.clone(),
            Some(Arc::clone(&peppers)),
            IssuingPolicy::default(),
        );
        let services = Services::new(Dependencies {
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(setting.seed)),
            delivery_targets: DeliveryTargets::new(networks),
            ..dependencies
        });
        let path = |extension: &str| format!("/pkg/test.{extension}");
        let site = Site {
            public_origin: PUBLIC_ORIGIN.to_owned(),
            secure_cookies: true,
            trusted_proxies: vec![],
            assets: AssetPaths {
                css: path("css"),
                js: path("js"),
                wasm: path("wasm"),
                loader: path("loader.js"),
                chunks: [("pages".to_owned(), vec!["pages.hash".to_owned()])].into(),
                validators: [("OFL.txt".to_owned(), "\"tag\"".to_owned())].into(),
            },
        };
        let leptos = LeptosOptions::builder()
            .output_name("test")
            .site_root("public")
            .build();
        let state = startup::state(services.clone(), peppers, site, leptos, setting.outage);
        let service = router(state.clone());
        Self {
            pool,
            clock,
            services,
            state,
            service,
        }
    }

    /// A request from 192.0.2.1.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.send_through(self.service.clone(), request).await
    }

    /// The same through another service.
    pub async fn send_through(&self, service: HttpService, mut request: Request<Body>) -> Answer {
        let path = request.uri().path().to_owned();
        let host = HeaderValue::from_static("registry.example");
        request.headers_mut().entry(HOST).or_insert(host);
        let answered = async move {
            let peer = Some([192, 0, 2, 1].into());
            let (parts, body) = service.answer(request, peer).await.into_parts();
            (parts, body.collect().await.unwrap().to_bytes())
        };
        let (parts, bytes) = SERVER.spawn(answered).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        // A token stands in its one answer, a hash, a pepper or a password in none.
        let reveals = path.ends_with("/issue") || path.ends_with("/rotate");
        assert!(
            reveals || canary::secret_in(&without_content_hashes(&text)).is_none(),
            "a secret in the answer of {path}: {text}"
        );
        assert!(!text.contains("$argon2"), "a hash in the answer of {path}");
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    /// A REST call with a token, if any, and a JSON body, if any.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path);
        if let Some(token) = token {
            request = request.header("X-API-Key", token);
        }
        let body = match body {
            Some(body) => {
                request = request.header("Content-Type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path, Some(token), None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("POST", path, Some(token), Some(body)).await
    }

    pub async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("PATCH", path, Some(token), Some(body)).await
    }

    pub async fn partner(&self, name: &str) -> Partner {
        let command = CreatePartner {
            name: name.to_owned(),
            contact_email: None,
            max_key_age_days: None,
        };
        self.services
            .partners
            .create(&somebody(), command)
            .await
            .unwrap()
    }

    /// A key of a partner with these scopes.
    pub async fn key(&self, partner: &Partner, scopes: &[&str]) -> IssuedKey {
        let input = IssueInput {
            partner_id: Some(partner.partner_id.to_string()),
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
            ..IssueInput::default()
        };
        self.issue(input).await
    }

    pub async fn issue(&self, input: IssueInput) -> IssuedKey {
        let command = input.check(self.services.now()).unwrap();
        self.services
            .keys
            .issue(&somebody(), command)
            .await
            .unwrap()
    }

    /// An admin key of a partner of its own.
    pub async fn admin(&self) -> String {
        let partner = self.partner("Registry staff").await;
        self.key(&partner, &["admin:*"]).await.token.to_string()
    }

    /// Signs an operator in, who has shown a second factor just now, and gives back the cookie.
    pub async fn signed_in(&self, email: &str, role: Role) -> String {
        let cookie = self.signed_in_by_password(email, role).await;
        self.prove(email).await;
        cookie
    }

    /// Has an operator's sessions be those of one who has shown a second factor just now.
    pub async fn prove(&self, email: &str) {
        sqlx::query(
            "update operator_sessions s set factor_at = $2
               from operators o where o.operator_id = s.operator_id and o.email = $1",
        )
        .bind(email)
        .bind(self.clock.now())
        .execute(self.services.pool())
        .await
        .unwrap();
    }

    /// Signs an operator in by password alone and gives back the cookie.
    pub async fn signed_in_by_password(&self, email: &str, role: Role) -> String {
        let password = Zeroizing::new(PASSWORD.to_owned());
        self.services
            .operators
            .create(&somebody(), email, role, password.clone())
            .await
            .unwrap();
        let session = self
            .services
            .sessions
            .sign_in(email, password, ClientInfo::default(), None)
            .await
            .unwrap();
        format!("__Host-myproof-session={}", session.cookie.as_str())
    }

    /// Calls a server function as the browser does.
    pub async fn rpc(&self, function: &str, cookie: Option<&str>, body: Value) -> Answer {
        let mut request = Request::post(format!("/rpc/{function}"))
            .header("Content-Type", "application/json")
            .header("Sec-Fetch-Site", "same-origin");
        if let Some(cookie) = cookie {
            request = request.header("Cookie", cookie);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// A page, as a browser asks for it.
    pub async fn page(&self, path: &str, cookie: Option<&str>) -> Answer {
        let mut request = Request::get(path).header("Accept", "text/html");
        if let Some(cookie) = cookie {
            request = request.header("Cookie", cookie);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// How many rows a query counts.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Plain SQL, as written in `psql`.
    pub async fn sql(&self, sql: &'static str, key_id: &str) {
        let result = sqlx::query(sql)
            .bind(key_id)
            .execute(&self.pool)
            .await
            .unwrap();
        assert_eq!(result.rows_affected(), 1, "{sql}");
    }
}

/// The text without the hashes of contents, which look like secrets and are none.
fn without_content_hashes(text: &str) -> String {
    const NAME: &str = "\"contentHash\":\"";
    // The one of the documentation.
    const EXAMPLE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    // CSV doubles the quotes of a cell.
    let text = text.replace(EXAMPLE, "").replace("\"\"", "\"");
    let mut parts = text.split(NAME);
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        rest.push_str(part.get(64..).unwrap_or_default());
    }
    rest
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            canary::assert_clean();
        }
    }
}

/// A pool over a port on which nothing listens: connections are refused, as by a server that is down.
pub fn nowhere() -> PgPool {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let options = PgConnectOptions::new().host("127.0.0.1").port(port);
    startup::pool(options.username("nobody"))
}

pub fn somebody() -> AuditContext {
    AuditContext {
        actor: Actor::new(ActorKind::Cli, "test"),
        ip: None,
        request_id: None,
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Checks a success and gives back its body.
    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["ok"], true);
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(!self.header("x-request-id").is_empty());
        body
    }

    /// Checks an error's status, code and reason, and that it has the form of RFC 9457.
    #[track_caller]
    pub fn problem(&self, status: u16, error: &str, reason: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["ok"], false);
        assert_eq!(body["error"], error);
        assert_eq!(body["status"], status);
        assert_eq!(
            body["reason"].as_str().unwrap_or_default(),
            reason,
            "{body}"
        );
        assert_eq!(body["requestId"], self.header("x-request-id"));
        assert!(body["title"].is_string() && body["detail"].is_string());
        body
    }

    /// Checks a 400 and gives back the paths of its faults.
    #[track_caller]
    pub fn faults(&self) -> Vec<String> {
        let body = self.problem(400, "invalid_request", "");
        let fields = body["fields"].as_array().unwrap();
        fields
            .iter()
            .map(|field| field["path"].as_str().unwrap().to_owned())
            .collect()
    }
}
