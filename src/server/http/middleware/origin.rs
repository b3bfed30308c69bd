//! Origin check of cookie-authenticated writes (OWASP Cross-Site Request Forgery Prevention).

use axum::extract::{Request, State};
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::domain::error::AppError;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

/// Layer for cookie-authenticated routes: rejects writes from other sites.
pub async fn same_site_writes(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if reads || comes_from(request.headers(), &state.site.public_origin) {
        return next.run(request).await;
    }
    tracing::warn!(origin = ?request.headers().get(ORIGIN), "cross-site write rejected");
    Problem(AppError::CrossSite).into_response()
}

/// Browsers send `Sec-Fetch-Site`, which pages cannot set; older ones send `Origin`.
fn comes_from(headers: &HeaderMap, public_origin: &str) -> bool {
    let fetch_site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    let origin = headers.get(ORIGIN).map(|value| value.as_bytes());
    fetch_site == Some(b"same-origin") || origin == Some(public_origin.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_true_header_is_enough_and_none_is_not() {
        let check = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()))
                .collect();
            comes_from(&headers, "https://r.example")
        };
        assert!(check(&[("sec-fetch-site", "same-origin")]));
        assert!(check(&[("origin", "https://r.example")]));
        for pairs in [
            &[][..],
            &[("sec-fetch-site", "same-site")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.example"),
            ],
            &[("sec-fetch-site", "none")],
            &[("origin", "null")],
            &[("origin", "https://r.example.evil")],
            &[("origin", "http://r.example")],
        ] {
            assert!(!check(pairs), "{pairs:?}");
        }
    }
}
