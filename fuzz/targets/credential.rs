//! Parsing of `X-API-Key` and `Authorization`: one header per line, selected by the first byte.
#![no_main]

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use myproof_registry::server::http::extract::credential::presented;

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((first, value)) = line.split_first() else {
            continue;
        };
        let name = if first & 1 == 0 {
            HeaderName::from_static("x-api-key")
        } else {
            header::AUTHORIZATION
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    if let Ok(token) = presented(&headers) {
        assert_eq!(token, token.trim());
        let contains_token = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains(token));
        assert!(headers.values().any(contains_token));
        let keys = headers.get_all("x-api-key").iter().count();
        let others = headers.get_all(header::AUTHORIZATION).iter().count();
        assert!(keys < 2 && (keys == 1 || others == 1));
    }
});
