//! What a client may know of a failure: nothing of its cause, everything that helps to mend it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::scope::Scope;

/// A refused or failed call, as REST and the server functions both tell it.
///
/// Its JSON form, with the tag `code`, is what server functions send. The bodies of problem+json
/// on their routes have the same members, so that the console reads both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(
    tag = "code",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum AppError {
    /// 400: the input is wrong; each fault with the place it is in.
    #[error("{}", describe_fields(fields))]
    Invalid {
        /// The faults; at least one.
        fields: Vec<FieldError>,
    },
    /// 401 of REST: the key was not accepted.
    #[error("the API key was not accepted: {}", reason.describe())]
    Unauthorized {
        /// What was wrong with the key.
        reason: AuthReason,
    },
    /// 401 of the console: nobody is signed in.
    #[error("you are signed out: sign in again")]
    SignedOut,
    /// 401 of the sign-in form.
    #[error("e-mail or password is wrong")]
    WrongCredentials,
    /// 403 of REST: the key lacks a scope.
    #[error("the key lacks a scope that this route asks for: {}", join(required))]
    Forbidden {
        /// The scopes that the route asks for.
        required: Vec<Scope>,
    },
    /// 403 of the console: the operator's role may only read.
    #[error("your role may read but not change anything: ask an admin")]
    ReadOnlyRole,
    /// 403 of the console: the code of the second factor is another, or was taken before.
    #[error("the code is not right, or was used already: enter the next one")]
    WrongCode,
    /// 403 of the console: the call takes a second factor that was shown a short while ago.
    #[error("{}", if *enrolled {
        "this takes a fresh code of your second factor"
    } else {
        "this takes a second factor, and you have none: set one up under Settings"
    })]
    FactorNeeded {
        /// Whether the operator has one.
        enrolled: bool,
    },
    /// 403: a cookie-authenticated write that did not come from this site.
    #[error("the request did not come from this site: reload the page and try again")]
    CrossSite,
    /// 404.
    #[error("{}", reason.describe())]
    NotFound {
        /// What was not found.
        reason: Missing,
    },
    /// 405.
    #[error("this route does not take that method")]
    MethodNotAllowed,
    /// 409: the state of things forbids it.
    #[error("{}", conflict.describe())]
    Conflict {
        /// What stands in the way.
        #[serde(flatten)]
        conflict: Conflict,
    },
    /// 413.
    #[error("the body is too large: 64 KiB at most")]
    PayloadTooLarge,
    /// 415.
    #[error("the body must be JSON: send it with Content-Type: application/json")]
    UnsupportedMediaType,
    /// 429.
    #[error("too many requests: try again in {retry_after} s")]
    RateLimited {
        /// Seconds after which a further attempt may succeed.
        retry_after: u32,
    },
    /// 500; the log has the cause under the request's id.
    #[error("something failed on our side: try again; the server's log has the cause")]
    Internal,
    /// In the browser alone: no answer arrived, or none that can be read. What the call was to
    /// change may be changed or not.
    #[error(
        "no answer arrived, so it is not known whether that was done: check the connection and look before you try again"
    )]
    NoAnswer,
    /// 503: the database can't be reached, a bounded queue is full, or the process is stopping.
    #[error("the service can't answer right now: try again in {retry_after} s")]
    Unavailable {
        /// Seconds after which a further attempt may succeed.
        retry_after: u32,
    },
}

/// What every [`AppError`] answers to in its callers.
pub type AppResult<T> = Result<T, AppError>;

impl AppError {
    /// The error of a database that can't be reached or a queue that is full.
    pub const UNAVAILABLE: Self = Self::Unavailable { retry_after: 1 };

    /// Shorthand for a single faulty field.
    pub fn field(path: &str, message: impl Into<String>) -> Self {
        FieldError::new(path, message).into()
    }

    /// The HTTP status code (RFC 9110 §15).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } => 400,
            Self::Unauthorized { .. } | Self::SignedOut | Self::WrongCredentials => 401,
            Self::Forbidden { .. }
            | Self::ReadOnlyRole
            | Self::WrongCode
            | Self::FactorNeeded { .. }
            | Self::CrossSite => 403,
            Self::NotFound { .. } => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict { .. } => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited { .. } => 429,
            Self::Internal | Self::NoAnswer => 500,
            Self::Unavailable { .. } => 503,
        }
    }

    /// Seconds for a `Retry-After` header, where the error has one.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}

