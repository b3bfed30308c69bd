//! The bodies of successes: `ok: true` and what was asked for beside it.

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

/// The member `ok` of a success: always `true`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Yes;

impl Serialize for Yes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl PartialSchema for Yes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Boolean)
            .enum_values(Some([true]))
            .into()
    }
}

impl ToSchema for Yes {}

/// Nothing but that it went well.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Fine {
    #[schema(inline)]
    ok: Yes,
}

/// Makes the body of an answer with one object.
macro_rules! one {
    ($(#[$doc:meta] $answer:ident { $member:ident: $kind:ty })+) => {$(
        #[$doc]
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $answer {
            #[schema(inline)]
            ok: Yes,
            $member: $kind,
        }

        impl From<$kind> for $answer {
            fn from($member: $kind) -> Self {
                Self { ok: Yes, $member }
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
    /// The policy of key ages.
    PolicyAnswer { policy: Policy }
    /// A proof asset.
    AssetAnswer { asset: Asset }
    /// A checkpoint of the history.
    CheckpointAnswer { checkpoint: Option<Checkpoint> }
}

/// Makes the body of an answer with what an action returned.
macro_rules! outcome {
    ($(#[$doc:meta] $answer:ident($kind:ty))+) => {$(
        #[$doc]
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $answer {
            #[schema(inline)]
            ok: Yes,
            #[serde(flatten)]
            outcome: $kind,
        }

        impl From<$kind> for $answer {
            fn from(outcome: $kind) -> Self {
                Self { ok: Yes, outcome }
            }
        }
    )+};
}

outcome! {
    /// A key that was issued, with the one and only showing of its token.
    IssuedAnswer(IssuedKey)
    /// A rotation, with the one and only showing of the successor's token.
    RotatedAnswer(RotatedKey)
    /// A revocation.
    RevokedAnswer(RevokedKey)
    /// What an order about many keys would do.
    BulkPreviewAnswer(BulkPreview)
    /// A webhook, with the one and only showing of its secret.
    NewWebhookAnswer(NewWebhook)
    /// A rotation of many keys, with the one and only showing of the successors' tokens.
    ManyRotatedAnswer(ManyRotated)
    /// A revocation of many keys.
    ManyRevokedAnswer(ManyRevoked)
}

/// Makes the body of an answer with one page of a list.
macro_rules! list {
    ($(#[$doc:meta] $answer:ident { $member:ident: $kind:ty })+) => {$(
        #[$doc]
        #[derive(Debug, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $answer {
            #[schema(inline)]
            ok: Yes,
            /// Newest first.
            $member: Vec<$kind>,
            /// The `cursor` of the next page; `null` at the end.
            next_cursor: Option<String>,
        }

        impl From<Page<$kind>> for $answer {
            fn from(page: Page<$kind>) -> Self {
                Self { ok: Yes, $member: page.items, next_cursor: page.next_cursor }
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
    /// A page of the history.
    EventsAnswer { events: Event }
    /// A page of deliveries.
    DeliveriesAnswer { deliveries: Delivery }
}

/// Whether the content is still what was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReverifiedAnswer {
    #[schema(inline)]
    ok: Yes,
    /// Whether the hashes are the same.
    r#match: bool,
    asset: Asset,
}

impl From<(bool, Asset)> for ReverifiedAnswer {
    fn from((matches, asset): (bool, Asset)) -> Self {
        Self {
            ok: Yes,
            r#match: matches,
            asset,
        }
    }
}
