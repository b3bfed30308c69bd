//! Cursors and limits: a decoded cursor encodes to an equal one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myproof_registry::domain::page::{Cursor, PageRequest};

fuzz_target!(|text: &str| {
    if let Some(cursor) = Cursor::decode(text) {
        let written = cursor.encode();
        assert!(
            written
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        );
        assert_eq!(Cursor::decode(&written), Some(cursor));
    }
    let (limit, cursor) = text.split_once(' ').unwrap_or((text, ""));
    if let Ok(page) = PageRequest::parse(Some(limit), Some(cursor).filter(|text| !text.is_empty()))
    {
        assert!((1..=200).contains(&page.limit));
        let _ = page.from_at();
        let _ = page.from_uuid();
    }
});
