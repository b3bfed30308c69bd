//! The dialog that issues a key.

use leptos::prelude::*;
use leptos::task::spawn_local;
use strum::VariantArray;

use super::unknown_outcome::{Lost, LostAnswer};
use crate::console::keys::server_fns::issue_key;
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{ChoiceField, FieldNote, FormErrors, TextField};
use crate::console::partners::field::PartnerField;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::{Desk, Revealed, SecretOf};
use crate::console::shell::remote;
use crate::console::shell::remote::ServerTime;
use crate::console::shell::step_up::Refused;
use crate::domain::error::{AppError, FieldError};
use crate::domain::key::{DEFAULT_RATE, Environment};
use crate::domain::key_input::IssueInput;
use crate::domain::scope::Scope;

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
    fn new(partner_id: Option<String>) -> Self {
        Self {
            partner_id: RwSignal::new(partner_id.unwrap_or_default()),
            name: RwSignal::new(String::new()),
            environment: RwSignal::new(Environment::default().into_str().to_owned()),
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
                Scope::VARIANTS
                    .iter()
                    .filter(|scope| scopes.contains(scope))
                    .map(Scope::to_string)
                    .collect(),
            ),
            name: filled(self.name),
            environment: filled(self.environment),
            // What is no number is left to the words for a bad one.
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
    /// The partner that is chosen at first.
    partner_id: Option<String>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let draft = Draft::new(partner_id);
    let errors = FormErrors::new();
    let pending = RwSignal::new(false);
    let lost = RwSignal::new(None::<Lost>);
    // The server's time, or a little before it: what is refused for lying before it is refused there
    // too, and nothing that an order makes is older.
    let seen_at = RwSignal::new(None::<ServerTime>);
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });

    let create = move || {
        // A second click while the first is under way makes no second key.
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        let Some(since) = seen_at.get_untracked().map(ServerTime::now) else {
            errors.show(AppError::field(
                "partnerId",
                "can't be chosen yet: the partners are still being read",
            ));
            return;
        };
        let unfinished = unfinished();
        if !unfinished.is_empty() {
            errors.show(AppError::Invalid { fields: unfinished });
            return;
        }
        let input = draft.input();
        let order = match input.clone().check(since) {
            Ok(order) => order,
            Err(error) => {
                errors.show(error);
                return;
            }
        };
        pending.set(true);
        desk.set_busy(true);
        spawn_local(async move {
            match remote::answer(issue_key(input)).await {
                Ok(issued) => {
                    desk.reveal(Revealed {
                        of: SecretOf::Key(issued.key_id.to_string()),
                        secret: issued.token,
                        note: None,
                    });
                }
                Err(error) => {
                    desk.set_busy(false);
                    pending.try_set(false);
                    if error == AppError::NoAnswer {
                        desk.changed();
                        lost.try_set(Some(Lost::Issue {
                            order: Box::new(order),
                            since,
                        }));
                        browser::focus_lost_to(vec!["dialog h2".to_owned()]);
                    } else {
                        errors.show(error);
                    }
                }
            }
        });
    };
    view! {
        <Modal heading_id="issue-heading" heading="Generate New Key" on_dismiss=close>
            {move || lost.get().map(|lost_order| view! {
                <LostAnswer lost=lost_order on_back=Callback::new(move |()| lost.set(None))/>
            })}
            <form novalidate hidden=move || lost.get().is_some() on:submit=move |event| { event.prevent_default(); create() }>
                <IssueFields draft errors seen_at/>
                <Actions label="Create Key" working="Creating…" pending on_cancel=close/>
            </form>
        </Modal>
    }
}

/// The fields that read as empty but aren't.
fn unfinished() -> Vec<FieldError> {
    let faults = [
        (
            "key-rate",
            "ratePerMinute",
            "must be a whole number from 1 to 10000",
        ),
        (
            "key-not-after",
            "notAfter",
            "is unfinished: give date and time, or clear it",
        ),
    ];
    faults
        .into_iter()
        .filter(|(id, ..)| browser::is_unfinished(id))
        .map(|(_, path, message)| FieldError::new(path, message))
        .collect()
}

#[component]
fn IssueFields(
    draft: Draft,
    errors: FormErrors,
    seen_at: RwSignal<Option<ServerTime>>,
) -> impl IntoView {
    let beside = errors.beside(&FIELDS);
    let environments = Environment::VARIANTS.iter().map(|environment| {
        let name = environment.into_str().to_owned();
        (name.clone(), name)
    });
    let utc = move || {
        let field = draft.not_after.get();
        browser::local_to_utc(&field).map_or_else(
            || "The key has no end unless you set one.".to_owned(),
            |utc| format!("That is {utc} (UTC)."),
        )
    };
    view! {
        {move || beside.get().map(|error| view! { <Refused error/> })}
        <PartnerField chosen=draft.partner_id seen_at errors/>
        <div class="columns">
            <TextField id="key-name" label="Name (optional)" value=draft.name error=errors.of("name")/>
            <ChoiceField
                id="key-environment" label="Environment" value=draft.environment
                options=environments.collect() error=errors.of("environment")
            />
        </div>
        <ScopesField draft errors/>
        <div class="columns">
            <TextField id="key-rate" label="Rate / min" kind="number" value=draft.rate error=errors.of("ratePerMinute")/>
            <TextField
                id="key-not-after"
                label="Not After (optional)"
                kind="datetime-local"
                value=draft.not_after
                error=errors.of("notAfter")
                hint=Signal::derive(utc)
            />
        </div>
    }
}

/// What a scope lets a partner do.
const fn explain(scope: Scope) -> &'static str {
    match scope {
        Scope::AssetsMint => "record new assets",
        Scope::AssetsRead => "read assets",
        Scope::StatusUpdate => "suspend and retire",
        Scope::TransferExecute => "hand assets over",
        Scope::AuditRead => "read its own history",
        Scope::Reverify => "check a hash",
        Scope::Admin => "everything, admin routes too",
    }
}

#[component]
fn ScopesField(draft: Draft, errors: FormErrors) -> impl IntoView {
    let error = errors.of("scopes");
    view! {
        <fieldset
            class="field scopes" aria-describedby="key-scopes-note"
            data-invalid=move || error.get().is_some().then_some("true")
        >
            <legend>"Scopes"</legend>
            {Scope::VARIANTS.iter().copied().map(|scope| {
                let label = if scope == Scope::Admin { "admin:* (all)" } else { scope.into_str() };
                let (id, hint) = (format!("scope-{}", scope.into_str()), format!("about-{}", scope.into_str()));
                view! {
                    <div class="check">
                        <input
                            id=id.clone()
                            type="checkbox"
                            aria-describedby=hint.clone()
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
                        <label for=id>{label}</label>
                        <span id=hint class="about">{explain(scope)}</span>
                    </div>
                }
            }).collect_view()}
            <FieldNote id="key-scopes" error/>
        </fieldset>
    }
}
