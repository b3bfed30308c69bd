//! The policy of key ages, as the console shows and changes it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::operator::Operator;
use crate::domain::policy::{Policy, PolicyInput};

/// The policy with who asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyPage {
    /// Who asked.
    pub viewer: Operator,
    /// The policy.
    pub policy: Policy,
}

/// The policy.
///
/// # Errors
/// [`AppError::SignedOut`], or why it can't be read right now.
#[server(prefix = "/rpc", endpoint = "policy/get", input = Json, output = Json)]
pub async fn get_policy() -> Result<PolicyPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let policy = context::state()?.services.policy.get().await;
    let policy = policy?;
    Ok(PolicyPage { viewer, policy })
}

/// Changes the policy.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], or what the service refuses.
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
