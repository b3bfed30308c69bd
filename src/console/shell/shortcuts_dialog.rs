//! The dialog that lists the shortcuts and switches them off.

use leptos::prelude::*;

use crate::console::kit::dialog::Modal;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::shortcuts::{SHORTCUTS, Shortcuts};

/// Lists the shortcuts.
#[component]
pub fn ShortcutsDialog() -> impl IntoView {
    let shortcuts = expect_context::<Shortcuts>();
    let handle = expect_context::<DialogHost>().handle();
    let close = Callback::new(move |()| handle.close(""));
    let rows = SHORTCUTS.map(
        |(key, description)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{description}</dd></div> },
    );
    view! {
        <Modal heading_id="shortcuts-heading" heading="Keyboard shortcuts" on_dismiss=close>
            <dl class="shortcuts">{rows}</dl>
            <div class="check">
                <input
                    type="checkbox" id="use-shortcuts" prop:checked=move || shortcuts.are_on()
                    on:change=move |event| shortcuts.set(event_target_checked(&event))
                />
                <label for="use-shortcuts">"Use shortcuts in this browser"</label>
            </div>
            <div class="actions">
                <button class="button primary" type="button" on:click=move |_| close.run(())>"Close"</button>
            </div>
        </Modal>
    }
}
