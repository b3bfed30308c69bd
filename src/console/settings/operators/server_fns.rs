//! Operators, as the console lists, makes and changes them.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::{Operator, OperatorInput, OperatorUpdateInput};

/// The operators with who asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatorsPage {
    /// Who asked.
    pub viewer: Operator,
    /// All of them, by address.
    pub operators: Vec<Operator>,
    /// Those who have a second factor.
    pub with_factor: Vec<Uuid>,
}

/// All operators.
///
/// # Errors
/// [`AppError::SignedOut`], or why they can't be read right now.
#[server(prefix = "/rpc", endpoint = "operators/list", input = Json, output = Json)]
pub async fn list_operators() -> Result<OperatorsPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let services = &context::state()?.services;
    let operators = services.operators.list().await?;
    let with_factor = services.mfa.enrolled_operators().await;
    Ok(OperatorsPage {
        viewer,
        operators,
        with_factor: with_factor?,
    })
}

/// Makes an operator.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "operators/create", input = Json, output = Json)]
pub async fn create_operator(input: OperatorInput) -> Result<Operator, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let (email, role) = input.check()?;
    context::state()?
        .services
        .operators
        .create(&audit_context, &email, role, input.password.into())
        .await
}

/// Gives an operator another role, or takes or gives back the right to sign in.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "operators/update", input = Json, output = Json)]
pub async fn update_operator(
    operator_id: Uuid,
    input: OperatorUpdateInput,
) -> Result<Operator, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let command = input.check()?;
    context::state()?
        .services
        .operators
        .update(&audit_context, operator_id, command)
        .await
}

/// Sets an operator's password, and ends all their sessions.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "operators/password", input = Json, output = Json)]
pub async fn reset_password(email: String, password: String) -> Result<(), AppError> {
    use crate::domain::operator::sign_in_email;
    use crate::server::context;

    let password = zeroize::Zeroizing::new(password);
    let audit_context = context::proven_admin()?;
    // Otherwise whoever has nothing but an admin's session could take the account over for good.
    let is_own = sign_in_email(&email)
        .is_ok_and(|email| context::operator().is_ok_and(|own| own.email == email));
    if is_own {
        return Err(AppError::field(
            "email",
            "is your own: change your password with the present one",
        ));
    }
    context::state()?
        .services
        .operators
        .set_password(&audit_context, &email, password)
        .await
}

/// Takes the second factor of an operator who has lost it, and ends all their sessions.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "operators/remove-factor", input = Json, output = Json)]
pub async fn remove_factor_of(email: String) -> Result<(), AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    context::state()?
        .services
        .mfa
        .remove(&audit_context, &email, None)
        .await
}
