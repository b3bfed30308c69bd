//! Links to the next and the previous page of a list, which work without WASM.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::domain::page::Page;

/// `Previous page` and `Next page`. A link without a target is disabled, not left out, so that the
/// other one keeps its place under the finger.
#[component]
fn Pager(
    /// The URL of the previous page.
    previous: Option<String>,
    /// The URL of the next page.
    next: Option<String>,
    /// The number of items on this page.
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

/// The pager of a page. `url` returns the URL of the same list at a cursor.
pub fn pager<T>(
    page: &Page<T>,
    cursor: Option<&String>,
    (singular, plural): (&str, &str),
    url: impl Fn(Option<String>) -> String,
) -> AnyView {
    let at = |cursor: &String| url(Some(cursor.clone()));
    let next = page.next_cursor.as_ref().map(at);
    // Back from an empty page leads to the first one.
    let is_lost = cursor.is_some() && page.items.is_empty();
    let previous = page.previous_cursor.as_ref().map(at);
    let previous = previous.or_else(|| is_lost.then(|| url(None)));
    let summary = summary(page.items.len(), singular, plural);
    view! { <Pager previous next summary/> }.into_any()
}

/// "0 keys", "1 key on this page", "50 keys on this page".
fn summary(count: usize, singular: &str, plural: &str) -> String {
    match count {
        0 => format!("0 {plural}"),
        1 => format!("1 {singular} on this page"),
        _ => format!("{count} {plural} on this page"),
    }
}
