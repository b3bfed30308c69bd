//! Server functions of the policy.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::Operator;
use crate::domain::policy::{Policy, PolicyInput};

/// The policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyPage {
    pub viewer: Operator,
    pub policy: Policy,
}

/// Reads the policy.
#[server(prefix = "/rpc", endpoint = "policy/get", input = Json, output = Json)]
pub async fn get_policy() -> Result<PolicyPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let policy = context::state()?.registry.policy().await;
    let policy = policy.map_err(context::told)?;
    Ok(PolicyPage { viewer, policy })
}

/// Changes the policy.
#[server(prefix = "/rpc", endpoint = "policy/update", input = Json, output = Json)]
pub async fn update_policy(input: PolicyInput) -> Result<Policy, AppError> {
    use crate::server::context;

    let origin = context::admin()?;
    let command = input.check().map_err(context::told)?;
    context::state()?
        .registry
        .update_policy(&origin, command)
        .await
        .map_err(context::told)
}
