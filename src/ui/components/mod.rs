//! The parts that pages are made of.

pub mod dialog;
pub mod dialogs;
pub mod field;
pub mod filters;
pub mod frame;
pub mod grace_dialog;
pub mod icon;
pub mod issue_dialog;
pub mod key_table;
pub mod lost_answer;
pub mod notice;
pub mod pager;
pub mod partner_dialogs;
pub mod partner_field;
pub mod partner_filter;
pub mod partner_form;
pub mod partner_table;
pub mod password_dialog;
pub mod restore_dialog;
pub mod retirement;
pub mod revoke_dialog;
pub mod rotate_dialog;
pub mod status;
pub mod time;
pub mod token_reveal;
