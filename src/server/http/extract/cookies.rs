//! The session cookie (RFC 6265bis): HttpOnly, SameSite, and in production Secure with the
//! `__Host-` prefix, which binds it to this host.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use cookie::time::Duration;
use cookie::{Cookie, CookieBuilder, SameSite};

use crate::server::state::Site;

fn name(site: &Site) -> &'static str {
    if site.secure_cookies {
        "__Host-myproof-session"
    } else {
        "myproof-session"
    }
}

fn build<'a>(site: &Site, value: &'a str) -> CookieBuilder<'a> {
    Cookie::build((name(site), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.secure_cookies)
}

/// Returns the session cookie of a request.
pub fn session<'a>(site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name(site))
        .and_then(|cookie| cookie.value_raw())
}

/// Builds the `Set-Cookie` header that opens a session. Without Max-Age the browser deletes the cookie
/// when it closes; the server limits the session itself.
pub fn open(site: &Site, value: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&build(site, value).to_string()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Builds the `Set-Cookie` header that deletes the session cookie.
pub fn close(site: &Site) -> Option<HeaderValue> {
    let expired = build(site, "").max_age(Duration::ZERO);
    HeaderValue::from_str(&expired.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::AssetPaths;

    fn site(secure_cookies: bool) -> Site {
        Site {
            public_origin: "https://r.example".into(),
            secure_cookies,
            trusted_proxies: vec![],
            assets: AssetPaths::default(),
        }
    }

    #[test]
    fn flags() {
        let production = open(&site(true), "v").unwrap();
        assert_eq!(
            production,
            "__Host-myproof-session=v; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        assert!(production.is_sensitive());
        assert_eq!(
            open(&site(false), "v").unwrap(),
            "myproof-session=v; HttpOnly; SameSite=Lax; Path=/"
        );
    }

    #[test]
    fn the_cookie_is_found_among_others_and_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static("a=b; xmyproof-session=no; myproof-session=yes"),
        );
        assert_eq!(session(&site(false), &headers), Some("yes"));
        assert_eq!(session(&site(true), &headers), None);
    }
}
