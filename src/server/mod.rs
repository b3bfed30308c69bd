//! The server's half.
pub mod assets;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connections;
pub mod context;
pub mod crypto;
pub mod db;
pub mod http;
pub mod jobs;
pub mod router;
pub mod run;
pub mod security_headers;
pub mod services;
pub mod state;
pub mod telemetry;
pub mod verify;
