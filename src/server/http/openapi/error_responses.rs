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

const SAMPLE_ID: Uuid = Uuid::from_u128(0x0b9a_c1f5_7d3e_4c58_9d5e_2f1a_3b4c_5d6e);
const SAMPLE_ASSET: Uuid = Uuid::from_u128(0x6f1d_2c3b_4a59_4687_8b9c_0d1e_2f3a_4b5c);

/// Describes errors with the same status as one response.
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

/// Returns the code that distinguishes an error from others with the same status.
fn word(body: &Map<String, Value>) -> &str {
    let word = body.get("reason").or_else(|| body.get("error"));
    word.and_then(Value::as_str).unwrap_or_default()
}

/// Returns the schema of a member with these values.
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

/// Defines types that list a handler's specific errors. Errors common to all routes are added to the
/// whole document.
macro_rules! error_responses {
    ($($name:ident: $($error:expr),+;)+) => {$(
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(vec![$($error.into()),+])
            }
        }
    )+};
}

error_responses! {
    NoKey: Missing::KeyNotFound;
    NoPartner: Missing::PartnerNotFound;
    NoWebhook: Missing::WebhookNotFound;
    NoDelivery: Missing::DeliveryNotFound;
    CantAddWebhook: Missing::PartnerNotFound, Conflict::TooManyWebhooks;
    NoAsset: Missing::AssetNotFound;
    CantIssue: Missing::PartnerNotFound, Conflict::PartnerInactive;
    CantUpdate: Missing::KeyNotFound, Conflict::KeyInactive;
    CantRotate: Missing::KeyNotFound, already_rotated(), Conflict::KeyInactive, Conflict::PartnerInactive,
        lineage_full();
    CantChangeGrace: Missing::KeyNotFound, Conflict::NotRetiring;
    CantRestore: Missing::KeyNotFound, Conflict::NotRevoked, Conflict::RevokedForGood,
        Conflict::KeyInactive, Conflict::PartnerInactive, lineage_full();
    CantMint: Conflict::AlreadyMinted { asset_id: SAMPLE_ASSET }, Conflict::IdempotencyMismatch,
        Conflict::IdempotencyInProgress;
    CantPass: AppError::field("scope", "is not a scope"),
        AppError::Forbidden { required: vec![Scope::AssetsRead] };
    CantChange: Missing::AssetNotFound, Conflict::AssetRetired;
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
