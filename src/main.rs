//! The server's program: parses the command line and runs it.

/// A request makes some forty small allocations, which this allocator serves faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    myproof_registry::server::cli::main()
}
