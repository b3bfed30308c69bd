//! Who is signed in, for the components.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;
use leptos_router::hooks::use_query_map;

use crate::console::sign_in::server_fns::{
    SignIn, SignOut, SignedIn, VerifyCode, current_operator,
};
use crate::domain::error::AppError;
use crate::domain::operator::{Operator, Role};

/// The two actions that change who is signed in. The app holds them, so that the frame learns of
/// a change that a page made.
#[derive(Clone, Copy)]
pub struct SessionActions {
    /// Signing in.
    pub sign_in: ServerAction<SignIn>,
    /// Signing out.
    pub sign_out: ServerAction<SignOut>,
}

/// Who is signed in, as the app reads it; nobody, where it can't be told. Why not would bring what reads errors
/// into what the browser loads first.
pub type OperatorResource = Resource<Option<Operator>>;

/// Whether the signed-in operator may change things; the server asks again.
#[must_use]
pub fn may_change() -> Signal<bool> {
    let operator = expect_context::<OperatorResource>();
    Signal::derive(move || {
        operator
            .get()
            .flatten()
            .is_some_and(|operator| operator.role == Role::Admin)
    })
}

/// Reads who is signed in: at first, and after signing in. After signing out, or in vain, nobody is,
/// and nobody has to be asked.
#[must_use]
pub fn read_operator(actions: SessionActions) -> OperatorResource {
    let seen = StoredValue::new((0, 0));
    Resource::new_blocking(
        move || {
            (
                actions.sign_in.version().get(),
                actions.sign_out.version().get(),
            )
        },
        move |(signed_in, signed_out)| {
            let (ins, outs) = seen.get_value();
            seen.set_value((signed_in, signed_out));
            let in_vain = signed_in != ins
                && !matches!(
                    actions.sign_in.value().get_untracked(),
                    Some(Ok(SignedIn::Done))
                );
            let is_out = signed_out != outs || in_vain;
            async move {
                if is_out {
                    return None;
                }
                current_operator().await.ok()
            }
        },
    )
}

/// What a sign-in was refused with that was posted as a plain form: it comes back in the address, where
/// anybody may write what they like, so only what signing in itself says is repeated.
pub fn told_before() -> impl Fn() -> Option<AppError> + Copy {
    let query = use_query_map();
    move || {
        let query = query.read();
        let form = query.get("__path")?;
        let is_ours = [SignIn::PATH, VerifyCode::PATH].contains(&form.as_str());
        let error = query.get("__err").filter(|_| is_ours)?;
        Some(ServerFnUrlError::decode_err(&error)).filter(|error| {
            matches!(
                error,
                AppError::WrongCredentials
                    | AppError::WrongCode
                    | AppError::SignedOut
                    | AppError::RateLimited { .. }
                    | AppError::Unavailable { .. }
                    | AppError::Internal
            )
        })
    }
}
