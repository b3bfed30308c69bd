//! Extractors: strict JSON, query strings, paths, credentials, cookies.

pub mod client_addr;
pub mod cookies;
pub mod credential;
pub mod json;
pub mod path;
pub mod query;
pub mod request;
