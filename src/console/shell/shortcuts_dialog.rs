//! The dialog that tells the shortcuts and switches them off.

use leptos::prelude::*;

use crate::console::kit::dialog::Modal;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::shortcuts::{SHORTCUTS, Shortcuts};

/// Lists them.
#[component]
pub fn ShortcutsDialog() -> impl IntoView {
    let shortcuts = expect_context::<Shortcuts>();
    let this = expect_context::<Desk>().this_dialog();
    let close = Callback::new(move |()| this.close(""));
    let rows = SHORTCUTS
        .map(|(key, words)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{words}</dd></div> });
    view! {
        <Modal heading_id="shortcuts-heading" heading="Keyboard shortcuts" on_dismiss=close>
            <dl class="shortcuts">{rows}</dl>
            <div class="check">
                <input
                    type="checkbox" id="use-shortcuts" prop:checked=move || shortcuts.are_on()
                    on:change=move |event| shortcuts.switch(event_target_checked(&event))
                />
                <label for="use-shortcuts">"Use shortcuts in this browser"</label>
            </div>
            <div class="actions">
                <button class="button primary" type="button" on:click=move |_| close.run(())>"Close"</button>
            </div>
        </Modal>
    }
}
