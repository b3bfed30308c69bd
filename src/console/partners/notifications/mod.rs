//! A partner's webhooks and their deliveries.

pub mod delivery_table;
pub mod page;
pub mod server_fns;
pub mod webhook_dialogs;
pub mod webhook_table;
