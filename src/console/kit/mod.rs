//! Widgets that know nothing of the registry.

pub mod combobox;
pub mod dialog;
pub mod field;
pub mod filters;
pub mod icon;
pub mod number;
pub mod pager;
pub mod time;
