//! The console's paths and URLs.

/// The sign-in page.
pub const LOGIN: &str = "/login";
/// Where a sign-in goes on with the second factor.
pub const LOGIN_CODE: &str = "/login/code";
/// The tab "API Keys / Rotation".
pub const KEYS: &str = "/api-keys";
/// The tab "Partners".
pub const PARTNERS: &str = "/partners";

/// The tab "Audit log".
pub const AUDIT: &str = "/audit";
/// The tab "Settings".
pub const SETTINGS: &str = "/settings";
/// Where an open page hears that something is different.
pub const LIVE: &str = "/live";
/// The download of the audit log.
pub const AUDIT_EXPORT: &str = "/audit/export";

/// A key's own page.
#[must_use]
pub fn key(key_id: &str) -> String {
    format!("{KEYS}/{}", encode(key_id))
}

/// What a partner is told of its keys.
#[must_use]
pub fn notices(partner_id: &str) -> String {
    format!("{PARTNERS}/{}/notices", encode(partner_id))
}

/// An address with the parameters that have a value.
#[must_use]
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

/// The page that asks for the second factor and leads on to `next`.
#[must_use]
pub fn login_code(next: &str) -> String {
    let next = local_path(next);
    format!("{LOGIN_CODE}?next={}", encode(next))
}

/// The first parts of the console's paths.
const PAGES: [&str; 4] = ["api-keys", "partners", "audit", "settings"];

/// A page of the console, or the keys' tab: `next` is anybody's word, and `//host`, `/\host` or dots
/// would lead elsewhere (OWASP Unvalidated Redirects).
#[must_use]
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
#[must_use]
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
