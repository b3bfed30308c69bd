//! What operators see: components and pages, the same on the server and in the browser.

pub mod browser;
pub mod chunks;
pub mod components;
pub mod desk;
pub mod dialogs;
pub mod hydration;
pub mod links;
pub mod live;
pub mod pages;
pub mod remote;
pub mod session;
pub mod shortcuts;
