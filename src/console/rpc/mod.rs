//! Codec and errors of server functions, which stand beside the features that call them. Each body is
//! context → guard → service, no more.
//!
//! They are POSTs under `/rpc/`. A layer asks that the request comes from this site, another that
//! the body is JSON (but for signing in and out, which work as plain forms); the guard inside each
//! body asks for the operator and the role, since the server's own rendering calls it directly.

pub mod json;

use leptos::server_fn::codec::Post;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};

use self::json::JsonText;
use crate::domain::error::AppError;

/// How server functions take their arguments and answer.
pub type Json = Post<JsonText>;

/// Server functions that also take a form's post, so that they work without WASM. None of them
/// reveals a token.
pub const FORM_POSTS: [&str; 3] = [
    "/rpc/session/sign-in",
    "/rpc/session/verify-code",
    "/rpc/session/sign-out",
];

/// Server functions that anybody may call, signed in or not.
pub const OPEN: [&str; 3] = FORM_POSTS;

impl FromServerFnError for AppError {
    type Encoder = JsonText;

    /// What went wrong around a call: on its way, or in reading it. In the browser an answer that
    /// can't be read (a proxy's page, a connection that broke off) tells as little as none.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[cfg(not(feature = "ssr"))]
        match error {
            ServerFnErrorErr::Request(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::Deserialization(_) => Self::NoAnswer,
            _ => Self::Internal,
        }
        #[cfg(feature = "ssr")]
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Self::field(
                "body",
                "is not what this call takes: reload the page and try again",
            ),
            _ => Self::Internal,
        }
    }
}
