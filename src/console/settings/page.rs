//! The tab "Settings": the policy of key ages, and the operators.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;

use crate::console::kit::field::{FormErrors, TextField};
use crate::console::settings::mfa::panel::FactorPanel;
use crate::console::settings::mfa::server_fns::get_factor;
use crate::console::settings::operators::server_fns::list_operators;
use crate::console::settings::operators::table::OperatorTable;
use crate::console::settings::server_fns::{PolicyPage, get_policy, update_policy};
use crate::console::settings::session_table::SessionTable;
use crate::console::shell::alert::{DoneNotice, ErrorNotice};
use crate::console::shell::browser;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote::{self, Latest};
use crate::console::sign_in::server_fns::list_sessions;
use crate::domain::operator::Role;
use crate::domain::patch::Patch;
use crate::domain::policy::PolicyInput;

const FIELDS: [&str; 3] = ["maxKeyAgeDays", "maxLifetimeDays", "staleAfterDays"];

/// The settings.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let desk = expect_context::<Desk>();
    on_cleanup(move || desk.leave_page());
    let policy = Latest::new(Memo::new(|_| ()), desk.changes(), |()| get_policy());
    let operators = Latest::new(Memo::new(|_| ()), desk.changes(), |()| list_operators());
    let factor = Latest::new(Memo::new(|_| ()), desk.changes(), |()| get_factor());
    let sessions = Latest::new(Memo::new(|_| ()), desk.changes(), |()| list_sessions());
    let fail = move |error| {
        let again = Callback::new(move |()| desk.changed());
        view! { <ErrorNotice error on_retry=again/> }.into_any()
    };
    view! {
        <Title text="Settings"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Settings"</h1>
                <p class="lead">"What holds for all partners and keys, and who may sign in here."</p>
            </div>
        </div>
        <DoneNotice/>
        {policy.view(move |outcome| match outcome {
            Ok(page) => view! { <PolicyForm page/> }.into_any(),
            Err(error) => fail(error),
        })}
        {operators.view(move |outcome| match outcome {
            Ok(page) => view! { <OperatorTable page/> }.into_any(),
            Err(error) => fail(error),
        })}
        {factor.view(move |outcome| match outcome {
            Ok(page) => view! { <FactorPanel page/> }.into_any(),
            Err(error) => fail(error),
        })}
        {sessions.view(move |outcome| match outcome {
            Ok(page) => view! { <SessionTable page/> }.into_any(),
            Err(error) => fail(error),
        })}
    }
}

#[component]
fn PolicyForm(page: PolicyPage) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let hydrated = expect_context::<Hydrated>();
    let PolicyPage { viewer, policy } = page;
    let may_change = viewer.role == Role::Admin;
    let text =
        |days: Option<i32>| RwSignal::new(days.map(|days| days.to_string()).unwrap_or_default());
    let age = text(policy.max_key_age_days);
    let lifetime = text(policy.max_lifetime_days);
    let stale = text(policy.stale_after_days);
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&FIELDS);
    let save = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        let input = PolicyInput {
            max_key_age_days: days("max-key-age", age),
            max_lifetime_days: days("max-lifetime", lifetime),
            stale_after_days: days("stale-after", stale),
        };
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        pending.set(true);
        spawn_local(async move {
            let saved = remote::answer(update_policy(input)).await;
            pending.try_set(false);
            match saved {
                Ok(_) => desk.say("The policy is saved."),
                Err(error) => errors.show(error),
            }
        });
    };
    view! {
        <form
            class="panel settings" novalidate aria-labelledby="policy-heading"
            on:submit=move |event| { event.prevent_default(); save() }
        >
            <h2 id="policy-heading">"Key ages"</h2>
            <p class="lead">
                "Keys past their age go on working: they are shown as due, and can be rotated together. An empty field switches a rule off."
            </p>
            {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
            <fieldset class="plain" role="presentation" disabled=!may_change>
                <TextField
                    id="max-key-age" label="Maximum key age (days)" kind="number" value=age
                    error=errors.of("maxKeyAgeDays")
                    hint="An older key is due for rotation. A partner may have an age of its own."
                />
                <TextField
                    id="max-lifetime" label="Maximum lifetime of new keys (days)" kind="number" value=lifetime
                    error=errors.of("maxLifetimeDays")
                    hint="A new key must end within that time. Successors keep the end of the key they replace."
                />
                <TextField
                    id="stale-after" label="Stale after (days without use)" kind="number" value=stale
                    error=errors.of("staleAfterDays")
                    hint="An active key that nobody used for so long is shown as stale."
                />
            </fieldset>
            {may_change.then(|| view! {
                <div class="actions">
                    <button
                        class="button primary" type="submit" aria-busy=move || pending.get().to_string()
                        disabled=move || !hydrated.done()
                    >
                        {move || if pending.get() { "Saving…" } else { "Save policy" }}
                    </button>
                </div>
            })}
        </form>
    }
}

/// What a field says. One that is not finished reads as empty, and must not be taken for "off".
fn days(id: &str, text: RwSignal<String>) -> Patch<i64> {
    let text = text.get_untracked();
    match text.trim() {
        "" if browser::is_unfinished(id) => Patch::Set(-1),
        "" => Patch::Clear,
        days => Patch::Set(days.parse().unwrap_or(-1)),
    }
}
