//! Domain types for both targets: views, ids, inputs with their checks, rules, errors.
//!
//! Everything is pure: no I/O, no clock, no randomness. Time is a parameter `now`, so that a rule
//! is the same in the server, the browser and a test.

pub mod asset;
pub mod asset_input;
pub mod audit;
pub mod bulk;
pub mod bulk_input;
pub mod checkpoint;
pub mod error;
pub mod event_description;
pub mod grace;
pub mod key;
pub mod key_details;
pub mod key_input;
pub mod key_list;
pub mod leak;
pub mod list;
pub mod metadata;
pub mod mfa;
pub mod notification;
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
pub mod token;
pub mod usage;
pub mod validate;
pub mod webhook;

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::str::FromStr;

    use serde::Serialize;
    use strum::VariantArray;

    /// Checks that the name of each value in the database, in queries and in JSON is the same.
    fn assert_same_names<T>()
    where
        T: Copy + Debug + FromStr + Into<&'static str> + PartialEq + Serialize + VariantArray,
    {
        for value in T::VARIANTS.iter().copied() {
            let name: &str = value.into();
            assert_eq!(serde_json::to_value(value).unwrap(), name);
            assert_eq!(name.parse().ok(), Some(value));
        }
    }

    #[test]
    fn json_and_the_database_share_names() {
        assert_same_names::<super::asset::AssetStatus>();
        assert_same_names::<super::audit::Action>();
        assert_same_names::<super::audit::ActorKind>();
        assert_same_names::<super::bulk::BulkAction>();
        assert_same_names::<super::error::AuthReason>();
        assert_same_names::<super::grace::GraceStart>();
        assert_same_names::<super::key::Environment>();
        assert_same_names::<super::key::KeyStatus>();
        assert_same_names::<super::key::RevocationReason>();
        assert_same_names::<super::key_list::KeyOrder>();
        assert_same_names::<super::list::ExportFormat>();
        assert_same_names::<super::notification::DeliveryStatus>();
        assert_same_names::<super::notification::NotificationKind>();
        assert_same_names::<super::operator::Role>();
        assert_same_names::<super::scope::Scope>();
    }
}
