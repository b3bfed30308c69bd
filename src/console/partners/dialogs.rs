//! The dialogs that make, change, deactivate and activate a partner.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::form::{PARTNER_FIELDS, PartnerDraft, PartnerFields};
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::FormErrors;
use crate::console::partners::server_fns::{create_partner, update_partner};
use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::dialog_host::{Desk, ThisDialog};
use crate::console::shell::remote;
use crate::domain::error::AppError;
use crate::domain::partner::{Partner, PartnerUpdateInput};
use crate::domain::patch::Patch;

/// Makes a partner, or changes its name and contact.
#[component]
pub fn EditPartner(
    /// The partner to be changed; `None` for a new one.
    partner: Option<Partner>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let draft = PartnerDraft::new(partner.as_ref());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&PARTNER_FIELDS);
    let (heading, label, working) = match partner {
        None => ("New partner", "Create partner", "Creating…"),
        Some(_) => ("Edit partner", "Save changes", "Saving…"),
    };
    let partner_id = partner.map(|partner| partner.partner_id);
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let save = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        let input = draft.input();
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        pending.set(true);
        spawn_local(async move {
            let saved = match partner_id {
                None => remote::answer(create_partner(input)).await,
                Some(partner_id) => {
                    let update = PartnerUpdateInput {
                        name: input.name.map_or(Patch::Keep, Patch::Set),
                        contact_email: input.contact_email.map_or(Patch::Clear, Patch::Set),
                        active: Patch::Keep,
                        max_key_age_days: input.max_key_age_days.map_or(Patch::Clear, Patch::Set),
                    };
                    remote::answer(update_partner(partner_id, update)).await
                }
            };
            finish(desk, this, errors, pending, saved, "is saved");
        });
    };
    view! {
        <Modal heading_id="partner-heading" heading=heading on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); save() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <PartnerFields draft errors/>
                <Actions label working pending on_cancel=close/>
            </form>
        </Modal>
    }
}

/// Says what deactivating or activating a partner does, and does it.
#[component]
pub fn SwitchPartner(
    /// The partner.
    partner: Partner,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&[]);
    let Partner {
        partner_id,
        name,
        active,
        active_keys,
        ..
    } = partner;
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let keys = if active_keys == 1 {
        "its 1 active key".to_owned()
    } else {
        format!("its {active_keys} active keys")
    };
    let (heading, label, working, done, consequence) = if active {
        let consequence = format!(
            " can no longer call the registry: {keys} are refused at once. Activating it again lets them work again."
        );
        (
            "Deactivate partner",
            "Deactivate",
            "Deactivating…",
            "is deactivated",
            consequence,
        )
    } else {
        let consequence = format!(" can call the registry again: {keys} work at once.");
        (
            "Activate partner",
            "Activate",
            "Activating…",
            "is active",
            consequence,
        )
    };
    let switch = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        pending.set(true);
        spawn_local(async move {
            let update = PartnerUpdateInput {
                active: Patch::Set(!active),
                ..PartnerUpdateInput::default()
            };
            let saved = remote::answer(update_partner(partner_id, update)).await;
            finish(desk, this, errors, pending, saved, done);
        });
    };
    view! {
        <Modal heading_id="switch-heading" heading=heading on_dismiss=close>
            <form on:submit=move |event| { event.prevent_default(); switch() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <p><bdi>{name}</bdi> {consequence}</p>
                <Actions label working pending danger=active on_cancel=close/>
            </form>
        </Modal>
    }
}

/// Closes the dialog with what was done, or says in it why nothing was.
fn finish(
    desk: Desk,
    this: ThisDialog,
    errors: FormErrors,
    pending: RwSignal<bool>,
    saved: Result<Partner, AppError>,
    done: &str,
) {
    match saved {
        Ok(partner) => {
            desk.changed();
            this.close(format!("{} {done}.", partner.name));
        }
        Err(error) => {
            if error == AppError::NoAnswer {
                desk.changed();
            }
            errors.show(error);
            pending.try_set(false);
        }
    }
}
