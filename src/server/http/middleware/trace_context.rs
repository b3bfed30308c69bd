//! The caller's trace id, logged with the request id for correlation.

use axum::http::HeaderMap;

/// The trace id in `traceparent` (W3C Trace Context §3.2). The caller chooses it freely, so it
/// must not affect any decision.
pub fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace_id, parent_id) = (parts.next()?, parts.next()?, parts.next()?);
    let is_well_formed = is_hex(version, 2)
        && version != "ff"
        && is_hex(trace_id, 32)
        && is_hex(parent_id, 16)
        && trace_id.bytes().any(|digit| digit != b'0');
    is_well_formed.then_some(trace_id)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(traceparent: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", traceparent.parse().unwrap());
        trace_id(&headers).map(str::to_owned)
    }

    #[test]
    fn only_well_formed_headers_have_an_id() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        for well_formed in [
            format!("00-{id}-b7ad6b7169203331-01"),
            // Later versions may append fields.
            format!("cc-{id}-b7ad6b7169203331-01-more"),
        ] {
            assert_eq!(parsed(&well_formed).as_deref(), Some(id), "{well_formed}");
        }
        for broken in [
            "",
            id,
            &format!("ff-{id}-b7ad6b7169203331-01"),
            &format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            &format!("00-{}-b7ad6b7169203331-01", id.to_uppercase()),
            &format!("00-{id}0-b7ad6b7169203331-01"),
            &format!("00-{id}-b7ad6b716920333-01"),
        ] {
            assert_eq!(parsed(broken), None, "{broken}");
        }
        assert_eq!(trace_id(&HeaderMap::new()), None);
    }
}
