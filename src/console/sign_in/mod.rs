//! Signing in and out.

pub mod code_page;
pub mod page;
pub mod server_fns;
