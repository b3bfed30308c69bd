//! REST handlers, one file per resource, and the streams of the console.

pub mod admin_audit;
pub mod admin_bulk;
pub mod admin_keys;
pub mod admin_notifications;
pub mod admin_partners;
pub mod admin_policy;
pub mod audit_export;
pub mod forward_auth;
pub mod health;
pub mod live;
pub mod own_key;
pub mod partner_audit;
pub mod proof_assets;
