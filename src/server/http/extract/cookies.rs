//! The session's cookie (RFC 6265bis): HttpOnly, SameSite, and in production Secure with the
//! `__Host-` prefix, which ties it to this very host.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::server::state::Site;

fn name(site: &Site) -> &'static str {
    if site.secure_cookies {
        "__Host-myproof-session"
    } else {
        "myproof-session"
    }
}

/// The session's cookie in a request.
#[must_use]
pub fn session<'a>(site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = name(site);
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// The `Set-Cookie` that opens a session; it ends with the browser's, or on the server.
#[must_use]
pub fn open(site: &Site, value: &str) -> Option<HeaderValue> {
    let secure = if site.secure_cookies { "; Secure" } else { "" };
    let mut header = HeaderValue::from_str(&format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}",
        name(site)
    ))
    .ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The `Set-Cookie` that takes the session's cookie away.
#[must_use]
pub fn close(site: &Site) -> Option<HeaderValue> {
    let secure = if site.secure_cookies { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}",
        name(site)
    ))
    .ok()
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
            "__Host-myproof-session=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(production.is_sensitive());
        assert_eq!(
            open(&site(false), "v").unwrap(),
            "myproof-session=v; Path=/; HttpOnly; SameSite=Lax"
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
