//! The tab "Partners".

pub mod dialogs;
pub mod field;
pub mod filter;
pub mod form;
pub mod notifications;
pub mod page;
pub mod picker;
pub mod server_fns;
pub mod table;
