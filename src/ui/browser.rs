//! What the components ask of the browser itself. On the server, where no effect and no event
//! handler runs, these do nothing.

use leptos::html::Dialog;
use leptos::prelude::*;

/// Opens a dialog above everything else.
pub fn show_modal(dialog: NodeRef<Dialog>) {
    #[cfg(feature = "hydrate")]
    if let Some(dialog) = dialog.get_untracked() {
        // Fails only for a dialog that is open already.
        let _ = dialog.show_modal();
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = dialog;
}

/// Puts text on the clipboard; whether that worked.
pub async fn copy_text(text: String) -> bool {
    #[cfg(feature = "hydrate")]
    {
        let Some(clipboard) = web_sys::window().map(|window| window.navigator().clipboard()) else {
            return false;
        };
        wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&text))
            .await
            .is_ok()
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = text;
        false
    }
}

/// The moment that a `datetime-local` field names in the reader's zone, in RFC 3339 UTC; `None`
/// for an empty or unfinished one.
#[must_use]
pub fn local_to_utc(field: &str) -> Option<String> {
    if field.is_empty() {
        return None;
    }
    #[cfg(feature = "hydrate")]
    {
        let date = js_sys::Date::new(&field.into());
        (!date.get_time().is_nan()).then(|| date.to_iso_string().into())
    }
    #[cfg(not(feature = "hydrate"))]
    None
}
