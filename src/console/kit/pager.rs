//! The way from a page of a list to the next and back. Links, so that it works without WASM.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::domain::page::Page;

/// `Previous page` and `Next page`; where one leads nowhere it stands there disabled, so that the
/// other keeps its place under the finger.
#[component]
fn Pager(
    /// The page before.
    previous: Option<String>,
    /// The page after.
    next: Option<String>,
    /// What stands on this page, in words.
    summary: String,
) -> impl IntoView {
    view! {
        <nav class="pager" aria-label="Pages">
            <p class="summary" role="status">{summary}</p>
            <Step id="previous-page" label="Previous page" href=previous/>
            <Step id="next-page" label="Next page" href=next/>
        </nav>
    }
}

#[component]
fn Step(id: &'static str, label: &'static str, href: Option<String>) -> impl IntoView {
    match href {
        Some(href) => view! { <A href=href attr:id=id attr:class="button">{label}</A> }.into_any(),
        None => view! { <a id=id class="button" role="link" aria-disabled="true" tabindex="-1">{label}</a> }.into_any(),
    }
}

/// The pager of a list's page. `address` gives the address of the same view at a cursor.
pub fn pager<T>(
    page: &Page<T>,
    cursor: Option<&String>,
    (one, many): (&str, &str),
    address: impl Fn(Option<String>) -> String,
) -> AnyView {
    let at = |cursor: &String| address(Some(cursor.clone()));
    let next = page.next_cursor.as_ref().map(at);
    // An empty page somewhere in the list: its beginning is the way back.
    let is_lost = cursor.is_some() && page.items.is_empty();
    let previous = page.previous_cursor.as_ref().map(at);
    let previous = previous.or_else(|| is_lost.then(|| address(None)));
    let summary = summary(page.items.len(), one, many);
    view! { <Pager previous next summary/> }.into_any()
}

/// "1 key on this page", "50 keys on this page".
fn summary(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("No {many} on this page"),
        1 => format!("1 {one} on this page"),
        _ => format!("{count} {many} on this page"),
    }
}
