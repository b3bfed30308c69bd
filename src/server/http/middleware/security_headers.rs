//! Security headers (OWASP HTTP Security Response Headers) of every response: pages, assets, REST and
//! errors. Pages set their own Content-Security-Policy.

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};

const HEADERS: [(HeaderName, HeaderValue); 8] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // With `no-referrer` Chromium sends `Origin: null`, which fails the check of form posts.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), autoplay=(), camera=(), clipboard-write=(self), display-capture=(), \
             encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), \
             microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), usb=(), \
             xr-spatial-tracking=()",
        ),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("x-permitted-cross-domain-policies"),
        HeaderValue::from_static("none"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
    ),
];

/// One year (RFC 6797), without subdomains, which may belong to other services.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers that a response doesn't set itself. HSTS is for `secure` sites only: browsers
/// ignore it over plain HTTP, which development uses.
pub fn add(headers: &mut HeaderMap, secure: bool) {
    headers.reserve(HEADERS.len() + 2);
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}
