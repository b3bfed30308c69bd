//! Paths and URLs of the console.

/// The sign-in page.
pub const LOGIN: &str = "/login";
/// The second step of a sign-in: the MFA code.
pub const LOGIN_CODE: &str = "/login/code";
pub const KEYS: &str = "/api-keys";
pub const PARTNERS: &str = "/partners";

/// The tab "Audit log".
pub const AUDIT: &str = "/audit";
pub const SETTINGS: &str = "/settings";
/// The stream of change events.
pub const LIVE: &str = "/live";
/// The download of the audit log.
pub const AUDIT_EXPORT: &str = "/audit/export";

/// The page of a key.
pub fn key(key_id: &str) -> String {
    format!("{KEYS}/{}", encode(key_id))
}

/// The page of a partner's notifications.
pub fn notices(partner_id: &str) -> String {
    format!("{PARTNERS}/{}/notices", encode(partner_id))
}

/// A URL with the parameters that have a value.
pub fn address(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode((*value)?))))
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}

/// The sign-in page that leads on to `next`.
#[must_use]
pub fn login(next: &str) -> String {
    let next = local_path(next);
    format!("{LOGIN}?next={}", encode(next))
}

/// The MFA page that continues to `next`.
pub fn login_code(next: &str) -> String {
    let next = local_path(next);
    format!("{LOGIN_CODE}?next={}", encode(next))
}

/// First segments of the console's paths.
const PAGES: [&str; 4] = ["api-keys", "partners", "audit", "settings"];

/// Returns `next` if it is a page of the console, otherwise the list of keys: `next` is untrusted,
/// and `//host`, `/\host` or dots would lead elsewhere (OWASP Unvalidated Redirects).
pub fn local_path(next: &str) -> &str {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.strip_prefix('/').unwrap_or_default().split('/');
    let is_page = parts.next().is_some_and(|first| PAGES.contains(&first))
        && parts.all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        });
    let is_plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if is_page && is_plain { next } else { KEYS }
}

/// Percent-encodes a query's value (RFC 3986 §2.3 names what stays).
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_takes_local_paths_only() {
        for next in ["/api-keys?status=active", "/partners", "/api-keys/mpk_1"] {
            assert_eq!(local_path(next), next);
        }
        for next in [
            "",
            "/",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\r\nb",
            "/ä",
            "/\t/evil",
            "/x/..//evil.example",
            "/api-keys/..//evil.example/x",
            "/api-keys/.",
            "/.//evil.example",
            "/login",
            "/healthz",
            "/rpc/session/sign-out",
            "api-keys",
        ] {
            assert_eq!(local_path(next), KEYS, "{next:?}");
        }
        assert_eq!(login("/api-keys?q=a b"), "/login?next=%2Fapi-keys");
        assert_eq!(
            login("/api-keys?q=a%20b"),
            "/login?next=%2Fapi-keys%3Fq%3Da%2520b"
        );
        assert_eq!(login("/"), "/login?next=%2Fapi-keys");
    }
}