/// One fault of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where it is: a field's name, `scopes[1]`, or `body` for the whole.
    pub path: String,
    /// What is wrong and what is allowed; completes "<path> …".
    pub message: String,
}

impl FieldError {
    /// A fault at `path`.
    pub fn new(path: &str, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            message: message.into(),
        }
    }
}

impl From<FieldError> for AppError {
    fn from(field: FieldError) -> Self {
        Self::Invalid {
            fields: vec![field],
        }
    }
}

/// Why a key was not accepted, in the order in which it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthReason {
    /// No key was sent.
    MissingHeader,
    /// What was sent is no token, or stands in a repeated header or a foreign scheme.
    BadFormat,
    /// No key has this id.
    UnknownKey,
    /// The secret is not the key's.
    SecretMismatch,
    /// The key is revoked.
    KeyInactive,
    /// The key's partner is deactivated.
    PartnerInactive,
    /// The key's window has not begun.
    NotYetValid,
    /// The key's window has ended.
    Expired,
}

impl AuthReason {
    /// Every reason, in the order in which they are judged.
    pub const ALL: [Self; 8] = [
        Self::MissingHeader,
        Self::BadFormat,
        Self::UnknownKey,
        Self::SecretMismatch,
        Self::KeyInactive,
        Self::PartnerInactive,
        Self::NotYetValid,
        Self::Expired,
    ];

    /// The name on the wire and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::BadFormat => "bad_format",
            Self::UnknownKey => "unknown_key",
            Self::SecretMismatch => "secret_mismatch",
            Self::KeyInactive => "key_inactive",
            Self::PartnerInactive => "partner_inactive",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
        }
    }

    /// A sentence for the person who reads the answer.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::MissingHeader => {
                "send it as `X-API-Key: <keyId>.<secret>` or `Authorization: ApiKey <keyId>.<secret>`"
            }
            Self::BadFormat => "it is not of the form <keyId>.<secret>, or a header is repeated",
            Self::UnknownKey => "no key has this id",
            Self::SecretMismatch => "the secret is not this key's",
            Self::KeyInactive => "the key is revoked: ask for a new one",
            Self::PartnerInactive => "the partner is deactivated",
            Self::NotYetValid => "the key is not valid yet",
            Self::Expired => "the key has expired: ask for a new one",
        }
    }
}

/// What a 404 is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// No key has this id.
    KeyNotFound,
    /// No partner has this id.
    PartnerNotFound,
    /// No proof asset that the caller may see has this id.
    AssetNotFound,
    /// No operator has this e-mail.
    OperatorNotFound,
    /// The operator has no second factor.
    FactorNotFound,
    /// No webhook has this id.
    WebhookNotFound,
    /// No delivery has this id, or it is kept no longer.
    DeliveryNotFound,
    /// No route has this path.
    RouteNotFound,
}

impl Missing {
    const fn describe(self) -> &'static str {
        match self {
            Self::KeyNotFound => "no key has this id",
            Self::PartnerNotFound => "no partner has this id",
            Self::AssetNotFound => "no proof asset of yours has this id",
            Self::OperatorNotFound => "no operator has this e-mail",
            Self::FactorNotFound => "there is no second factor: set one up first",
            Self::WebhookNotFound => "no webhook has this id",
            Self::DeliveryNotFound => "no delivery has this id, or it is kept no longer",
            Self::RouteNotFound => "there is no such route",
        }
    }
}

