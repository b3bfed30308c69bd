//! Bodies of successful responses: `ok: true` and the result beside it.

use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::asset::Asset;
use crate::domain::audit::Event;
use crate::domain::bulk::{BulkPreview, ManyRevoked, ManyRotated};
use crate::domain::checkpoint::Checkpoint;
use crate::domain::key::{IssuedKey, KeyView, RevokedKey};
use crate::domain::notification::Delivery;
use crate::domain::page::Page;
use crate::domain::partner::Partner;
use crate::domain::policy::Policy;
use crate::domain::rotation::RotatedKey;
use crate::domain::webhook::{NewWebhook, Webhook};

/// The member `ok` of a success.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlwaysTrue;

impl Serialize for AlwaysTrue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl PartialSchema for AlwaysTrue {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .enum_values(Some([true]))
            .into()
    }
}

impl ToSchema for AlwaysTrue {}

/// A success without a result.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct OkResponse {
    #[schema(inline)]
    ok: AlwaysTrue,
}

/// Defines a response body with one object.
macro_rules! one {
    ($(#[$doc:meta] $answer:ident { $member:ident: $kind:ty })+) => {$(
        #[$doc]
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $answer {
            #[schema(inline)]
            ok: AlwaysTrue,
            $member: $kind,
        }

        impl From<$kind> for $answer {
            fn from($member: $kind) -> Self {
                Self { ok: AlwaysTrue, $member }
            }
        }
    )+};
}

one! {
    /// A key.
    KeyAnswer { key: KeyView }
    /// A partner.
    PartnerAnswer { partner: Partner }
    /// A webhook.
    WebhookAnswer { webhook: Webhook }
    /// A partner's webhooks.
    WebhooksAnswer { webhooks: Vec<Webhook> }
    /// A delivery.
    DeliveryAnswer { delivery: Delivery }
    /// The key age policy.
    PolicyAnswer { policy: Policy }
    /// A proof asset.
    AssetAnswer { asset: Asset }
    /// A checkpoint of the audit log.
    CheckpointAnswer { checkpoint: Option<Checkpoint> }
}

/// Defines a response body with the result of an action.
macro_rules! outcome {
    ($(#[$doc:meta] $answer:ident($kind:ty))+) => {$(
        #[$doc]
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $answer {
            #[schema(inline)]
            ok: AlwaysTrue,
            #[serde(flatten)]
            outcome: $kind,
        }

        impl From<$kind> for $answer {
            fn from(outcome: $kind) -> Self {
                Self { ok: AlwaysTrue, outcome }
            }
        }
    )+};
}

outcome! {
    /// An issued key, with its token, which is shown only once.
    IssuedAnswer(IssuedKey)
    /// A rotation, with the successor's token, which is shown only once.
    RotatedAnswer(RotatedKey)
    /// A revocation.
    RevokedAnswer(RevokedKey)
    /// The effect of a bulk action.
    BulkPreviewAnswer(BulkPreview)
    /// A webhook, with its secret, which is shown only once.
    NewWebhookAnswer(NewWebhook)
    /// A bulk rotation, with the successors' tokens, which are shown only once.
    ManyRotatedAnswer(ManyRotated)
    /// A bulk revocation.
    ManyRevokedAnswer(ManyRevoked)
}

/// Defines a response body with one page of a list.
macro_rules! list {
    ($(#[$doc:meta] $answer:ident { $member:ident: $kind:ty })+) => {$(
        #[$doc]
        #[derive(Debug, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $answer {
            #[schema(inline)]
            ok: AlwaysTrue,
            /// Newest first.
            $member: Vec<$kind>,
            /// The `cursor` of the next page; `null` at the end.
            next_cursor: Option<String>,
        }

        impl From<Page<$kind>> for $answer {
            fn from(page: Page<$kind>) -> Self {
                Self { ok: AlwaysTrue, $member: page.items, next_cursor: page.next_cursor }
            }
        }
    )+};
}

list! {
    /// A page of keys.
    KeysAnswer { keys: KeyView }
    /// A page of partners.
    PartnersAnswer { partners: Partner }
    /// A page of proof assets.
    AssetsAnswer { assets: Asset }
    /// A page of the audit log.
    EventsAnswer { events: Event }
    /// A page of deliveries.
    DeliveriesAnswer { deliveries: Delivery }
}

/// The result of comparing a content with its record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReverifiedAnswer {
    #[schema(inline)]
    ok: AlwaysTrue,
    /// True if the hashes are equal.
    r#match: bool,
    asset: Asset,
}

impl From<(bool, Asset)> for ReverifiedAnswer {
    fn from((matches, asset): (bool, Asset)) -> Self {
        Self {
            ok: AlwaysTrue,
            r#match: matches,
            asset,
        }
    }
}
