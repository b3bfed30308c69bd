//! The words of the registry, for both targets: views, ids, inputs with their rules, errors.
//!
//! Everything here is pure: no I/O, no clock, no random numbers. What depends on the time takes
//! `now` as a parameter, so that a rule reads the same in the server, the browser and a test.

pub mod asset;
pub mod asset_input;
pub mod audit;
pub mod bulk;
pub mod bulk_input;
pub mod checkpoint;
pub mod error;
pub mod factor;
pub mod grace;
pub mod key;
pub mod key_details;
pub mod key_input;
pub mod key_list;
pub mod leak;
pub mod list;
pub mod metadata;
pub mod notice;
pub mod operator;
pub mod overview;
pub mod page;
pub mod partner;
pub mod patch;
pub mod policy;
pub mod rotation;
pub mod routes;
pub mod scope;
pub mod secret;
pub mod session;
pub mod telling;
pub mod token;
pub mod usage;
pub mod validate;
pub mod webhook;
