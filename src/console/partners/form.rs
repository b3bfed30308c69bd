//! The form of a partner.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::field::{FormErrors, InputKind, TextField};
use crate::console::partners::server_fns::create_partner;
use crate::console::shell::alert::ErrorAlert;
use crate::console::shell::browser;
use crate::console::shell::remote;
use crate::domain::partner::{Partner, PartnerInput};

/// Paths of the fields in errors.
pub const PARTNER_FIELDS: [&str; 3] = ["name", "contactEmail", "maxKeyAgeDays"];

const AGE_ID: &str = "partner-age";

/// The input so far.
#[derive(Clone, Copy)]
pub struct PartnerDraft {
    name: RwSignal<String>,
    email: RwSignal<String>,
    age: RwSignal<String>,
}

impl PartnerDraft {
    /// The values of a partner, or none.
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

    /// The input for a new partner.
    pub fn input(self) -> PartnerInput {
        let email = self.email.get_untracked();
        // An incomplete number reads as empty, which would mean none.
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

/// The fields of a partner.
#[component]
pub fn PartnerFields(draft: PartnerDraft, errors: FormErrors) -> impl IntoView {
    view! {
        <TextField id="partner-name" label="Partner name" value=draft.name error=errors.of("name")/>
        <TextField
            id="partner-email" label="Contact e-mail (optional)" kind=InputKind::Email
            value=draft.email error=errors.of("contactEmail")
        />
        <TextField
            id=AGE_ID label="Maximum key age (days, optional)" kind=InputKind::Number value=draft.age
            error=errors.of("maxKeyAgeDays") hint="Older keys are due for rotation. Empty: as in the settings."
        />
    }
}

/// Creates a partner inside another form: Enter creates the partner and does not submit that form.
#[component]
pub fn PartnerOnTheSpot(
    /// The partner was created.
    #[prop(into)]
    on_created: Callback<Partner>,
) -> impl IntoView {
    let draft = PartnerDraft::new(None);
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let other_errors = errors.except(&PARTNER_FIELDS);
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
            {move || other_errors.get().map(|error| view! { <ErrorAlert error/> })}
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
