//! The tab "Settings": policy, operators, the operator's own second factor and sessions.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;

use crate::console::kit::field::{FormErrors, InputKind, TextField};
use crate::console::settings::mfa::panel::FactorPanel;
use crate::console::settings::mfa::server_fns::get_factor;
use crate::console::settings::operators::server_fns::list_operators;
use crate::console::settings::operators::table::OperatorTable;
use crate::console::settings::server_fns::{PolicyPage, get_policy, update_policy};
use crate::console::settings::session_table::SessionTable;
use crate::console::shell::alert::{ErrorAlert, StatusLine};
use crate::console::shell::browser;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote::{self, Latest};
use crate::console::sign_in::server_fns::list_sessions;
use crate::domain::operator::Role;
use crate::domain::patch::Patch;
use crate::domain::policy::PolicyInput;

const FIELDS: [&str; 3] = ["maxKeyAgeDays", "maxLifetimeDays", "staleAfterDays"];

#[component]
pub fn SettingsPage() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    on_cleanup(move || host.leave_page());
    let policy = Latest::new(Memo::new(|_| ()), |()| get_policy());
    let operators = Latest::new(Memo::new(|_| ()), |()| list_operators());
    let factor = Latest::new(Memo::new(|_| ()), |()| get_factor());
    let sessions = Latest::new(Memo::new(|_| ()), |()| list_sessions());
    view! {
        <Title text="Settings"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Settings"</h1>
                <p class="lead">"Rules for all partners and keys, and who may sign in here."</p>
            </div>
        </div>
        <StatusLine/>
        {policy.view(|page| when_changed(page, |page| view! { <PolicyForm page/> }.into_any()))}
        {operators.view(|page| when_changed(page, |page| view! { <OperatorTable page/> }.into_any()))}
        {factor.view(|page| when_changed(page, |page| view! { <FactorPanel page/> }.into_any()))}
        {sessions.view(|page| when_changed(page, |page| view! { <SessionTable page/> }.into_any()))}
    }
}

/// Renders an answer again only if it is another one: what is typed into a form stays.
fn when_changed<T>(answers: ArcRwSignal<T>, render: fn(T) -> AnyView) -> AnyView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let latest = Memo::new(move |_| answers.get());
    (move || render(latest.get())).into_any()
}

#[component]
fn PolicyForm(page: PolicyPage) -> impl IntoView {
    let host = expect_context::<DialogHost>();
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
    let other_errors = errors.except(&FIELDS);
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
                Ok(_) => host.report("The policy is saved."),
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
                "Keys past their age keep working: they are shown as due, and can be rotated in bulk. An empty field switches a rule off."
            </p>
            {move || other_errors.get().map(|error| view! { <ErrorAlert error/> })}
            <fieldset class="plain" role="presentation" disabled=!may_change>
                <TextField
                    id="max-key-age" label="Maximum key age (days)" kind=InputKind::Number value=age
                    error=errors.of("maxKeyAgeDays")
                    hint="An older key is due for rotation. A partner may have its own maximum."
                />
                <TextField
                    id="max-lifetime" label="Maximum lifetime of new keys (days)" kind=InputKind::Number value=lifetime
                    error=errors.of("maxLifetimeDays")
                    hint="A new key must expire within that time. Successors keep the expiry of the key they replace."
                />
                <TextField
                    id="stale-after" label="Stale after (days without use)" kind=InputKind::Number value=stale
                    error=errors.of("staleAfterDays")
                    hint="An active key that was not used for that long is shown as stale."
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

/// The value of a field. An incomplete one reads as empty, which would switch the rule off.
fn days(id: &str, text: RwSignal<String>) -> Patch<i64> {
    let text = text.get_untracked();
    match text.trim() {
        "" if browser::is_unfinished(id) => Patch::Set(-1),
        "" => Patch::Clear,
        days => Patch::Set(days.parse().unwrap_or(-1)),
    }
}
