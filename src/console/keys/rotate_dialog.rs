//! The dialog that rotates a key.

use leptos::prelude::*;

use super::unknown_outcome::UnknownOutcome;
use crate::console::keys::server_fns::rotate_key;
use crate::console::kit::field::ChoiceField;
use crate::console::kit::time::local_and_utc;
use crate::console::shell::dialog_host::{DialogHost, Revealed, SecretOf};
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::grace::GraceStart;
use crate::domain::key::KeyView;
use crate::domain::rotation::{RotateInput, RotatedKey};

/// The offered grace periods, in seconds.
pub const GRACES: [(i64, &str); 5] = [
    (0, "At once"),
    (3_600, "After 1 hour"),
    (86_400, "After 24 hours"),
    (604_800, "After 7 days"),
    (2_592_000, "After 30 days"),
];

/// The offered starts of the grace period.
pub const STARTS: [(GraceStart, &str); 2] = [
    (GraceStart::Now, "The rotation"),
    (GraceStart::FirstUse, "The new key's first use"),
];

/// Asks for the grace period and rotates a key.
#[component]
pub fn RotateDialog(key: KeyView) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let grace = RwSignal::new("0".to_owned());
    let starts = RwSignal::new(GraceStart::default().into_str().to_owned());
    let submission = Submission::new();
    let key_id = key.key_id.to_string();
    let rotate = move || {
        let input = RotateInput {
            grace_seconds: grace.get_untracked().parse().ok(),
            grace_starts: Some(starts.get_untracked()),
            not_after: None,
        };
        let reveal = move |rotated: RotatedKey| {
            host.reveal(Revealed {
                of: SecretOf::Key(rotated.key_id.to_string()),
                note: Some(fate_of_old(&rotated)),
                secret: rotated.token,
            });
        };
        submission.submit_for_secret(
            remote::answer(rotate_key(key_id.clone(), input)),
            reveal,
            Some(UnknownOutcome::Rotation {
                key_id: key_id.clone(),
            }),
        );
    };
    let graces = GRACES.map(|(seconds, label)| (seconds.to_string(), label.to_owned()));
    let begins = STARTS.map(|(start, label)| (start.into_str().to_owned(), label.to_owned()));
    let consequence = Signal::derive(move || consequence(&starts.get(), &grace.get()).to_owned());
    view! {
        <DialogForm text=TEXT submission fields=&[] on_submit=Callback::new(move |()| rotate())>
            <p>
                "A new key with the same scopes, rate and end replaces " <code>{key.key_id.to_string()}</code>
                " of " <bdi>{key.partner_name}</bdi> ". Its token is shown once."
            </p>
            <ChoiceField
                id="rotate-grace" label="The old key stops working" value=grace
                options=graces.to_vec() hint=consequence
            />
            <ChoiceField
                id="rotate-starts" label="Counted from" value=starts options=begins.to_vec()
            />
        </DialogForm>
    }
}

const TEXT: DialogText = DialogText {
    id: "rotate-heading",
    heading: "Rotate key",
    submit: "Rotate",
    pending: "Rotating…",
    danger: false,
};

fn consequence(starts: &str, grace: &str) -> &'static str {
    match (starts == GraceStart::FirstUse.into_str(), grace == "0") {
        (false, true) => "Calls with the old token fail from the moment you rotate.",
        (false, false) => "Until then both tokens work, so that nobody is cut off.",
        (true, true) => {
            "The old token works until the new one is first used, for 30 days at the latest."
        }
        (true, false) => {
            "Both tokens work until the new one is first used, and for this long after; the time \
             begins to run in 30 days at the latest."
        }
    }
}

/// Says when the old key stops working.
fn fate_of_old(rotated: &RotatedKey) -> String {
    let old = rotated.replaces.as_str();
    let end = local_and_utc(rotated.retires_at);
    match rotated.grace_starts {
        GraceStart::Now => format!("The old key {old} stops working at {end}."),
        GraceStart::FirstUse => format!(
            "The time of the old key {old} runs from the new one's first use; it stops working at {end} at the latest."
        ),
    }
}
