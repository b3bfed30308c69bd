//! The dialog that changes a key's name, environment, rate and end.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::{Actions, Modal};
use super::field::{ChoiceField, FormErrors, TextField};
use super::notice::ErrorNotice;
use crate::domain::error::{AppError, FieldError};
use crate::domain::key::{Environment, KeyView};
use crate::domain::key_input::UpdateInput;
use crate::domain::patch::Patch;
use crate::rpc::keys::update_key;
use crate::ui::desk::Desk;
use crate::ui::{browser, remote};

const FIELDS: [&str; 4] = ["name", "environment", "ratePerMinute", "notAfter"];

/// Asks what shall be changed; what is left as it was is not sent.
#[component]
pub fn EditKeyDialog(
    /// The key.
    key: KeyView,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let before = Draft::of(&key);
    let name = RwSignal::new(before.name.clone());
    let environment = RwSignal::new(before.environment.clone());
    let rate = RwSignal::new(before.rate.clone());
    let not_after = RwSignal::new(before.not_after.clone());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&FIELDS);
    let key_id = key.key_id.to_string();
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let ordered_key = key_id.clone();
    let save = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        let unfinished = unfinished();
        if !unfinished.is_empty() {
            errors.show(AppError::Invalid { fields: unfinished });
            return;
        }
        let after = Draft {
            name: name.get_untracked(),
            environment: environment.get_untracked(),
            rate: rate.get_untracked(),
            not_after: not_after.get_untracked(),
        };
        let input = after.changes(&before);
        pending.set(true);
        let key_id = ordered_key.clone();
        spawn_local(async move {
            // The same order twice does no harm, so a lost answer needs nothing but another try.
            match remote::answer(update_key(key_id, input)).await {
                Ok(key) => {
                    desk.changed();
                    this.close(format!("{} is saved.", key.key_id));
                }
                Err(error) => {
                    if error == AppError::NoAnswer {
                        desk.changed();
                    }
                    errors.show(error);
                    pending.try_set(false);
                }
            }
        });
    };
    let environments = Environment::ALL.map(|environment| {
        let name = environment.as_str().to_owned();
        (name.clone(), name)
    });
    let utc = move || {
        browser::local_to_utc(&not_after.get()).map_or_else(
            || "Without it the key has no end.".to_owned(),
            |utc| format!("That is {utc} (UTC). A later end must keep to the policy."),
        )
    };
    view! {
        <Modal heading_id="edit-heading" heading="Edit key" on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); save() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <p><code>{key_id}</code> " of " <bdi>{key.partner_name.clone()}</bdi></p>
                <div class="columns">
                    <TextField id="edit-name" label="Name (optional)" value=name error=errors.of("name")/>
                    <ChoiceField
                        id="edit-environment" label="Environment" value=environment
                        options=environments.to_vec() error=errors.of("environment")
                    />
                </div>
                <div class="columns">
                    <TextField id="edit-rate" label="Rate / min" kind="number" value=rate error=errors.of("ratePerMinute")/>
                    <TextField
                        id="edit-not-after" label="Not After (optional)" kind="datetime-local" value=not_after
                        error=errors.of("notAfter") hint=Signal::derive(utc)
                    />
                </div>
                <Actions label="Save changes" working="Saving…" pending on_cancel=close/>
            </form>
        </Modal>
    }
}

/// What stands in the fields.
struct Draft {
    name: String,
    environment: String,
    rate: String,
    not_after: String,
}

impl Draft {
    fn of(key: &KeyView) -> Self {
        Self {
            name: key.name.clone().unwrap_or_default(),
            environment: key.environment.as_str().to_owned(),
            rate: key.rate_per_minute.to_string(),
            not_after: key.not_after.map(browser::utc_to_local).unwrap_or_default(),
        }
    }

    fn changes(&self, before: &Self) -> UpdateInput {
        let optional = |after: &str, before: &str| match after.trim() {
            same if same == before => Patch::Keep,
            "" => Patch::Clear,
            text => Patch::Set(text.to_owned()),
        };
        let end = match optional(&self.not_after, &before.not_after) {
            Patch::Set(field) => Patch::Set(browser::local_to_utc(&field).unwrap_or(field)),
            other => other,
        };
        UpdateInput {
            name: optional(&self.name, &before.name),
            environment: match self.environment == before.environment {
                true => Patch::Keep,
                false => Patch::Set(self.environment.clone()),
            },
            rate_per_minute: match self.rate == before.rate {
                true => Patch::Keep,
                // What is no number is left to the words for a bad one.
                false => Patch::Set(self.rate.trim().parse().unwrap_or(-1)),
            },
            not_after: end,
        }
    }
}

/// The fields that read as empty but aren't.
fn unfinished() -> Vec<FieldError> {
    let faults = [
        (
            "edit-rate",
            "ratePerMinute",
            "must be a whole number from 1 to 10000",
        ),
        (
            "edit-not-after",
            "notAfter",
            "is unfinished: give date and time, or clear it",
        ),
    ];
    let faults = faults
        .into_iter()
        .filter(|(id, ..)| browser::is_unfinished(id));
    faults
        .map(|(_, path, message)| FieldError::new(path, message))
        .collect()
}
