//! The tab "Settings": the policy, operators, the operator's own password, second factor and sessions.

pub mod mfa;
pub mod operators;
pub mod page;
pub mod password_dialog;
pub mod server_fns;
pub mod session_table;