/// What stands in the way of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "reason",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Conflict {
    /// The key has a successor already.
    AlreadyRotated {
        /// The successor's id.
        replaced_by: String,
    },
    /// The key is revoked or expired.
    KeyInactive,
    /// The partner is deactivated.
    PartnerInactive,
    /// As many keys of the lineage are live as may be.
    LineageFull {
        /// The live ones, but for the key that the order names.
        live_keys: Vec<String>,
    },
    /// The key is not retiring.
    NotRetiring,
    /// The key is not revoked, so there is nothing to undo.
    NotRevoked,
    /// The key's revocation can't be undone, or not any more.
    RevokedForGood,
    /// The partner has recorded this content already.
    AlreadyMinted {
        /// The asset that holds it.
        asset_id: Uuid,
    },
    /// The asset is retired, which is final.
    AssetRetired,
    /// The idempotency key came with another body before.
    IdempotencyMismatch,
    /// A request with the same idempotency key is still being answered.
    IdempotencyInProgress,
    /// The operator has a second factor.
    FactorExists,
    /// Nobody else could manage operators.
    LastAdmin,
    /// An operator with this e-mail exists.
    OperatorExists,
    /// The partner has as many webhooks as it may have.
    TooManyWebhooks,
}

impl Conflict {
    fn describe(&self) -> String {
        match self {
            Self::AlreadyRotated { replaced_by } => {
                format!("the key was rotated already: {replaced_by} replaces it")
            }
            Self::KeyInactive => "the key is revoked or expired: issue a new one".to_owned(),
            Self::PartnerInactive => "the partner is deactivated: activate it first".to_owned(),
            Self::LineageFull { live_keys } => format!(
                "no more than two keys of one lineage may be live: end one of these first ({}); rotating at once needs no room",
                live_keys.join(", ")
            ),
            Self::NotRetiring => {
                "the key is not retiring: only a key that was rotated and still works has a grace"
                    .to_owned()
            }
            Self::NotRevoked => "the key is not revoked".to_owned(),
            Self::RevokedForGood => "a revocation can be undone within 60 minutes, and not for \
                key_compromise or superseded: issue a new key"
                .to_owned(),
            Self::AlreadyMinted { asset_id } => {
                format!("this content was minted already: it is asset {asset_id}")
            }
            Self::AssetRetired => "the asset is retired, and that is final".to_owned(),
            Self::IdempotencyMismatch => {
                "this Idempotency-Key came with another body before: take a new key".to_owned()
            }
            Self::IdempotencyInProgress => {
                "a request with this Idempotency-Key is still being answered: try again".to_owned()
            }
            Self::FactorExists => {
                "you have a second factor already: remove it before you set up another".to_owned()
            }
            Self::LastAdmin => {
                "this is the last admin who can sign in: make another one first".to_owned()
            }
            Self::OperatorExists => "an operator with this e-mail exists already".to_owned(),
            Self::TooManyWebhooks => {
                "the partner has ten webhooks, which is as many as there may be: delete one first"
                    .to_owned()
            }
        }
    }
}

impl From<Conflict> for AppError {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict { conflict }
    }
}

impl From<Missing> for AppError {
    fn from(reason: Missing) -> Self {
        Self::NotFound { reason }
    }
}

fn describe_fields(fields: &[FieldError]) -> String {
    let faults: Vec<String> = fields
        .iter()
        .map(|f| format!("{} {}", f.path, f.message))
        .collect();
    faults.join("; ")
}

fn join(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_one_name() {
        for reason in AuthReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }

    #[test]
    fn errors_survive_the_wire() {
        for error in [
            AppError::field("name", "is empty"),
            AppError::from(Conflict::AlreadyRotated {
                replaced_by: "mpk_1".into(),
            }),
            AppError::from(Conflict::KeyInactive),
            AppError::from(Conflict::AlreadyMinted {
                asset_id: Uuid::nil(),
            }),
            AppError::from(Missing::KeyNotFound),
            AppError::Forbidden {
                required: vec![Scope::Admin],
            },
            AppError::SignedOut,
            AppError::RateLimited { retry_after: 7 },
            AppError::UNAVAILABLE,
        ] {
            let json = serde_json::to_string(&error).unwrap();
            assert_eq!(
                serde_json::from_str::<AppError>(&json).unwrap(),
                error,
                "{json}"
            );
        }
    }

    #[test]
    fn conflicts_name_their_reason_in_the_contract_s_words() {
        let error = AppError::from(Conflict::AlreadyRotated {
            replaced_by: "mpk_1".into(),
        });
        assert_eq!(
            serde_json::to_value(error).unwrap(),
            serde_json::json!({"code": "conflict", "reason": "already_rotated", "replacedBy": "mpk_1"})
        );
    }
}
