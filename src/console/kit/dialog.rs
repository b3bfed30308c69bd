//! A dialog above the page.

use leptos::ev::{self, Event, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;

use crate::console::shell::browser;

/// A modal dialog, open for as long as it is rendered. The browser keeps the focus inside and the
/// page behind it out of reach; the desk gives the focus back.
#[component]
pub fn Modal(
    /// The id of its heading.
    heading_id: &'static str,
    /// Its heading, which is its accessible name.
    heading: &'static str,
    /// What Escape does; nothing where it is absent, and the dialog stays.
    #[prop(optional, into)]
    on_dismiss: Option<Callback<()>>,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if dialog.get().is_some() {
            browser::show_modal(dialog);
        }
    });
    // Chromium closes a dialog on a repeated Escape although `cancel` was prevented: the key
    // itself is taken away, wherever the focus is, and the page decides.
    Effect::new(move || {
        let keys = window_event_listener(ev::keydown, move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                event.prevent_default();
                if let Some(on_dismiss) = on_dismiss {
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

/// The buttons at a dialog's end: `Cancel`, and the one that does it. While that is under way it
/// says so and can't be left; it is never disabled for want of input.
#[component]
pub fn Actions(
    /// What the button says.
    label: &'static str,
    /// What it says while it works.
    working: &'static str,
    /// Whether it works.
    #[prop(into)]
    pending: Signal<bool>,
    /// Whether it takes something away.
    #[prop(optional)]
    danger: bool,
    /// The dialog is left.
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
