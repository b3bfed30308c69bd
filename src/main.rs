//! The server's program: parses the command line and runs it.

fn main() -> std::process::ExitCode {
    myproof_registry::server::cli::main()
}
