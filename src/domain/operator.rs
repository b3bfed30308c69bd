//! Operators: the registry's staff who sign in to the console.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

use super::error::AppResult;
use super::validate::{self, FieldErrors, one_of};

/// The role of an operator.
#[derive(Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    /// Read-only.
    Auditor,
}

/// An operator as shown, without the password hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
    pub operator_id: Uuid,
    /// The sign-in address in lower case.
    pub email: String,
    pub role: Role,
    pub active: bool,
}

/// The form that creates an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorInput {
    pub email: String,
    pub role: String,
    pub password: String,
}

impl OperatorInput {
    /// Checks every field and returns all but the password.
    pub fn check(&self) -> AppResult<(String, Role)> {
        let mut errors = FieldErrors::default();
        let email = errors.check("email", sign_in_email(&self.email));
        let role = errors.check("role", one_of(&self.role));
        errors.check("password", new_password(&self.password));
        errors.finish(email.zip(role))
    }
}

/// Changes to an operator; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OperatorUpdateInput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// Checked changes to an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpdateOperator {
    pub role: Option<Role>,
    pub active: Option<bool>,
}

impl OperatorUpdateInput {
    pub fn check(&self) -> AppResult<UpdateOperator> {
        let mut errors = FieldErrors::default();
        let role = errors.check_optional("role", self.role.as_deref(), one_of);
        let active = self.active;
        errors.finish(Some(UpdateOperator { role, active }))
    }
}

/// Parses a sign-in e-mail address into lower case.
pub fn sign_in_email(text: &str) -> Result<String, String> {
    validate::email(text).map(|email| email.to_lowercase())
}

/// Checks the length of a new password, in characters (NIST SP 800-63B §5.1.1: length, no
/// composition rules).
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
    fn passwords_are_checked_by_length_alone() {
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
