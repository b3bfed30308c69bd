//! The dialog that issues a key.

use leptos::prelude::*;
use strum::VariantArray;

use super::unknown_outcome::UnknownOutcome;
use crate::console::keys::server_fns::issue_key;
use crate::console::kit::field::{ChoiceField, FieldNote, FormErrors, InputKind, TextField};
use crate::console::partners::field::ActivePartnerField;
use crate::console::partners::picker::{Offer, PartnerSearch};
use crate::console::shell::browser;
use crate::console::shell::dialog_host::{DialogHost, Revealed, SecretOf};
use crate::console::shell::remote::{self, ServerTime};
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::error::{AppError, FieldError};
use crate::domain::key::{DEFAULT_RATE, Environment, IssuedKey};
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

/// The input so far.
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
            // Not a number: the check of the range reports it.
            rate_per_minute: filled(self.rate).map(|text| text.trim().parse().unwrap_or(-1)),
            not_before: None,
            not_after: filled(self.not_after)
                .map(|field| browser::locale::local_to_utc(&field).unwrap_or(field)),
        }
    }
}

/// Asks for the properties of a new key and issues it.
#[component]
pub fn IssueDialog(
    /// The id of the partner that is chosen at first.
    partner_id: Option<String>,
) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let draft = Draft::new(partner_id);
    let search = PartnerSearch::new(Offer::ActiveOne);
    let submission = Submission::new();
    let errors = submission.errors;
    let create = move || {
        // No later than the server's time: what is not valid now would not be valid there either, and
        // the request creates nothing older.
        let Some(since) = search.server_time().map(ServerTime::now) else {
            errors.show(AppError::field(
                "partnerId",
                "can't be chosen yet: the partners are still loading",
            ));
            return;
        };
        let unfinished = unfinished();
        if !unfinished.is_empty() {
            errors.show(AppError::Invalid { fields: unfinished });
            return;
        }
        // No key for a partner that the field does not show.
        let is_shown = untrack(|| search.name_of(&draft.partner_id.get()).is_some());
        if !is_shown {
            draft.partner_id.set(String::new());
        }
        let input = draft.input();
        let command = match input.clone().check(since) {
            Ok(command) => command,
            Err(error) => {
                errors.show(error);
                return;
            }
        };
        let reveal = move |issued: IssuedKey| {
            host.reveal(Revealed {
                of: SecretOf::Key(issued.key_id.to_string()),
                secret: issued.token,
                note: None,
            });
        };
        submission.submit_for_secret(
            remote::answer(issue_key(input)),
            reveal,
            Some(UnknownOutcome::Issue {
                command: Box::new(command),
                since,
            }),
        );
    };
    view! {
        <DialogForm text=TEXT submission fields=&FIELDS on_submit=Callback::new(move |()| create())>
            <IssueFields draft search errors/>
        </DialogForm>
    }
}

const TEXT: DialogText = DialogText {
    id: "issue-heading",
    heading: "Generate New Key",
    submit: "Create Key",
    pending: "Creating…",
    danger: false,
};

/// The errors of incomplete fields, which read as empty.
fn unfinished() -> Vec<FieldError> {
    let fields = [
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
    fields
        .into_iter()
        .filter(|(id, ..)| browser::is_unfinished(id))
        .map(|(_, path, message)| FieldError::new(path, message))
        .collect()
}

#[component]
fn IssueFields(draft: Draft, search: PartnerSearch, errors: FormErrors) -> impl IntoView {
    let environments = Environment::VARIANTS.iter().map(|environment| {
        let name = environment.into_str().to_owned();
        (name.clone(), name)
    });
    let utc = move || {
        let field = draft.not_after.get();
        browser::locale::local_to_utc(&field).map_or_else(
            || "The key has no end unless you set one.".to_owned(),
            |utc| format!("That is {utc} (UTC)."),
        )
    };
    view! {
        <ActivePartnerField id="key-partner" chosen=draft.partner_id search error=errors.of("partnerId")/>
        <div class="columns">
            <TextField id="key-name" label="Name (optional)" value=draft.name error=errors.of("name")/>
            <ChoiceField
                id="key-environment" label="Environment" value=draft.environment
                options=environments.collect() error=errors.of("environment")
            />
        </div>
        <ScopesField draft errors/>
        <div class="columns">
            <TextField id="key-rate" label="Rate / min" kind=InputKind::Number value=draft.rate error=errors.of("ratePerMinute")/>
            <TextField
                id="key-not-after"
                label="Not After (optional)"
                kind=InputKind::DateTime
                value=draft.not_after
                error=errors.of("notAfter")
                hint=Signal::derive(utc)
            />
        </div>
    }
}

/// Describes what a scope allows.
const fn describe(scope: Scope) -> &'static str {
    match scope {
        Scope::AssetsMint => "record new assets",
        Scope::AssetsRead => "read assets",
        Scope::StatusUpdate => "suspend and retire",
        Scope::TransferExecute => "transfer assets",
        Scope::AuditRead => "read its own audit log",
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
                        <span id=hint class="about">{describe(scope)}</span>
                    </div>
                }
            }).collect_view()}
            <FieldNote id="key-scopes" error/>
        </fieldset>
    }
}
