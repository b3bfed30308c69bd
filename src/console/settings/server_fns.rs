//! Server functions of the policy of key ages.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::Operator;
use crate::domain::policy::{Policy, PolicyInput};

/// The policy, with the viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyPage {
    pub viewer: Operator,
    pub policy: Policy,
}

#[server(prefix = "/rpc", endpoint = "policy/get", input = Json, output = Json)]
pub async fn get_policy() -> Result<PolicyPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let policy = context::state()?.services.policy.get().await?;
    Ok(PolicyPage { viewer, policy })
}

/// Changes the policy.
#[server(prefix = "/rpc", endpoint = "policy/update", input = Json, output = Json)]
pub async fn update_policy(input: PolicyInput) -> Result<Policy, AppError> {
    use crate::server::context;

    let audit_context = context::admin()?;
    let command = input.check()?;
    context::state()?
        .services
        .policy
        .update(&audit_context, command)
        .await
}
