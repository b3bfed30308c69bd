//! What surrounds every page: navigation, the dialog host, live updates, browser bindings.

pub mod alert;
pub mod browser;
pub mod dialog_host;
pub mod frame;
pub mod hydration;
pub mod list_page;
pub mod live;
pub mod refresh;
pub mod remote;
pub mod session;
pub mod shortcuts;
pub mod shortcuts_dialog;
pub mod step_up;
pub mod submission;
