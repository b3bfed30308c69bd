//! Who is signed in, for the components.

use leptos::prelude::*;

use crate::domain::error::AppError;
use crate::domain::operator::{Operator, Role};
use crate::rpc::session::{SignIn, SignOut};

/// The two actions that change who is signed in. The app holds them, so that the frame learns of
/// a change that a page made.
#[derive(Clone, Copy)]
pub struct SessionActions {
    /// Signing in.
    pub sign_in: ServerAction<SignIn>,
    /// Signing out.
    pub sign_out: ServerAction<SignOut>,
}

/// Who is signed in, as the app reads it.
pub type OperatorResource = Resource<Result<Option<Operator>, AppError>>;

/// Whether the signed-in operator may change things; the server asks again.
#[must_use]
pub fn may_change() -> Signal<bool> {
    let operator = expect_context::<OperatorResource>();
    Signal::derive(move || {
        operator
            .get()
            .and_then(Result::ok)
            .flatten()
            .is_some_and(|operator| operator.role == Role::Admin)
    })
}
