//! The dialog that rotates a key.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Modal;
use super::field::FormErrors;
use super::notice::ErrorNotice;
use super::token_reveal::Revealed;
use crate::domain::key::KeyView;
use crate::domain::rotation::RotateInput;
use crate::rpc::keys::rotate_key;

/// How long the old key may go on, in seconds, as it is offered.
const GRACES: [(i64, &str); 5] = [
    (0, "At once"),
    (3_600, "After 1 hour"),
    (86_400, "After 24 hours"),
    (604_800, "After 7 days"),
    (2_592_000, "After 30 days"),
];

/// Says what a rotation does, asks for the grace, and rotates.
#[component]
pub fn RotateDialog(
    /// The key to be rotated.
    key: KeyView,
    /// The key was rotated: show the successor's token.
    #[prop(into)]
    on_rotated: Callback<Revealed>,
    /// Nothing was rotated.
    #[prop(into)]
    on_cancel: Callback<()>,
) -> impl IntoView {
    let grace = RwSignal::new(0_i64);
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&[]);
    let key_id = key.key_id.to_string();
    let rotate = {
        let key_id = key_id.clone();
        move || {
            if pending.get_untracked() {
                return;
            }
            pending.set(true);
            errors.clear();
            let key_id = key_id.clone();
            let input = RotateInput {
                grace_seconds: Some(grace.get_untracked()),
                not_after: None,
            };
            spawn_local(async move {
                match rotate_key(key_id, input).await {
                    Ok(rotated) => {
                        on_rotated.run(Revealed {
                            key_id: rotated.key_id.to_string(),
                            token: rotated.token,
                        });
                    }
                    Err(error) => {
                        errors.show(error);
                        pending.set(false);
                    }
                }
            });
        }
    };
    view! {
        <Modal heading_id="rotate-heading" heading="Rotate key" on_dismiss=on_cancel>
            <form on:submit=move |event| { event.prevent_default(); rotate() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <p>
                    "A new key with the same scopes, rate and end takes the place of " <code>{key_id}</code>
                    " of " <bdi>{key.partner_name}</bdi> ". Its token is shown once."
                </p>
                <div class="field">
                    <label for="rotate-grace">"The old key stops working"</label>
                    <select
                        id="rotate-grace"
                        on:change=move |event| grace.set(event_target_value(&event).parse().unwrap_or(0))
                    >
                        {GRACES.map(|(seconds, label)| view! { <option value=seconds.to_string()>{label}</option> })}
                    </select>
                </div>
                <div class="actions">
                    <button class="button" type="button" on:click=move |_| on_cancel.run(())>"Cancel"</button>
                    <button class="button primary" type="submit" aria-busy=move || pending.get().to_string()>"Rotate"</button>
                </div>
            </form>
        </Modal>
    }
}
