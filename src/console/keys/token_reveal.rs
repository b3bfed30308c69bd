//! The dialog that shows a token or a webhook's signing secret, once.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::dialog::Modal;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::shell::browser;
use crate::console::shell::dialog_host::{DialogHost, Revealed, SecretOf};

/// Shows a secret until the operator confirms that it is stored. Nothing else closes it.
#[component]
pub fn TokenReveal(revealed: Revealed) -> impl IntoView {
    let handle = expect_context::<DialogHost>().handle();
    let (copied, set_copied) = signal(None::<bool>);
    let Revealed { of, secret, note } = revealed;
    let to_copy = StoredValue::new(secret.to_string());
    // The copy in the arena is removed with the dialog.
    on_cleanup(move || to_copy.dispose());
    let copy = move |_| {
        let text = to_copy.get_value();
        spawn_local(async move {
            let done = browser::copy_text(text).await;
            set_copied.try_set(Some(done));
        });
    };
    let (heading, what, owner, use_of_it) = match of {
        SecretOf::Key(key_id) => (
            "New token",
            "This is the token of ",
            key_id,
            "Anyone who has it can call the registry as this partner.",
        ),
        SecretOf::Webhook(url) => (
            "New signing secret",
            "This signs the notifications to ",
            url,
            "Anyone who has it can forge notifications of the registry.",
        ),
    };
    let stored = format!("{owner} is ready.");
    view! {
        <Modal heading_id="reveal-heading" heading>
            <p>{what} <code>{owner}</code> ". It is shown once: copy it now and store it where secrets are kept."</p>
            <p class="token"><code id="new-token" tabindex="0" autofocus>{secret.to_string()}</code></p>
            <p class="field-note" role="status">
                {move || match copied.get() {
                    None => use_of_it,
                    Some(true) => "Copied.",
                    Some(false) => "The browser did not allow copying: select the text and copy it by hand.",
                }}
            </p>
            {note.map(|note| view! { <p class="field-note">{note}</p> })}
            <div class="actions">
                <button class="button" type="button" on:click=copy><Icon glyph=Glyph::Copy/> "Copy"</button>
                <button class="button primary" type="button" on:click=move |_| handle.close(stored.clone())>"I have stored it"</button>
            </div>
        </Modal>
    }
}
