//! The one showing of a token.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Modal;
use crate::ui::browser;

/// A token that was just made.
#[derive(Clone)]
pub struct Revealed {
    /// The new key's id.
    pub key_id: String,
    /// Its token.
    pub token: String,
}

/// Shows a token until the operator says that it is stored. Nothing else closes it.
#[component]
pub fn TokenReveal(
    /// What to show.
    revealed: Revealed,
    /// The operator has stored it: forget it.
    #[prop(into)]
    on_stored: Callback<()>,
) -> impl IntoView {
    let (copied, set_copied) = signal(None::<bool>);
    let Revealed { key_id, token } = revealed;
    let to_copy = StoredValue::new(token.clone());
    // The copy in the arena goes with the dialog.
    on_cleanup(move || to_copy.dispose());
    let copy = move |_| {
        let text = to_copy.get_value();
        spawn_local(async move { set_copied.set(Some(browser::copy_text(text).await)) });
    };
    view! {
        <Modal heading_id="reveal-heading" heading="New token">
            <p>"This is the token of " <code>{key_id}</code> ". It is shown once: copy it now and store it where secrets are kept."</p>
            <output class="token" id="new-token" tabindex="0">{token}</output>
            <p class="field-note" role="status">
                {move || match copied.get() {
                    None => "It can't be shown again. Whoever has it can call the registry as this partner.",
                    Some(true) => "Copied.",
                    Some(false) => "The browser did not let it be copied: select the text and copy it by hand.",
                }}
            </p>
            <div class="actions">
                <button class="button" type="button" on:click=copy>"Copy"</button>
                <button class="button primary" type="button" on:click=move |_| on_stored.run(())>"I have stored it"</button>
            </div>
        </Modal>
    }
}
