//! Server functions of operators.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::{Operator, OperatorInput, OperatorUpdateInput};

/// All operators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatorsPage {
    pub viewer: Operator,
    /// Sorted by e-mail address.
    pub operators: Vec<Operator>,
    /// Ids of those with a second factor.
    pub with_factor: Vec<Uuid>,
}

/// Lists all operators.
#[server(prefix = "/rpc", endpoint = "operators/list", input = Json, output = Json)]
pub async fn list_operators() -> Result<OperatorsPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let registry = &context::state()?.registry;
    let operators = registry.list_operators().await.map_err(context::told)?;
    let with_factor = registry.operators_with_factor().await;
    Ok(OperatorsPage {
        viewer,
        operators,
        with_factor: with_factor.map_err(context::told)?,
    })
}

/// Creates an operator.
#[server(prefix = "/rpc", endpoint = "operators/create", input = Json, output = Json)]
pub async fn create_operator(input: OperatorInput) -> Result<Operator, AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    let (email, role) = input.check().map_err(context::told)?;
    context::state()?
        .registry
        .create_operator(&origin, &email, role, input.password.into())
        .await
        .map_err(context::told)
}

/// Changes an operator's role or right to sign in.
#[server(prefix = "/rpc", endpoint = "operators/update", input = Json, output = Json)]
pub async fn update_operator(
    operator_id: Uuid,
    input: OperatorUpdateInput,
) -> Result<Operator, AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    let command = input.check().map_err(context::told)?;
    context::state()?
        .registry
        .update_operator(&origin, operator_id, command)
        .await
        .map_err(context::told)
}

/// Sets an operator's password, and ends all their sessions.
#[server(prefix = "/rpc", endpoint = "operators/password", input = Json, output = Json)]
pub async fn reset_password(email: String, password: String) -> Result<(), AppError> {
    use crate::domain::operator::sign_in_email;
    use crate::server::context;

    let password = zeroize::Zeroizing::new(password);
    let origin = context::proven_admin()?;
    // Otherwise a stolen session of an admin could take over the account for good.
    let is_own = sign_in_email(&email)
        .is_ok_and(|email| context::operator().is_ok_and(|own| own.email == email));
    if is_own {
        return Err(context::told(AppError::field(
            "email",
            "is your own: change your password with the present one",
        )));
    }
    context::state()?
        .registry
        .set_operator_password(&origin, &email, password)
        .await
        .map_err(context::told)
}

/// Removes the second factor of an operator who has lost it, and ends all their sessions.
#[server(prefix = "/rpc", endpoint = "operators/remove-factor", input = Json, output = Json)]
pub async fn remove_factor_of(email: String) -> Result<(), AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    context::state()?
        .registry
        .remove_factor(&origin, &email, None)
        .await
        .map_err(context::told)
}
