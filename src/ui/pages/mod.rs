//! The console's pages.

pub mod audit;
pub mod code;
pub mod key;
pub mod keys;
pub mod login;
pub mod notices;
pub mod partners;
pub mod settings;
#[cfg(feature = "styleguide")]
pub mod styleguide;
