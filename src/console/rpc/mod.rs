//! Codec and errors of server functions, which are in the folders of their features. Each body is
//! context → guard → service.
//!
//! They are POSTs under `/rpc/`. Layers require that the request comes from this site and that its body
//! is JSON (except for signing in and out, which work as plain forms); the guard in each body requires
//! the operator and the role, because rendering on the server calls the body directly.

pub mod json;

use leptos::server_fn::codec::Post;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};

use self::json::JsonText;
use crate::domain::error::AppError;

/// The encoding of arguments and answers.
pub type Json = Post<JsonText>;

/// Server functions that also accept the post of a form, so that they work without WASM. None of them
/// reveals a token.
pub const FORM_POSTS: [&str; 3] = [
    "/rpc/session/sign-in",
    "/rpc/session/verify-code",
    "/rpc/session/sign-out",
];

/// Server functions that need no session.
pub const OPEN: [&str; 3] = FORM_POSTS;

impl FromServerFnError for AppError {
    type Encoder = JsonText;

    /// An error of the transport or the encoding. In the browser an unreadable answer (a proxy's page, a
    /// broken connection) counts as no answer.
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
