//! The signed-in operator, for the components.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;
use leptos_router::hooks::use_query_map;

use crate::console::sign_in::server_fns::{
    SignIn, SignOut, SignedIn, VerifyCode, current_operator,
};
use crate::domain::error::AppError;
use crate::domain::operator::{Operator, Role};

/// The actions that change who is signed in. The app owns them, so that the frame notices what a page
/// does.
#[derive(Clone, Copy)]
pub struct SessionActions {
    pub sign_in: ServerAction<SignIn>,
    pub sign_out: ServerAction<SignOut>,
}

/// The signed-in operator; `None` also if that can't be read. The reason would bring the code that reads
/// errors into the first chunk.
pub type OperatorResource = Resource<Option<Operator>>;

/// True if the signed-in operator may change things; the server checks again.
pub fn may_change() -> Signal<bool> {
    let operator = expect_context::<OperatorResource>();
    Signal::derive(move || {
        operator
            .get()
            .flatten()
            .is_some_and(|operator| operator.role == Role::Admin)
    })
}

/// Reads the signed-in operator at first and after a sign-in. After a sign-out or a failed sign-in there is
/// none, without a call.
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
            let has_failed = signed_in != ins
                && !matches!(
                    actions.sign_in.value().get_untracked(),
                    Some(Ok(SignedIn::Done))
                );
            let is_out = signed_out != outs || has_failed;
            async move {
                if is_out {
                    return None;
                }
                current_operator().await.ok()
            }
        },
    )
}

/// Returns the error of a sign-in that was posted as a plain form. It comes back in the URL, which
/// anyone may forge, so only errors of signing in are shown.
pub fn error_from_url() -> impl Fn() -> Option<AppError> + Copy {
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
