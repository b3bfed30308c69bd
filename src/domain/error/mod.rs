//! Errors as clients see them: everything that helps to resolve them, nothing of internal causes.

mod reason;

use serde::{Deserialize, Serialize};

pub use self::reason::{AuthReason, Conflict, Missing};
use super::scope::Scope;

/// An error as REST and the server functions report it.
///
/// Its JSON, tagged by `code`, is what server functions send. Problem documents of their routes
/// have the same members, so that the console can read both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(
    tag = "code",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum AppError {
    /// 400: invalid input, with an error per field.
    #[error("{}", describe_fields(fields))]
    Invalid {
        /// At least one.
        fields: Vec<FieldError>,
    },
    /// 401 of REST: no accepted key.
    #[error("the API key was not accepted: {}", reason.describe())]
    Unauthorized { reason: AuthReason },
    /// 401 of the console: not signed in.
    #[error("you are signed out: sign in again")]
    SignedOut,
    /// 401 of the sign-in form.
    #[error("e-mail or password is wrong")]
    WrongCredentials,
    /// 403 of REST: the key lacks a scope.
    #[error("the key lacks a scope that this route asks for: {}", join(required))]
    Forbidden { required: Vec<Scope> },
    /// 403 of the console: a read-only role.
    #[error("your role may read but not change anything: ask an admin")]
    ReadOnlyRole,
    /// 403 of the console: a wrong or used MFA code.
    #[error("the code is not right, or was used already: enter the next one")]
    WrongCode,
    /// 403 of the console: the call requires a recent second factor.
    #[error("{}", if *enrolled {
        "this takes a fresh code of your second factor"
    } else {
        "this takes a second factor, and you have none: set one up under Settings"
    })]
    FactorNeeded {
        /// True if the operator has a second factor.
        enrolled: bool,
    },
    /// 403: a cookie-authenticated write that did not come from this site.
    #[error("the request did not come from this site: reload the page and try again")]
    CrossSite,
    /// 404.
    #[error("{}", reason.describe())]
    NotFound { reason: Missing },
    /// 405.
    #[error("this route does not take that method")]
    MethodNotAllowed,
    /// 409: conflict with the current state.
    #[error("{}", conflict.describe())]
    Conflict {
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
        /// Seconds until another attempt may succeed.
        retry_after: u32,
    },
    /// 500; the log has the cause under the request's id.
    #[error("something failed on our side: try again; the server's log has the cause")]
    Internal,
    /// Only in the browser: no readable answer arrived, so the outcome of the call is unknown.
    #[error(
        "no answer arrived, so it is not known whether that was done: check the connection and look before you try again"
    )]
    NoAnswer,
    /// 503: the database can't be reached, a bounded queue is full, or the process is stopping.
    #[error("the service can't answer right now: try again in {retry_after} s")]
    Unavailable {
        /// Seconds until another attempt may succeed.
        retry_after: u32,
    },
}

pub type AppResult<T> = Result<T, AppError>;

impl AppError {
    /// The error of a database that can't be reached or a queue that is full.
    pub const UNAVAILABLE: Self = Self::Unavailable { retry_after: 1 };

    /// Shorthand for a single faulty field.
    pub fn field(path: &str, message: impl Into<String>) -> Self {
        FieldError::new(path, message).into()
    }

    /// The HTTP status code (RFC 9110 §15).
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
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}

/// An error in a field of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// A field's name, `scopes[1]`, or `body` for the whole.
    pub path: String,
    /// The problem and what is allowed; completes "<path> …".
    pub message: String,
}

impl FieldError {
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
    let errors: Vec<String> = fields
        .iter()
        .map(|field| format!("{} {}", field.path, field.message))
        .collect();
    errors.join("; ")
}

fn join(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.into_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

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
