//! Client assets embedded in the binary. Release builds enable the feature `embed-site` and ignore
//! `LEPTOS_SITE_ROOT`.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// Content codings in order of preference, with their file extensions.
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// Embedded files by path in the site's folder.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    pub paths: fn() -> Vec<Cow<'static, str>>,
    pub read: fn(&str) -> Option<Cow<'static, [u8]>>,
}

/// Assets embedded in this binary.
#[cfg(feature = "embed-site")]
pub const SITE: Option<Embedded> = {
    #[derive(rust_embed::Embed)]
    #[folder = "target/site"]
    struct Site;

    Some(Embedded {
        paths: || Site::iter().collect(),
        read: |path| Site::get(path).map(|file| file.data),
    })
};
/// Without `embed-site`, assets are read from a folder.
#[cfg(not(feature = "embed-site"))]
pub const SITE: Option<Embedded> = None;

impl Embedded {
    /// Serves the files below a folder.
    pub fn service(self, folder: &'static str) -> MethodRouter {
        get(move |request: Request| async move {
            let path = format!("{folder}{}", request.uri().path());
            self.answer(&path, request.headers())
                .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
        })
    }

    /// Returns a file, compressed if the client accepts that, or `None` if it does not exist.
    pub fn answer(self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let compressed = CODINGS
            .into_iter()
            .filter(|(coding, _)| accepts(headers, coding))
            .find_map(|(coding, ending)| Some((coding, (self.read)(&format!("{path}{ending}"))?)));
        let mut response = match compressed {
            Some((coding, content)) => {
                ([(header::CONTENT_ENCODING, coding)], content).into_response()
            }
            None => (self.read)(path)?.into_response(),
        };
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let kind = HeaderValue::from_str(kind.as_ref()).ok()?;
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Some(response)
    }
}

/// True if `Accept-Encoding` names a coding with a weight above 0.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, "q=1"));
            let weight = weight.trim().trim_start_matches("q=").parse::<f32>();
            name.trim().eq_ignore_ascii_case(coding) && weight.is_ok_and(|weight| weight > 0.0)
        })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    const FILES: Embedded = Embedded {
        paths: Vec::new,
        read: |path| {
            let content: &'static [u8] = match path {
                "pkg/app.js" => b"plain",
                "pkg/app.js.br" => b"brotli",
                "pkg/app.js.gz" => b"gzip",
                "pkg/app.wasm" => b"wasm",
                _ => return None,
            };
            Some(content.into())
        },
    };

    /// Status, `Content-Type`, `Content-Encoding` and body.
    async fn call(method: &str, path: &str, accepted: &str) -> (u16, String, String, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_ENCODING, accepted)
            .body(Body::empty())
            .unwrap();
        let router: Router = Router::new().nest_service("/pkg", FILES.service("pkg"));
        let response = router.oneshot(request).await.unwrap();
        let text = |name| {
            let value = response.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let status = response.status().as_u16();
        let (kind, coding) = (text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        (status, kind, coding, body)
    }

    #[tokio::test]
    async fn the_accepted_coding_is_served() {
        for (accepted, coding, body) in [
            ("", "", "plain"),
            ("identity, deflate", "", "plain"),
            ("gzip, deflate, br, zstd", "br", "brotli"),
            ("GZIP;q=0.5", "gzip", "gzip"),
            ("br;q=0, gzip; q=1.0", "gzip", "gzip"),
            ("br;q=0.000", "", "plain"),
        ] {
            let answer = call("GET", "/pkg/app.js", accepted).await;
            let expected = (200, "text/javascript", coding, body);
            let answer = (answer.0, &*answer.1, &*answer.2, &*answer.3);
            assert_eq!(answer, expected, "{accepted}");
        }
    }

    #[tokio::test]
    async fn other_files_and_methods_are_refused() {
        let (status, kind, coding, body) = call("GET", "/pkg/app.wasm", "br").await;
        assert_eq!((status, &*kind), (200, "application/wasm"));
        assert_eq!((&*coding, &*body), ("", "wasm"));
        assert_eq!(call("HEAD", "/pkg/app.js", "").await.3, "");
        assert_eq!(call("POST", "/pkg/app.js", "").await.0, 405);
        for path in ["/pkg/none.js", "/pkg/", "/pkg/../pkg/app.js"] {
            assert_eq!(call("GET", path, "br").await.0, 404, "{path}");
        }
    }
}
