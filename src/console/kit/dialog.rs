//! A dialog above the page.

use leptos::ev::{self, Event, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;

use crate::console::shell::browser;

/// A modal dialog, open as long as it is rendered. The browser keeps the focus inside.
#[component]
pub fn Modal(
    /// The id of the heading.
    heading_id: &'static str,
    /// The heading, which is the accessible name.
    heading: &'static str,
    /// Closes the dialog on Escape; without it the dialog stays.
    #[prop(optional, into)]
    on_dismiss: Option<Callback<()>>,
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if dialog.get().is_some() {
            browser::show_modal(dialog);
        }
    });
    // Chromium closes a dialog on a repeated Escape although `cancel` was prevented, so the key itself
    // is prevented, wherever the focus is. A widget that used it for itself has done so already.
    Effect::new(move || {
        let keys = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                let is_used = event.default_prevented();
                event.prevent_default();
                if let Some(on_dismiss) = on_dismiss.filter(|_| !is_used) {
                    on_dismiss.try_run(());
                }
            }
        });
        on_cleanup(move || keys.remove());
    });
    view! {
        <dialog
            class="modal"
            node_ref=dialog
            closedby="none"
            aria-labelledby=heading_id
            on:cancel=move |event: Event| event.prevent_default()
        >
            <h2 id=heading_id>{heading}</h2>
            {children()}
        </dialog>
    }
}

/// The buttons of a dialog: `Cancel` and submit. While a request is under way the dialog can't be
/// left; submit is never disabled for want of input.
#[component]
pub fn Actions(
    /// The label of the submit button.
    label: &'static str,
    /// Its label while the request is under way.
    working: &'static str,
    /// True while the request is under way.
    #[prop(into)]
    pending: Signal<bool>,
    /// True if the request takes something away.
    #[prop(optional)]
    danger: bool,
    on_cancel: Callback<()>,
) -> impl IntoView {
    let class = if danger {
        "button danger"
    } else {
        "button primary"
    };
    view! {
        <div class="actions">
            <button
                class="button" type="button"
                disabled=move || pending.get()
                on:click=move |_| on_cancel.run(())
            >"Cancel"</button>
            <button class=class type="submit" aria-busy=move || pending.get().to_string()>
                {move || if pending.get() { working } else { label }}
            </button>
        </div>
    }
}
