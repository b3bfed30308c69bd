//! Token parsing: never panics, and accepts only well-formed tokens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use myproof_registry::domain::token::{KeyId, PresentedToken, is_id_byte};

fuzz_target!(|text: &str| {
    let Some(token) = PresentedToken::parse(text) else {
        return;
    };
    let id = token.key_id();
    assert!((1..=64).contains(&id.len()) && id.bytes().all(is_id_byte));
    assert_eq!(
        KeyId::parse(id).map(|id| id.to_string()).as_deref(),
        Some(id)
    );
    for legacy in [false, true] {
        let Ok(hex) = token.secret_hex(legacy) else {
            continue;
        };
        assert!((32..=128).contains(&hex.len()), "{hex}");
        assert!(hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hex}");
        // Without a valid checksum, only a legacy key can have the secret.
        assert!(token.checksum_holds() || (legacy && hex.len() == 64));
        assert!(text.starts_with(&format!("{id}.{hex}")));
    }
});
