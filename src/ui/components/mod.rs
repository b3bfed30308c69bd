//! The parts that pages are made of.

pub mod dialog;
pub mod field;
pub mod frame;
pub mod issue_dialog;
pub mod key_table;
pub mod notice;
pub mod partner_form;
pub mod revoke_dialog;
pub mod rotate_dialog;
pub mod time;
pub mod token_reveal;
