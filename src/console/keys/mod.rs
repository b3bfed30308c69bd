//! The tab "API Keys / Rotation" and the page of a key.

pub mod actions;
pub mod badges;
pub mod bulk;
pub mod edit_dialog;
pub mod grace_dialog;
pub mod issue_dialog;
pub mod key_page;
pub mod lineage;
pub mod overview;
pub mod page;
pub mod restore_dialog;
pub mod retirement;
pub mod revoke_dialog;
pub mod rotate_dialog;
pub mod server_fns;
pub mod sparkline;
pub mod status;
pub mod table;
pub mod token_reveal;
pub mod unknown_outcome;
pub mod uses_plot;
