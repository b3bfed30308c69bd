//! The dialogs that create, edit, activate and deactivate a partner.

use leptos::prelude::*;

use super::form::{PARTNER_FIELDS, PartnerDraft, PartnerFields};
use crate::console::partners::server_fns::{create_partner, update_partner};
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::partner::{Partner, PartnerUpdateInput};
use crate::domain::patch::Patch;

/// Creates a partner, or edits one.
#[component]
pub fn EditPartner(
    /// The partner; `None` for a new one.
    partner: Option<Partner>,
) -> impl IntoView {
    let draft = PartnerDraft::new(partner.as_ref());
    let submission = Submission::new();
    let errors = submission.errors;
    let (heading, submit, pending) = match partner {
        None => ("New partner", "Create partner", "Creating…"),
        Some(_) => ("Edit partner", "Save changes", "Saving…"),
    };
    let text = DialogText {
        id: "partner-heading",
        heading,
        submit,
        pending,
        danger: false,
    };
    let partner_id = partner.map(|partner| partner.partner_id);
    let save = move || {
        let input = draft.input();
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        submission.submit(async move {
            let saved = match partner_id {
                None => remote::answer(create_partner(input)).await?,
                Some(partner_id) => {
                    let update = PartnerUpdateInput {
                        name: input.name.map_or(Patch::Keep, Patch::Set),
                        contact_email: input.contact_email.map_or(Patch::Clear, Patch::Set),
                        active: Patch::Keep,
                        max_key_age_days: input.max_key_age_days.map_or(Patch::Clear, Patch::Set),
                    };
                    remote::answer(update_partner(partner_id, update)).await?
                }
            };
            Ok(format!("{} is saved.", saved.name))
        });
    };
    view! {
        <DialogForm text submission fields=&PARTNER_FIELDS on_submit=Callback::new(move |()| save())>
            <PartnerFields draft errors/>
        </DialogForm>
    }
}

/// Deactivates an active partner, and activates a deactivated one.
#[component]
pub fn SwitchPartner(partner: Partner) -> impl IntoView {
    let submission = Submission::new();
    let Partner {
        partner_id,
        name,
        active,
        active_keys,
        ..
    } = partner;
    let keys = if active_keys == 1 {
        "its 1 active key".to_owned()
    } else {
        format!("its {active_keys} active keys")
    };
    let (text, done, consequence) = if active {
        let consequence = format!(
            " can no longer call the registry: calls with {keys} are refused immediately. Activating it again lets them work again."
        );
        (DEACTIVATE, "is deactivated", consequence)
    } else {
        let consequence =
            format!(" can call the registry again: calls with {keys} are accepted immediately.");
        (ACTIVATE, "is active", consequence)
    };
    let switch = move || {
        let update = PartnerUpdateInput {
            active: Patch::Set(!active),
            ..PartnerUpdateInput::default()
        };
        submission.submit(async move {
            let saved = remote::answer(update_partner(partner_id, update)).await?;
            Ok(format!("{} {done}.", saved.name))
        });
    };
    view! {
        <DialogForm text submission fields=&[] on_submit=Callback::new(move |()| switch())>
            <p><bdi>{name}</bdi> {consequence}</p>
        </DialogForm>
    }
}

const DEACTIVATE: DialogText = DialogText {
    id: "switch-heading",
    heading: "Deactivate partner",
    submit: "Deactivate",
    pending: "Deactivating…",
    danger: true,
};

const ACTIVATE: DialogText = DialogText {
    id: "switch-heading",
    heading: "Activate partner",
    submit: "Activate",
    pending: "Activating…",
    danger: false,
};
