//! The operator's own second factor.

pub mod dialogs;
pub mod panel;
pub mod server_fns;
