//! The keyboard focus.

#[cfg(feature = "hydrate")]
use std::time::Duration;

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

/// Returns the id of the focused element.
pub fn focused_id() -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        document()
            .active_element()
            .map(|element| element.id())
            .filter(|id| !id.is_empty())
    }
    #[cfg(not(feature = "hydrate"))]
    None
}

/// Focuses the first of these elements that exists, once the page has settled, unless a visible
/// element other than the body has the focus.
pub fn restore(selectors: Vec<String>) {
    #[cfg(feature = "hydrate")]
    try_restore(selectors, Duration::ZERO, 10);
    #[cfg(not(feature = "hydrate"))]
    let _ = selectors;
}

/// Retries for a while: behind a dialog that is still being removed, no element accepts the focus.
#[cfg(feature = "hydrate")]
fn try_restore(selectors: Vec<String>, after: Duration, tries: u32) {
    use web_sys::wasm_bindgen::JsCast;

    set_timeout(
        move || {
            if !is_focus_lost() {
                return;
            }
            let wanted = selectors
                .iter()
                .filter_map(|selector| document().query_selector(selector).ok().flatten())
                .find_map(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
            if let Some(element) = wanted {
                // A heading is not focusable by default.
                if element.tag_name() == "H2" {
                    element.set_tab_index(-1);
                }
                let _ = element.focus();
            }
            if tries > 1 && is_focus_lost() {
                try_restore(selectors, Duration::from_millis(50), tries - 1);
            }
        },
        after,
    );
}

/// True if the body or a hidden element has the focus.
#[cfg(feature = "hydrate")]
fn is_focus_lost() -> bool {
    use web_sys::wasm_bindgen::JsCast;

    document().active_element().is_none_or(|element| {
        let is_hidden = |element: &web_sys::HtmlElement| {
            element.offset_parent().is_none() && element.tag_name() != "DIALOG"
        };
        element.tag_name() == "BODY"
            || element
                .dyn_ref::<web_sys::HtmlElement>()
                .is_some_and(is_hidden)
    })
}

/// Focuses the first invalid field.
pub fn first_invalid_field() {
    #[cfg(feature = "hydrate")]
    set_timeout(
        || {
            use web_sys::wasm_bindgen::JsCast;

            let invalid = document()
                .query_selector(r#"[aria-invalid="true"], [data-invalid="true"] input"#)
                .ok()
                .flatten()
                .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
            if let Some(element) = invalid {
                let _ = element.focus();
            }
        },
        Duration::ZERO,
    );
}

#[cfg(feature = "hydrate")]
fn find(selector: &str) -> Option<web_sys::HtmlElement> {
    use web_sys::wasm_bindgen::JsCast;

    document().query_selector(selector).ok()??.dyn_into().ok()
}

/// Focuses an element that is being rendered, whatever has the focus.
pub fn set_soon(selector: &'static str) {
    #[cfg(feature = "hydrate")]
    set_timeout(
        move || {
            set(selector);
        },
        Duration::ZERO,
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = selector;
}

/// Focuses an element; returns whether it exists.
#[cfg(feature = "hydrate")]
pub fn set(selector: &str) -> bool {
    find(selector).is_some_and(|element| element.focus().is_ok())
}

/// Clicks an element; returns whether it exists.
#[cfg(feature = "hydrate")]
pub fn click(selector: &str) -> bool {
    let found = find(selector);
    if let Some(element) = &found {
        // The dialog that it opens returns the focus to it.
        let _ = element.focus();
        element.click();
    }
    found.is_some()
}

/// Moves the focus `by` elements among these elements, or to the first one; returns whether there are any.
#[cfg(feature = "hydrate")]
pub fn step(selector: &str, by: i32) -> bool {
    use web_sys::wasm_bindgen::JsCast;

    let Ok(all) = document().query_selector_all(selector) else {
        return false;
    };
    let count = all.length();
    let focused = document().active_element();
    // A button in the same row counts as the row.
    let row = focused
        .as_ref()
        .and_then(|element| element.closest("tr, li").ok().flatten());
    let is_here = |at: &u32| {
        let node = all.item(*at);
        row.as_ref().is_some_and(|row| row.contains(node.as_ref()))
    };
    let here = (0..count).find(is_here);
    let next = match here {
        None => 0,
        Some(at) => at.saturating_add_signed(by).min(count.saturating_sub(1)),
    };
    let element = all
        .item(next)
        .and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok());
    element.is_some_and(|element| element.focus().is_ok())
}
