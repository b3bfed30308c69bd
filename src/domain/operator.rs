//! Operators: the registry's staff who sign in to the console.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::AppResult;
use super::validate::{self, Faults, one_of};

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Auditor];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An operator as the console and the command line show them. Never a password's hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    /// The operator's id.
    pub operator_id: Uuid,
    /// The address they sign in with, in lower case.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
}

/// The form that makes an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorInput {
    /// The address they sign in with.
    pub email: String,
    /// `admin` or `auditor`.
    pub role: String,
    /// The password that they begin with.
    pub password: String,
}

impl OperatorInput {
    /// Checks every field, but does not give the password back.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(&self) -> AppResult<(String, Role)> {
        let mut faults = Faults::default();
        let email = faults.check("email", sign_in_email(&self.email));
        let role = faults.check("role", role(&self.role));
        faults.check("password", new_password(&self.password));
        faults.finish(email.zip(role))
    }
}

/// What may be changed of an operator; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorUpdateInput {
    /// `admin` or `auditor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether they may sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// A checked order to change an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpdateOperator {
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they may sign in.
    pub active: Option<bool>,
}

impl OperatorUpdateInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(&self) -> AppResult<UpdateOperator> {
        let mut faults = Faults::default();
        let role = faults.check_optional("role", self.role.as_deref(), role);
        let active = self.active;
        faults.finish(Some(UpdateOperator { role, active }))
    }
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| one_of(Role::ALL.map(Role::as_str)))
}

/// Reads the address an operator signs in with: e-mail, in lower case.
///
/// # Errors
/// What is wrong, to follow the field's name.
pub fn sign_in_email(text: &str) -> Result<String, String> {
    validate::email(text).map(|email| email.to_lowercase())
}

/// Checks the length of a new password, in characters (NIST SP 800-63B §5.1.1: length, no
/// composition rules).
///
/// # Errors
/// What is wrong, to follow the field's name.
pub fn new_password(password: &str) -> Result<(), String> {
    match password.chars().count() {
        0..12 => Err("must have at least 12 characters".to_owned()),
        12..=256 => Ok(()),
        _ => Err("must have at most 256 characters".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_judged_by_length_alone() {
        assert!(new_password(&"a".repeat(11)).is_err());
        assert!(new_password(&"é".repeat(12)).is_ok());
        assert!(new_password(&"a".repeat(257)).is_err());
    }

    #[test]
    fn addresses_are_one_whatever_their_case() {
        assert_eq!(
            sign_in_email(" Ops@Example.COM ").unwrap(),
            "ops@example.com"
        );
    }
}
