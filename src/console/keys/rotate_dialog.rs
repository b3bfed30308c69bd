//! The dialog that rotates a key.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::unknown_outcome::{Lost, LostAnswer};
use crate::console::keys::server_fns::rotate_key;
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{ChoiceField, FormErrors};
use crate::console::kit::time::told;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::{Desk, Revealed, SecretOf};
use crate::console::shell::remote;
use crate::console::shell::step_up::Refused;
use crate::domain::error::AppError;
use crate::domain::grace::GraceStart;
use crate::domain::key::KeyView;
use crate::domain::rotation::{RotateInput, RotatedKey};

/// How long a key that was rotated may go on, in seconds, as it is offered.
pub const GRACES: [(i64, &str); 5] = [
    (0, "At once"),
    (3_600, "After 1 hour"),
    (86_400, "After 24 hours"),
    (604_800, "After 7 days"),
    (2_592_000, "After 30 days"),
];

/// What the grace may run from, as it is offered.
pub const STARTS: [(GraceStart, &str); 2] = [
    (GraceStart::Now, "The rotation"),
    (GraceStart::FirstUse, "The new key's first use"),
];

/// Says what a rotation does, asks for the grace, and rotates.
#[component]
pub fn RotateDialog(
    /// The key to be rotated.
    key: KeyView,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let grace = RwSignal::new("0".to_owned());
    let starts = RwSignal::new(GraceStart::default().into_str().to_owned());
    let pending = RwSignal::new(false);
    let lost = RwSignal::new(None::<Lost>);
    let errors = FormErrors::new();
    let beside = errors.beside(&[]);
    let key_id = key.key_id.to_string();
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let ordered_key = key_id.clone();
    let rotate = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        pending.set(true);
        desk.set_busy(true);
        let key_id = ordered_key.clone();
        let input = RotateInput {
            grace_seconds: grace.get_untracked().parse().ok(),
            grace_starts: Some(starts.get_untracked()),
            not_after: None,
        };
        spawn_local(async move {
            match remote::answer(rotate_key(key_id.clone(), input)).await {
                Ok(rotated) => {
                    desk.reveal(Revealed {
                        of: SecretOf::Key(rotated.key_id.to_string()),
                        note: Some(fate_of_old(&rotated)),
                        secret: rotated.token,
                    });
                }
                Err(error) => {
                    desk.set_busy(false);
                    pending.try_set(false);
                    if error == AppError::NoAnswer {
                        desk.changed();
                        lost.try_set(Some(Lost::Rotation { key_id }));
                        browser::focus_lost_to(vec!["dialog h2".to_owned()]);
                    } else {
                        errors.show(error);
                    }
                }
            }
        });
    };
    let graces = GRACES.map(|(seconds, label)| (seconds.to_string(), label.to_owned()));
    let begins = STARTS.map(|(start, label)| (start.into_str().to_owned(), label.to_owned()));
    let consequence = Signal::derive(move || {
        let waits = starts.get() == GraceStart::FirstUse.into_str();
        match (waits, grace.get() == "0") {
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
        .to_owned()
    });
    view! {
        <Modal heading_id="rotate-heading" heading="Rotate key" on_dismiss=close>
            {move || lost.get().map(|lost_order| view! {
                <LostAnswer lost=lost_order on_back=Callback::new(move |()| lost.set(None))/>
            })}
            <form hidden=move || lost.get().is_some() on:submit=move |event| { event.prevent_default(); rotate() }>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                <p>
                    "A new key with the same scopes, rate and end takes the place of " <code>{key_id}</code>
                    " of " <bdi>{key.partner_name}</bdi> ". Its token is shown once."
                </p>
                <ChoiceField
                    id="rotate-grace" label="The old key stops working" value=grace
                    options=graces.to_vec() hint=consequence
                />
                <ChoiceField
                    id="rotate-starts" label="Counted from" value=starts options=begins.to_vec()
                />
                <Actions label="Rotate" working="Rotating…" pending on_cancel=close/>
            </form>
        </Modal>
    }
}

/// When the old key stops working.
fn fate_of_old(rotated: &RotatedKey) -> String {
    let old = rotated.replaces.as_str();
    let end = told(rotated.retires_at);
    match rotated.grace_starts {
        GraceStart::Now => format!("The old key {old} stops working at {end}."),
        GraceStart::FirstUse => format!(
            "The time of the old key {old} runs from the new one's first use; it stops working at {end} at the latest."
        ),
    }
}
