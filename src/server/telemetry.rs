//! Logging to stderr. Secrets are not logged: types that contain one redact it in `Debug`.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts logging according to `LOG_FORMAT` (`pretty` or `json`) and `RUST_LOG`. The error is one line
/// that names the variable.
pub fn start() -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => {
            EnvFilter::try_new(directives).map_err(|_| {
                "RUST_LOG must be directives such as info or myproof_registry=debug,info".to_owned()
            })?
        }
        // PostgreSQL's notices during migrations ("already exists, skipping") are noise.
        _ => EnvFilter::new("info,sqlx::postgres::notice=warn"),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(without_handshakes(filter))
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stderr);
    match std::env::var("LOG_FORMAT").as_deref() {
        Err(_) | Ok("" | "pretty") => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init(),
        // Request spans are not nested: the span list would repeat the current span.
        Ok("json") => builder
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .init(),
        Ok(_) => return Err("LOG_FORMAT must be pretty or json".to_owned()),
    }
    log_panics();
    Ok(())
}

/// Logs panics by location only: a panic message may contain a secret.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(tracing::field::display);
        let thread = std::thread::current();
        tracing::error!(
            place,
            thread = thread.name(),
            "panic: this is a bug in the server"
        );
    }));
}

/// Limits rustls to `info`: at `debug` and `trace` it logs handshakes byte for byte, which look like
/// secrets to log scanners.
pub fn without_handshakes(filter: EnvFilter) -> EnvFilter {
    match "rustls=info".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    }
}
