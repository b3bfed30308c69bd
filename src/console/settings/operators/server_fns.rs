//! Server functions of operators.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::{Operator, OperatorInput, OperatorUpdateInput};

/// All operators, with the viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatorsPage {
    pub viewer: Operator,
    /// Sorted by e-mail address.
    pub operators: Vec<Operator>,
    /// Ids of the operators with a second factor.
    pub with_factor: Vec<Uuid>,
}

/// Returns all operators.
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

/// Creates an operator.
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

/// Changes an operator's role, or disables or re-enables them.
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
#[server(prefix = "/rpc", endpoint = "operators/password", input = Json, output = Json)]
pub async fn reset_password(email: String, password: String) -> Result<(), AppError> {
    use crate::domain::operator::sign_in_email;
    use crate::server::context;

    let password = zeroize::Zeroizing::new(password);
    let audit_context = context::proven_admin()?;
    // Otherwise a stolen admin session could take over the account for good.
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

/// Removes the second factor of an operator, and ends all their sessions.
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
