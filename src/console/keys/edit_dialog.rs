//! The dialog that edits a key.

use leptos::prelude::*;
use strum::VariantArray;

use crate::console::keys::server_fns::update_key;
use crate::console::kit::field::{ChoiceField, InputKind, TextField};
use crate::console::shell::browser;
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::error::{AppError, FieldError};
use crate::domain::key::{Environment, KeyView};
use crate::domain::key_input::UpdateInput;
use crate::domain::patch::Patch;

/// Edits a key; unchanged fields are not sent.
#[component]
pub fn EditKeyDialog(key: KeyView) -> impl IntoView {
    let before = Draft::of(&key);
    let name = RwSignal::new(before.name.clone());
    let environment = RwSignal::new(before.environment.clone());
    let rate = RwSignal::new(before.rate.clone());
    let not_after = RwSignal::new(before.not_after.clone());
    let submission = Submission::new();
    let errors = submission.errors;
    let key_id = key.key_id.to_string();
    let edited_key = key_id.clone();
    let save = move || {
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
        let key_id = edited_key.clone();
        submission.submit(async move {
            let key = remote::answer(update_key(key_id, input)).await?;
            Ok(format!("{} is saved.", key.key_id))
        });
    };
    let environments = Environment::VARIANTS.iter().map(|environment| {
        let name = environment.into_str().to_owned();
        (name.clone(), name)
    });
    let utc = move || {
        browser::locale::local_to_utc(&not_after.get()).map_or_else(
            || "Without it the key has no end.".to_owned(),
            |utc| format!("That is {utc} (UTC). A later end must keep to the policy."),
        )
    };
    view! {
        <DialogForm
            text=TEXT submission fields=&["name", "environment", "ratePerMinute", "notAfter"]
            on_submit=Callback::new(move |()| save())
        >
            <p><code>{key_id}</code> " of " <bdi>{key.partner_name.clone()}</bdi></p>
            <div class="columns">
                <TextField id="edit-name" label="Name (optional)" value=name error=errors.of("name")/>
                <ChoiceField
                    id="edit-environment" label="Environment" value=environment
                    options=environments.collect() error=errors.of("environment")
                />
            </div>
            <div class="columns">
                <TextField id="edit-rate" label="Rate / min" kind=InputKind::Number value=rate error=errors.of("ratePerMinute")/>
                <TextField
                    id="edit-not-after" label="Not After (optional)" kind=InputKind::DateTime value=not_after
                    error=errors.of("notAfter") hint=Signal::derive(utc)
                />
            </div>
        </DialogForm>
    }
}

const TEXT: DialogText = DialogText {
    id: "edit-heading",
    heading: "Edit key",
    submit: "Save changes",
    pending: "Saving…",
    danger: false,
};

/// The values of the fields.
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
            environment: key.environment.into_str().to_owned(),
            rate: key.rate_per_minute.to_string(),
            not_after: key
                .not_after
                .map(browser::locale::utc_to_local)
                .unwrap_or_default(),
        }
    }

    fn changes(&self, before: &Self) -> UpdateInput {
        let optional = |after: &str, before: &str| match after.trim() {
            same if same == before => Patch::Keep,
            "" => Patch::Clear,
            text => Patch::Set(text.to_owned()),
        };
        let end = match optional(&self.not_after, &before.not_after) {
            Patch::Set(field) => Patch::Set(browser::locale::local_to_utc(&field).unwrap_or(field)),
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
                // Not a number: the check of the range reports it.
                false => Patch::Set(self.rate.trim().parse().unwrap_or(-1)),
            },
            not_after: end,
        }
    }
}

/// The errors of incomplete fields, which read as empty.
fn unfinished() -> Vec<FieldError> {
    let fields = [
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
    let unfinished = fields
        .into_iter()
        .filter(|(id, ..)| browser::is_unfinished(id));
    unfinished
        .map(|(_, path, message)| FieldError::new(path, message))
        .collect()
}
