//! Logs, to stderr. No secret reaches them: what carries one has a `Debug` that hides it.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts logging as `LOG_FORMAT` (`pretty` or `json`) and `RUST_LOG` say.
///
/// # Errors
/// The fault, in one line naming the variable.
pub fn start() -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => {
            EnvFilter::try_new(directives).map_err(|_| {
                "RUST_LOG must be directives such as info or myproof_registry=debug,info".to_owned()
            })?
        }
        // "already exists, skipping": what PostgreSQL remarks of a migration is no news.
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
        // A request's span has no other around it: a list of them would say everything twice.
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

/// Has panics told in the log, in its own form, by their place alone: a message may hold what was being
/// handled, a secret too.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(tracing::field::display);
        let thread = std::thread::current();
        tracing::error!(
            place,
            thread = thread.name(),
            "a panic: this is a fault of the program"
        );
    }));
}

/// TLS would tell its handshakes byte for byte at `debug` and `trace`: nobody reads them, and a search
/// of the logs for secrets takes them for some.
#[must_use]
pub fn without_handshakes(filter: EnvFilter) -> EnvFilter {
    match "rustls=info".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    }
}
