//! The fields of a partner.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::field::{FormErrors, TextField};
use crate::console::partners::server_fns::create_partner;
use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::browser;
use crate::console::shell::remote;
use crate::domain::partner::{Partner, PartnerInput};

/// The fields' names in an error.
pub const PARTNER_FIELDS: [&str; 3] = ["name", "contactEmail", "maxKeyAgeDays"];

const AGE_ID: &str = "partner-age";

/// What was typed so far.
#[derive(Clone, Copy)]
pub struct PartnerDraft {
    name: RwSignal<String>,
    email: RwSignal<String>,
    age: RwSignal<String>,
}

impl PartnerDraft {
    /// The fields of a partner, or empty ones.
    #[must_use]
    pub fn new(partner: Option<&Partner>) -> Self {
        let text = |of: fn(&Partner) -> String| RwSignal::new(partner.map(of).unwrap_or_default());
        Self {
            name: text(|partner| partner.name.clone()),
            email: text(|partner| partner.contact_email.clone().unwrap_or_default()),
            age: text(|partner| {
                let days = partner.max_key_age_days;
                days.map(|days| days.to_string()).unwrap_or_default()
            }),
        }
    }

    /// What a new partner takes.
    #[must_use]
    pub fn input(self) -> PartnerInput {
        let email = self.email.get_untracked();
        // A number that is not finished reads as empty, and must not be taken for none.
        let age = self.age.get_untracked();
        let unfinished = browser::is_unfinished(AGE_ID);
        PartnerInput {
            name: Some(self.name.get_untracked()),
            contact_email: (!email.trim().is_empty()).then_some(email),
            max_key_age_days: (unfinished || !age.trim().is_empty())
                .then(|| age.trim().parse().unwrap_or(-1)),
        }
    }
}

/// Its fields.
#[component]
pub fn PartnerFields(
    /// What was typed so far.
    draft: PartnerDraft,
    /// What is wrong with it.
    errors: FormErrors,
) -> impl IntoView {
    view! {
        <TextField id="partner-name" label="Partner name" value=draft.name error=errors.of("name")/>
        <TextField
            id="partner-email" label="Contact e-mail (optional)" kind="email"
            value=draft.email error=errors.of("contactEmail")
        />
        <TextField
            id=AGE_ID label="Maximum key age (days, optional)" kind="number" value=draft.age
            error=errors.of("maxKeyAgeDays") hint="Older keys are due for rotation. Empty: as the settings say."
        />
    }
}

/// Makes a partner on the spot, inside another form: Enter makes the partner, not that form's
/// order.
#[component]
pub fn PartnerOnTheSpot(
    /// The partner was made.
    #[prop(into)]
    on_created: Callback<Partner>,
) -> impl IntoView {
    let draft = PartnerDraft::new(None);
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&PARTNER_FIELDS);
    let create = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        if let Err(error) = draft.input().check() {
            errors.show(error);
            return;
        }
        pending.set(true);
        spawn_local(async move {
            match remote::answer(create_partner(draft.input())).await {
                Ok(partner) => {
                    on_created.try_run(partner);
                }
                Err(error) => errors.show(error),
            }
            pending.try_set(false);
        });
    };
    let on_keydown = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            create();
        }
    };
    view! {
        <fieldset class="inset" on:keydown=on_keydown>
            <legend>"New partner"</legend>
            {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
            <PartnerFields draft errors/>
            <button
                class="button" type="button" aria-busy=move || pending.get().to_string()
                on:click=move |_| create()
            >
                {move || if pending.get() { "Creating…" } else { "Create partner" }}
            </button>
        </fieldset>
    }
}
