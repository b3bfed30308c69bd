//! The tab with the audit log.

pub mod event_list;
pub mod page;
pub mod server_fns;
