//! Making a partner on the spot.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::field::{FormErrors, TextField};
use super::notice::ErrorNotice;
use crate::domain::partner::{Partner, PartnerInput};
use crate::rpc::partners::create_partner;

/// Two fields and a button that make a partner.
#[component]
pub fn PartnerForm(
    /// The partner was made.
    #[prop(into)]
    on_created: Callback<Partner>,
) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let email = RwSignal::new(String::new());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&["name", "contactEmail"]);
    let create = move |_| {
        if pending.get_untracked() {
            return;
        }
        pending.set(true);
        errors.clear();
        let email = email.get_untracked();
        let input = PartnerInput {
            name: Some(name.get_untracked()),
            contact_email: (!email.trim().is_empty()).then_some(email),
        };
        spawn_local(async move {
            match create_partner(input).await {
                Ok(partner) => on_created.run(partner),
                Err(error) => errors.show(error),
            }
            pending.set(false);
        });
    };
    view! {
        <fieldset class="inset">
            <legend>"New partner"</legend>
            {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
            <TextField id="partner-name" label="Partner name" value=name error=errors.of("name")/>
            <TextField id="partner-email" label="Contact e-mail (optional)" kind="email" value=email error=errors.of("contactEmail")/>
            <button class="button" type="button" disabled=pending on:click=create>"Create partner"</button>
        </fieldset>
    }
}
