//! Widgets that know nothing of keys.

pub mod combobox;
pub mod dialog;
pub mod field;
pub mod filters;
pub mod icon;
pub mod number;
pub mod pager;
pub mod query;
pub mod time;
