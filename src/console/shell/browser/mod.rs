//! Bindings to the browser. On the server, where no effect and no event handler runs, they do nothing.

#[cfg(feature = "hydrate")]
pub mod events;
pub mod focus;
pub mod locale;

use std::time::Duration;

use leptos::html::Dialog;
use leptos::prelude::*;

/// Opens a modal dialog as soon as it is in the document.
pub fn show_modal(dialog: NodeRef<Dialog>) {
    #[cfg(feature = "hydrate")]
    {
        let show = move || {
            if let Some(dialog) = dialog.try_get_untracked().flatten() {
                // Fails only if the dialog is open already.
                let _ = dialog.show_modal();
            }
        };
        // A dialog whose chunk was loaded first is created before it is attached.
        match dialog.get_untracked() {
            Some(dialog) if !dialog.is_connected() => set_timeout(show, Duration::ZERO),
            _ => show(),
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = dialog;
}

/// Copies text to the clipboard; returns whether that worked.
pub async fn copy_text(text: String) -> bool {
    #[cfg(feature = "hydrate")]
    {
        let Some(navigator) = web_sys::window().map(|window| window.navigator()) else {
            return false;
        };
        // Undefined outside secure contexts, whatever the type says.
        let clipboard = navigator.clipboard();
        if clipboard.is_undefined() {
            return false;
        }
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

/// Downloads text as a file. The text stays in memory, and is released once the download has begun.
pub fn save_file(name: &str, kind: &str, text: &str) {
    #[cfg(feature = "hydrate")]
    {
        use web_sys::wasm_bindgen::{JsCast, JsValue};

        let parts = js_sys::Array::of1(&JsValue::from_str(text));
        let options = web_sys::BlobPropertyBag::new();
        options.set_type(kind);
        let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options);
        let Ok(url) = blob.and_then(|blob| web_sys::Url::create_object_url_with_blob(&blob)) else {
            return;
        };
        let link = document().create_element("a").ok();
        if let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok())
        {
            link.set_href(&url);
            link.set_download(name);
            link.click();
        }
        let release = move || {
            let _ = web_sys::Url::revoke_object_url(&url);
        };
        set_timeout(release, Duration::from_secs(1));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, kind, text);
}

/// True if the field with this id holds an incomplete number or date. Its value is then empty, which
/// must not be mistaken for an empty field.
pub fn is_unfinished(id: &str) -> bool {
    #[cfg(feature = "hydrate")]
    {
        use web_sys::wasm_bindgen::JsCast;

        document()
            .get_element_by_id(id)
            .and_then(|element| element.dyn_into::<web_sys::HtmlInputElement>().ok())
            .is_some_and(|field| field.validity().bad_input())
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = id;
        false
    }
}

/// True if the page is visible.
pub fn is_visible() -> bool {
    #[cfg(feature = "hydrate")]
    {
        !document().hidden()
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Returns the future's output, or `None` after `limit`.
pub async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    #[cfg(feature = "hydrate")]
    {
        use futures::future::{Either, select};

        let (ring, rung) = futures::channel::oneshot::channel::<()>();
        let alarm = set_timeout_with_handle(
            move || {
                let _ = ring.send(());
            },
            limit,
        );
        match select(std::pin::pin!(work), rung).await {
            Either::Left((outcome, _)) => {
                if let Ok(alarm) = alarm {
                    alarm.clear();
                }
                Some(outcome)
            }
            Either::Right(_) => None,
        }
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = limit;
        Some(work.await)
    }
}

/// Returns the path of the current page.
#[cfg(feature = "hydrate")]
pub fn path() -> String {
    location_pathname().unwrap_or_default()
}

/// Reloads the page.
pub fn reload() {
    #[cfg(feature = "hydrate")]
    let _ = location().reload();
}

/// Reads from local storage.
#[cfg(feature = "hydrate")]
pub fn stored(name: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(name).ok()?
}

/// Writes to local storage, or removes the entry. A browser that blocks storage forgets it.
#[cfg(feature = "hydrate")]
pub fn store(name: &str, text: Option<&str>) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = match text {
            Some(text) => storage.set_item(name, text),
            None => storage.remove_item(name),
        };
    }
}

/// True if the key was pressed in a control that takes text or choices.
#[cfg(feature = "hydrate")]
pub fn is_typing(event: &web_sys::KeyboardEvent) -> bool {
    use web_sys::wasm_bindgen::JsCast;

    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|element| {
        let takes =
            element.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
        takes.unwrap_or(false)
    })
}
