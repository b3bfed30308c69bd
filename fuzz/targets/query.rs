//! Query strings of the key list, which has the most parameters: parsing and validation do not panic.
#![no_main]

use axum::extract::FromRequestParts;
use axum::http::Request;
use futures::FutureExt;
use libfuzzer_sys::fuzz_target;
use myproof_registry::domain::key_list::KeyListInput;
use myproof_registry::server::http::extract::query::StrictQuery;

fuzz_target!(|query: &str| {
    let Ok(request) = Request::get(format!("/api/admin/api-keys?{query}")).body(()) else {
        return;
    };
    let (mut parts, ()) = request.into_parts();
    let read = StrictQuery::<KeyListInput>::from_request_parts(&mut parts, &());
    let Some(Ok(StrictQuery(input))) = read.now_or_never() else {
        return;
    };
    if let Ok(checked) = input.check() {
        assert!((1..=200).contains(&checked.page.limit));
        let is_plain = |text: &String| !text.chars().any(char::is_control);
        assert!(checked.q.as_ref().is_none_or(is_plain));
    }
});
