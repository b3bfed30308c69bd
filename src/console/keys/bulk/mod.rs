//! Bulk actions: rotating or revoking the keys that a selection matches.

pub mod dialog;
pub mod form;
pub mod preview;
pub mod server_fns;
pub mod tokens_reveal;
