//! The dialogs that create and delete a webhook.

use leptos::prelude::*;
use strum::VariantArray;
use uuid::Uuid;

use crate::console::kit::field::{FieldNote, InputKind, TextField};
use crate::console::partners::notifications::server_fns::{create_webhook, delete_webhook};
use crate::console::shell::dialog_host::{DialogHost, Revealed, SecretOf};
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::notification::NotificationKind;
use crate::domain::webhook::{NewWebhook, Webhook, WebhookInput};

/// Creates a webhook and shows its secret, once.
#[component]
pub fn NewWebhookDialog(partner_id: Uuid, partner_name: String) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let url = RwSignal::new(String::new());
    let kinds = RwSignal::new(NotificationKind::VARIANTS.to_vec());
    let submission = Submission::new();
    let errors = submission.errors;
    let create = move || {
        let names = kinds.get_untracked().into_iter();
        let input = WebhookInput {
            url: Some(url.get_untracked()),
            kinds: Some(names.map(|kind| kind.into_str().to_owned()).collect()),
        };
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        let reveal = move |created: NewWebhook| {
            host.reveal(Revealed {
                of: SecretOf::Webhook(created.webhook.url),
                secret: created.secret,
                note: None,
            });
        };
        // A webhook whose secret was lost is in the list: delete it and create another.
        let request = remote::answer(create_webhook(partner_id, input));
        submission.submit_for_secret(request, reveal, None);
    };
    view! {
        <DialogForm text=CREATE submission fields=&["url", "kinds"] on_submit=Callback::new(move |()| create())>
            <p>"Notifications about the keys of " <bdi>{partner_name}</bdi> " are sent there, signed according to Standard Webhooks."</p>
            <TextField
                id="webhook-url" label="URL" kind=InputKind::Url value=url error=errors.of("url")
                hint="Public, and https, such as https://hooks.example.org/registry."
            />
            <KindsField kinds error=errors.of("kinds")/>
        </DialogForm>
    }
}

#[component]
fn KindsField(
    kinds: RwSignal<Vec<NotificationKind>>,
    error: Signal<Option<String>>,
) -> impl IntoView {
    let toggle = move |kind, ticked| {
        kinds.update(|kinds| {
            kinds.retain(|known| *known != kind);
            if ticked {
                kinds.push(kind);
            }
        });
    };
    view! {
        <fieldset
            class="field" aria-describedby="webhook-kinds-note"
            data-invalid=move || error.get().is_some().then_some("true")
        >
            <legend>"Notifications"</legend>
            {NotificationKind::VARIANTS.iter().copied().map(|kind| {
                let id = format!("kind-{}", kind.into_str());
                view! {
                    <div class="check">
                        <input
                            id=id.clone() type="checkbox"
                            prop:checked=move || kinds.get().contains(&kind)
                            on:change=move |event| toggle(kind, event_target_checked(&event))
                        />
                        <label for=id>{kind.into_str()}</label>
                    </div>
                }
            }).collect_view()}
            <FieldNote id="webhook-kinds" error/>
        </fieldset>
    }
}

/// Deletes a webhook.
#[component]
pub fn DeleteWebhookDialog(webhook: Webhook) -> impl IntoView {
    let submission = Submission::new();
    let id = webhook.webhook_id;
    let delete = move || {
        submission.submit(async move {
            remote::answer(delete_webhook(id)).await?;
            Ok("The webhook is deleted.".to_owned())
        });
    };
    view! {
        <DialogForm text=DELETE submission fields=&[] on_submit=Callback::new(move |()| delete())>
            <p><bdi>{webhook.url}</bdi> " gets no more notifications, and its delivery log is deleted."</p>
        </DialogForm>
    }
}

const CREATE: DialogText = DialogText {
    id: "webhook-heading",
    heading: "New webhook",
    submit: "Create webhook",
    pending: "Creating…",
    danger: false,
};

const DELETE: DialogText = DialogText {
    id: "delete-webhook-heading",
    heading: "Delete webhook",
    submit: "Delete",
    pending: "Deleting…",
    danger: true,
};
