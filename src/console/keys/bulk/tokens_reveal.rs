//! The dialog that shows the tokens of a bulk rotation, once.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::keys;
use crate::console::kit::dialog::Modal;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::shell::browser;
use crate::console::shell::dialog_host::DialogHost;
use crate::domain::bulk::ManyRotated;

/// Shows the tokens until the operator confirms that they are stored. Nothing else closes it.
#[component]
pub fn TokensReveal(rotated: ManyRotated) -> impl IntoView {
    let handle = expect_context::<DialogHost>().handle();
    let (message, set_message) =
        signal("Anyone who has a token can call the registry as its partner.");
    let count = rotated.rotated.len();
    let left_out = rotated.left_out.len();
    let file = StoredValue::new(as_csv(&rotated));
    // The copy in the arena is removed with the dialog.
    on_cleanup(move || file.dispose());
    let copy = move |_| {
        let text = file.get_value();
        spawn_local(async move {
            let outcome = if browser::copy_text(text).await {
                "Copied."
            } else {
                "The browser did not allow copying: save the file, or select the text."
            };
            set_message.try_set(outcome);
        });
    };
    let save = move |_| {
        browser::save_file("new-tokens.csv", "text/csv", &file.get_value());
        set_message.set("Saved as new-tokens.csv: move it to where secrets are kept.");
    };
    view! {
        <Modal heading_id="reveal-heading" heading="New tokens">
            <p>
                {format!("{} rotated. ", keys(count))}
                "These tokens are shown once: save or copy them now and store them where secrets are kept."
            </p>
            {(left_out > 0).then(|| view! {
                <p class="field-note">{format!("{} were skipped, because they were changed meanwhile.", keys(left_out))}</p>
            })}
            <ul class="token many" id="new-tokens" tabindex="0" autofocus aria-label="New tokens">
                {rotated.rotated.into_iter().map(|key| view! {
                    <li>
                        <span class="sub">"replaces " <code>{key.replaces.to_string()}</code></span>
                        <code>{key.token.to_string()}</code>
                    </li>
                }).collect_view()}
            </ul>
            <p class="field-note" role="status">{move || message.get()}</p>
            <div class="actions">
                <button class="button" type="button" on:click=copy><Icon glyph=Glyph::Copy/> "Copy all"</button>
                <button class="button" type="button" on:click=save>"Save as file"</button>
                <button
                    class="button primary" type="button"
                    on:click=move |_| handle.close(format!("{} rotated.", keys(count)))
                >"I have stored them"</button>
            </div>
        </Modal>
    }
}

/// A line for each key: the old id, the new one and its token (RFC 4180; none contains a comma).
fn as_csv(rotated: &ManyRotated) -> String {
    let mut text = "replaces,keyId,token\r\n".to_owned();
    for key in &rotated.rotated {
        text.push_str(&format!(
            "{},{},{}\r\n",
            key.replaces, key.key_id, &*key.token
        ));
    }
    text
}
