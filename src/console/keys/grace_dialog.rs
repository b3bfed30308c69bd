//! The dialog that shortens, extends or ends the grace period of a retiring key.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::retirement::Retirement;
use super::rotate_dialog::GRACES;
use crate::console::keys::server_fns::change_grace;
use crate::console::kit::field::ChoiceField;
use crate::console::kit::time::local_and_utc;
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::grace::GraceInput;
use crate::domain::key::{KeyStatus, KeyView};

/// Shows whether the old key is still in use, and asks when it shall stop working.
#[component]
pub fn GraceDialog(
    key: KeyView,
    /// The server's time when the key was read.
    now: DateTime<Utc>,
) -> impl IntoView {
    let grace = RwSignal::new("0".to_owned());
    let submission = Submission::new();
    let key_id = key.key_id.to_string();
    let change = move || {
        let key_id = key_id.clone();
        let input = GraceInput {
            grace_seconds: grace.get_untracked().parse().ok(),
        };
        submission.submit(async move {
            let key = remote::answer(change_grace(key_id, input)).await?;
            let id = &key.key_id;
            Ok(match (key.status, key.retires_at) {
                (KeyStatus::Retiring, Some(at)) => {
                    format!("{id} stops working at {}.", local_and_utc(at))
                }
                _ => format!("{id} has stopped working."),
            })
        });
    };
    let graces = GRACES.map(|(seconds, label)| (seconds.to_string(), label.to_owned()));
    let hint = match key.not_after {
        Some(end) => format!(
            "Counted from now, and never past its own end, {}.",
            local_and_utc(end)
        ),
        None => "Counted from now.".to_owned(),
    };
    view! {
        <DialogForm text=TEXT submission fields=&[] on_submit=Callback::new(move |()| change())>
            <p>
                <code>{key.key_id.to_string()}</code> " of " <bdi>{key.partner_name.clone()}</bdi>
                " was rotated and still works."
            </p>
            <Retirement key=key.clone() now/>
            <ChoiceField id="grace-end" label="The old key stops working" value=grace options=graces.to_vec() hint/>
        </DialogForm>
    }
}

const TEXT: DialogText = DialogText {
    id: "grace-heading",
    heading: "Change grace",
    submit: "Change",
    pending: "Changing…",
    danger: false,
};
