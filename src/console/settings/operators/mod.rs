//! Operators, as admins manage them.

pub mod dialogs;
pub mod server_fns;
pub mod table;
