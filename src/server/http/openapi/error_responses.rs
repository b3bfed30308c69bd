//! Error responses in the OpenAPI document. Bodies and examples are rendered from real errors by the code that
//! sends them, so that the document can't diverge.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use utoipa::IntoResponses;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};
use uuid::Uuid;

use crate::domain::error::{AppError, Conflict, Missing};
use crate::domain::scope::Scope;
use crate::server::http::problem;

/// The request id of the examples.
const SAMPLE_ID: Uuid = Uuid::from_u128(0x0b9a_c1f5_7d3e_4c58_9d5e_2f1a_3b4c_5d6e);
/// The asset's id of the examples.
const SAMPLE_ASSET: Uuid = Uuid::from_u128(0x6f1d_2c3b_4a59_4687_8b9c_0d1e_2f3a_4b5c);

/// Describes the errors, which share one status, as one response.
pub fn error_response(errors: &[AppError]) -> Response {
    let bodies: Vec<_> = errors
        .iter()
        .map(|error| problem::body(error, SAMPLE_ID))
        .collect();
    let mut schema = ObjectBuilder::new();
    let names: Vec<&String> = bodies.iter().flat_map(Map::keys).collect();
    for name in bodies.iter().flat_map(Map::keys).collect::<BTreeSet<_>>() {
        let values = bodies.iter().filter_map(|body| body.get(name)).collect();
        schema = schema.property(name, member(name, values));
        if names.iter().filter(|other| **other == name).count() == bodies.len() {
            schema = schema.required(name);
        }
    }
    let title = bodies.first().and_then(|body| body.get("title"));
    let title = title.and_then(Value::as_str).unwrap_or_default();
    let names: Vec<_> = bodies.iter().map(word).collect();
    let examples = names.iter().zip(&bodies).map(|(name, body)| {
        let value = Value::Object(body.clone());
        (*name, ExampleBuilder::new().value(Some(value)))
    });
    let content = ContentBuilder::new()
        .schema(Some(schema))
        .examples_from_iter(examples);
    ResponseBuilder::new()
        .description(format!("{title}: {}", names.join(", ")))
        .content("application/problem+json", content.build())
        .build()
}

/// What tells an error from the others of its status.
fn word(body: &Map<String, Value>) -> &str {
    let word = body.get("reason").or_else(|| body.get("error"));
    word.and_then(Value::as_str).unwrap_or_default()
}

/// The schema of a member that has these values in the errors.
fn member(name: &str, mut values: Vec<&Value>) -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    match name {
        "requestId" | "assetId" => text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .into(),
        "detail" => text().into(),
        "replacedBy" => Ref::from_schema_name("KeyId").into(),
        "liveKeys" => ArrayBuilder::new()
            .items(Ref::from_schema_name("KeyId"))
            .into(),
        "required" => ArrayBuilder::new()
            .items(Ref::from_schema_name("Scope"))
            .into(),
        "fields" => {
            let field = ObjectBuilder::new()
                .property("path", text())
                .required("path")
                .property("message", text())
                .required("message");
            ArrayBuilder::new().items(field).min_items(Some(1)).into()
        }
        _ => {
            values.dedup();
            let kind = match values.first() {
                Some(Value::Number(_)) => Type::Integer,
                Some(Value::Bool(_)) => Type::Boolean,
                _ => Type::String,
            };
            ObjectBuilder::new()
                .schema_type(kind)
                .enum_values(Some(values.into_iter().cloned()))
                .into()
        }
    }
}

/// Describes errors of several statuses.
fn responses(errors: Vec<AppError>) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<AppError>> = BTreeMap::new();
    for error in errors {
        by_status.entry(error.status()).or_default().push(error);
    }
    let described = by_status
        .into_iter()
        .map(|(status, errors)| (status.to_string(), error_response(&errors).into()));
    described.collect()
}

/// Makes types that stand, in a handler's description, for the errors that are its own. What every
/// route of its kind answers is added to the whole document.
macro_rules! error_responses {
    ($(#[$doc:meta] $name:ident: $($error:expr),+;)+) => {$(
        #[$doc]
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(vec![$($error.into()),+])
            }
        }
    )+};
}

error_responses! {
    /// There is no such key.
    NoKey: Missing::KeyNotFound;
    /// There is no such partner.
    NoPartner: Missing::PartnerNotFound;
    /// There is no such webhook.
    NoWebhook: Missing::WebhookNotFound;
    /// There is no such delivery.
    NoDelivery: Missing::DeliveryNotFound;
    /// What keeps a webhook from being made.
    CantAddWebhook: Missing::PartnerNotFound, Conflict::TooManyWebhooks;
    /// There is no such asset.
    NoAsset: Missing::AssetNotFound;
    /// What keeps a key from being issued.
    CantIssue: Missing::PartnerNotFound, Conflict::PartnerInactive;
    /// What keeps a key from being changed.
    CantUpdate: Missing::KeyNotFound, Conflict::KeyInactive;
    /// What keeps a key from being rotated.
    CantRotate: Missing::KeyNotFound, already_rotated(), Conflict::KeyInactive, Conflict::PartnerInactive,
        lineage_full();
    /// What keeps a key's grace from being changed.
    CantChangeGrace: Missing::KeyNotFound, Conflict::NotRetiring;
    /// What keeps a revocation from being undone.
    CantRestore: Missing::KeyNotFound, Conflict::NotRevoked, Conflict::RevokedForGood,
        Conflict::KeyInactive, Conflict::PartnerInactive, lineage_full();
    /// What keeps an asset from being recorded.
    CantMint: Conflict::AlreadyMinted { asset_id: SAMPLE_ASSET }, Conflict::IdempotencyMismatch,
        Conflict::IdempotencyInProgress;
    /// What keeps a key from being accepted for a route elsewhere.
    CantPass: AppError::field("scope", "is not a scope"),
        AppError::Forbidden { required: vec![Scope::AssetsRead] };
    /// What keeps an asset from being changed.
    CantChange: Missing::AssetNotFound, Conflict::AssetRetired;
    /// What keeps an asset from being handed on.
    CantTransfer: Missing::AssetNotFound, Missing::PartnerNotFound, Conflict::AssetRetired,
        Conflict::PartnerInactive;
}

fn lineage_full() -> Conflict {
    Conflict::LineageFull {
        live_keys: vec!["mpk_0f1e2d3c4b5a".to_owned()],
    }
}

fn already_rotated() -> Conflict {
    Conflict::AlreadyRotated {
        replaced_by: "mpk_1a2b3c4d5e6f".to_owned(),
    }
}
