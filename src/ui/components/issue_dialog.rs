//! The dialog that issues a key.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Modal;
use super::field::{FieldNote, FormErrors, TextField};
use super::notice::ErrorNotice;
use super::partner_form::PartnerForm;
use super::token_reveal::Revealed;
use crate::domain::key::{DEFAULT_RATE, Environment};
use crate::domain::key_input::IssueInput;
use crate::domain::partner::Partner;
use crate::domain::scope::Scope;
use crate::rpc::keys::issue_key;
use crate::ui::browser;

const FIELDS: [&str; 6] = [
    "partnerId",
    "name",
    "environment",
    "scopes",
    "ratePerMinute",
    "notAfter",
];

/// What was typed so far.
#[derive(Clone, Copy)]
struct Draft {
    partner_id: RwSignal<String>,
    name: RwSignal<String>,
    environment: RwSignal<String>,
    scopes: RwSignal<Vec<Scope>>,
    rate: RwSignal<String>,
    not_after: RwSignal<String>,
}

impl Draft {
    fn new() -> Self {
        Self {
            partner_id: RwSignal::new(String::new()),
            name: RwSignal::new(String::new()),
            environment: RwSignal::new(Environment::default().as_str().to_owned()),
            scopes: RwSignal::new(vec![Scope::AssetsRead]),
            rate: RwSignal::new(DEFAULT_RATE.to_string()),
            not_after: RwSignal::new(String::new()),
        }
    }

    fn input(self) -> IssueInput {
        let filled = |signal: RwSignal<String>| {
            Some(signal.get_untracked()).filter(|text| !text.trim().is_empty())
        };
        let scopes = self.scopes.get_untracked();
        IssueInput {
            partner_id: filled(self.partner_id),
            scopes: Some(
                Scope::ALL
                    .iter()
                    .filter(|scope| scopes.contains(scope))
                    .map(Scope::to_string)
                    .collect(),
            ),
            name: filled(self.name),
            environment: filled(self.environment),
            // What is no number is left to the server's words for a bad one.
            rate_per_minute: filled(self.rate).map(|text| text.trim().parse().unwrap_or(-1)),
            not_before: None,
            not_after: filled(self.not_after)
                .map(|field| browser::local_to_utc(&field).unwrap_or(field)),
        }
    }
}

