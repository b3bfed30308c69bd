//! The console: pages and components, the same on the server and in the browser.

pub mod audit;
pub mod chunks;
pub mod dialogs;
pub mod keys;
pub mod kit;
pub mod partners;
pub mod rpc;
pub mod settings;
pub mod shell;
pub mod sign_in;
#[cfg(feature = "styleguide")]
pub mod styleguide;
