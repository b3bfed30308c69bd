//! The one showing of many tokens.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::keys;
use crate::console::kit::dialog::Modal;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::shell::browser;
use crate::console::shell::dialog_host::Desk;
use crate::domain::bulk::ManyRotated;

/// Shows the tokens until the operator says that they are stored. Nothing else closes it.
#[component]
pub fn TokensReveal(
    /// What was rotated.
    rotated: ManyRotated,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let (said, say) = signal("Whoever has a token can call the registry as its partner.");
    let count = rotated.rotated.len();
    let left_out = rotated.left_out.len();
    let file = StoredValue::new(as_csv(&rotated));
    // The copy in the arena goes with the dialog.
    on_cleanup(move || file.dispose());
    let copy = move |_| {
        let text = file.get_value();
        spawn_local(async move {
            let words = if browser::copy_text(text).await {
                "Copied."
            } else {
                "The browser did not let them be copied: save the file, or select the text."
            };
            say.try_set(words);
        });
    };
    let save = move |_| {
        browser::save_file("new-tokens.csv", "text/csv", &file.get_value());
        say.set("Saved as new-tokens.csv: move it to where secrets are kept.");
    };
    view! {
        <Modal heading_id="reveal-heading" heading="New tokens">
            <p>
                {format!("{} rotated. ", keys(count))}
                "These tokens are shown once: save or copy them now and store them where secrets are kept."
            </p>
            {(left_out > 0).then(|| view! {
                <p class="field-note">{format!("{} stayed as they were, since another order changed them meanwhile.", keys(left_out))}</p>
            })}
            <ul class="token many" id="new-tokens" tabindex="0" autofocus aria-label="New tokens">
                {rotated.rotated.into_iter().map(|key| view! {
                    <li>
                        <span class="sub">"replaces " <code>{key.replaces.to_string()}</code></span>
                        <code>{key.token.to_string()}</code>
                    </li>
                }).collect_view()}
            </ul>
            <p class="field-note" role="status">{move || said.get()}</p>
            <div class="actions">
                <button class="button" type="button" on:click=copy><Icon glyph=Glyph::Copy/> "Copy all"</button>
                <button class="button" type="button" on:click=save>"Save as file"</button>
                <button
                    class="button primary" type="button"
                    on:click=move |_| this.close(format!("{} rotated.", keys(count)))
                >"I have stored them"</button>
            </div>
        </Modal>
    }
}

/// The old key's id, the new one's and its token, a line each (RFC 4180; none holds a comma).
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