/// Asks for everything a new key needs and issues it.
#[component]
pub fn IssueDialog(
    /// The partners that can get a key.
    partners: RwSignal<Vec<Partner>>,
    /// A key was issued: show its token.
    #[prop(into)]
    on_issued: Callback<Revealed>,
    /// Nothing was issued.
    #[prop(into)]
    on_cancel: Callback<()>,
) -> impl IntoView {
    let draft = Draft::new();
    let errors = FormErrors::new();
    let pending = RwSignal::new(false);
    let with_partner_form = RwSignal::new(false);
    let beside = errors.beside(&FIELDS);

    let create = move || {
        // A second click while the first is under way makes no second key.
        if pending.get_untracked() {
            return;
        }
        pending.set(true);
        errors.clear();
        spawn_local(async move {
            match issue_key(draft.input()).await {
                Ok(issued) => {
                    on_issued.run(Revealed {
                        key_id: issued.key_id.to_string(),
                        token: issued.token,
                    });
                }
                Err(error) => {
                    errors.show(error);
                    pending.set(false);
                }
            }
        });
    };
    let partner_created = Callback::new(move |partner: Partner| {
        draft.partner_id.set(partner.partner_id.to_string());
        partners.update(|partners| partners.insert(0, partner));
        with_partner_form.set(false);
    });
    let utc = move || {
        let field = draft.not_after.get();
        browser::local_to_utc(&field).map_or_else(
            || "The key has no end unless you set one.".to_owned(),
            |utc| format!("That is {utc} (UTC)."),
        )
    };
    view! {
        <Modal heading_id="issue-heading" heading="Generate New Key" on_dismiss=on_cancel>
            <form novalidate on:submit=move |event| { event.prevent_default(); create() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <PartnerField draft partners errors with_partner_form/>
                {move || with_partner_form.get().then(|| view! { <PartnerForm on_created=partner_created/> })}
                <TextField id="key-name" label="Name (optional)" value=draft.name error=errors.of("name")/>
                <EnvironmentField draft errors/>
                <ScopesField draft errors/>
                <TextField id="key-rate" label="Rate / min" kind="number" value=draft.rate error=errors.of("ratePerMinute")/>
                <TextField
                    id="key-not-after"
                    label="Not After (optional)"
                    kind="datetime-local"
                    value=draft.not_after
                    error=errors.of("notAfter")
                    hint=Signal::derive(utc)
                />
                <div class="actions">
                    <button class="button" type="button" on:click=move |_| on_cancel.run(())>"Cancel"</button>
                    <button class="button primary" type="submit" aria-busy=move || pending.get().to_string()>
                        {move || if pending.get() { "Creating…" } else { "Create Key" }}
                    </button>
                </div>
            </form>
        </Modal>
    }
}

#[component]
fn PartnerField(
    draft: Draft,
    partners: RwSignal<Vec<Partner>>,
    errors: FormErrors,
    with_partner_form: RwSignal<bool>,
) -> impl IntoView {
    let error = errors.of("partnerId");
    view! {
        <div class="field">
            <label for="key-partner">"Partner"</label>
            <div class="row">
                <select
                    id="key-partner"
                    aria-invalid=move || error.get().is_some().then_some("true")
                    aria-describedby="key-partner-note"
                    prop:value=draft.partner_id
                    on:change=move |event| draft.partner_id.set(event_target_value(&event))
                >
                    <option value="">"Choose a partner"</option>
                    <For
                        each=move || partners.get().into_iter().filter(|partner| partner.active)
                        key=|partner| partner.partner_id
                        let:partner
                    >
                        <option
                            value=partner.partner_id.to_string()
                            selected=move || draft.partner_id.get() == partner.partner_id.to_string()
                        >
                            {partner.name.clone()}
                        </option>
                    </For>
                </select>
                <button
                    class="button"
                    type="button"
                    aria-expanded=move || with_partner_form.get().to_string()
                    on:click=move |_| with_partner_form.update(|shown| *shown = !*shown)
                >
                    "New partner"
                </button>
            </div>
            <FieldNote id="key-partner" error/>
        </div>
    }
}

#[component]
fn EnvironmentField(draft: Draft, errors: FormErrors) -> impl IntoView {
    view! {
        <div class="field">
            <label for="key-environment">"Environment"</label>
            <select
                id="key-environment"
                aria-describedby="key-environment-note"
                on:change=move |event| draft.environment.set(event_target_value(&event))
            >
                {Environment::ALL.map(|environment| view! {
                    <option value=environment.as_str()>{environment.as_str()}</option>
                })}
            </select>
            <FieldNote id="key-environment" error=errors.of("environment")/>
        </div>
    }
}

#[component]
fn ScopesField(draft: Draft, errors: FormErrors) -> impl IntoView {
    view! {
        <fieldset class="field scopes" aria-describedby="key-scopes-note">
            <legend>"Scopes"</legend>
            {Scope::ALL.map(|scope| {
                let label = if scope == Scope::Admin { "admin:* (all)" } else { scope.as_str() };
                view! {
                    <label class="check">
                        <input
                            type="checkbox"
                            prop:checked=move || draft.scopes.get().contains(&scope)
                            on:change=move |event| {
                                let ticked = event_target_checked(&event);
                                draft.scopes.update(|scopes| {
                                    scopes.retain(|known| *known != scope);
                                    if ticked {
                                        scopes.push(scope);
                                    }
                                });
                            }
                        />
                        {label}
                    </label>
                }
            })}
            <FieldNote id="key-scopes" error=errors.of("scopes")/>
        </fieldset>
    }
}
