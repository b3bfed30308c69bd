//! The dialogs that make and delete a webhook.

use leptos::prelude::*;
use leptos::task::spawn_local;
use strum::VariantArray;
use uuid::Uuid;

use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{FieldNote, FormErrors, TextField};
use crate::console::partners::notifications::server_fns::{create_webhook, delete_webhook};
use crate::console::shell::dialog_host::{Desk, Revealed, SecretOf};
use crate::console::shell::remote;
use crate::console::shell::step_up::Refused;
use crate::domain::error::AppError;
use crate::domain::notification::NotificationKind;
use crate::domain::webhook::{Webhook, WebhookInput};

/// Makes a webhook and shows its secret, once.
#[component]
pub fn NewWebhookDialog(
    /// Whose.
    partner_id: Uuid,
    /// The partner's name.
    partner_name: String,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let url = RwSignal::new(String::new());
    let kinds = RwSignal::new(NotificationKind::VARIANTS.to_vec());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&["url", "kinds"]);
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let create = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        let names = kinds.get_untracked().into_iter();
        let input = WebhookInput {
            url: Some(url.get_untracked()),
            kinds: Some(names.map(|kind| kind.into_str().to_owned()).collect()),
        };
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        pending.set(true);
        desk.set_busy(true);
        spawn_local(async move {
            match remote::answer(create_webhook(partner_id, input)).await {
                Ok(made) => desk.reveal(Revealed {
                    of: SecretOf::Webhook(made.webhook.url),
                    secret: made.secret,
                    note: None,
                }),
                Err(error) => {
                    desk.set_busy(false);
                    pending.try_set(false);
                    // A webhook whose secret got lost is in the list: delete it and make another.
                    if error == AppError::NoAnswer {
                        desk.changed();
                    }
                    errors.show(error);
                }
            }
        });
    };
    let kinds_error = errors.of("kinds");
    view! {
        <Modal heading_id="webhook-heading" heading="New webhook" on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); create() }>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                <p>"Notices of the keys of " <bdi>{partner_name}</bdi> " are sent there, signed as Standard Webhooks does."</p>
                <TextField
                    id="webhook-url" label="Address" kind="url" value=url error=errors.of("url")
                    hint="Of https and public, such as https://hooks.example.org/registry."
                />
                <fieldset
                    class="field" aria-describedby="webhook-kinds-note"
                    data-invalid=move || kinds_error.get().is_some().then_some("true")
                >
                    <legend>"Notices"</legend>
                    {NotificationKind::VARIANTS.iter().copied().map(|kind| {
                        let id = format!("kind-{}", kind.into_str());
                        view! {
                            <div class="check">
                                <input
                                    id=id.clone() type="checkbox"
                                    prop:checked=move || kinds.get().contains(&kind)
                                    on:change=move |event| {
                                        let ticked = event_target_checked(&event);
                                        kinds.update(|kinds| {
                                            kinds.retain(|known| *known != kind);
                                            if ticked {
                                                kinds.push(kind);
                                            }
                                        });
                                    }
                                />
                                <label for=id>{kind.into_str()}</label>
                            </div>
                        }
                    }).collect_view()}
                    <FieldNote id="webhook-kinds" error=kinds_error/>
                </fieldset>
                <Actions label="Create webhook" working="Creating…" pending on_cancel=close/>
            </form>
        </Modal>
    }
}

/// Says what deleting a webhook does, and deletes it.
#[component]
pub fn DeleteWebhookDialog(
    /// The webhook.
    webhook: Webhook,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&[]);
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let id = webhook.webhook_id;
    let delete = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        pending.set(true);
        spawn_local(async move {
            match remote::answer(delete_webhook(id)).await {
                Ok(()) => {
                    desk.changed();
                    this.close("The webhook is deleted.");
                }
                Err(error) => {
                    desk.changed();
                    errors.show(error);
                    pending.try_set(false);
                }
            }
        });
    };
    view! {
        <Modal heading_id="delete-webhook-heading" heading="Delete webhook" on_dismiss=close>
            <form on:submit=move |event| { event.prevent_default(); delete() }>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                <p><bdi>{webhook.url}</bdi> " gets no more notices, and the log of what it got goes with it."</p>
                <Actions label="Delete" working="Deleting…" pending danger=true on_cancel=close/>
            </form>
        </Modal>
    }
}
