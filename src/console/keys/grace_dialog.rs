//! The dialog that ends the grace of a retiring key, or has it last longer.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::retirement::Retirement;
use super::rotate_dialog::GRACES;
use crate::console::keys::server_fns::change_grace;
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{ChoiceField, FormErrors};
use crate::console::kit::time::told;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::remote;
use crate::console::shell::step_up::Refused;
use crate::domain::error::AppError;
use crate::domain::grace::GraceInput;
use crate::domain::key::{KeyStatus, KeyView};

/// Says whether the old key is still in use, and asks when it shall end.
#[component]
pub fn GraceDialog(
    /// The retiring key.
    key: KeyView,
    /// The server's time when the key was read.
    now: DateTime<Utc>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let grace = RwSignal::new("0".to_owned());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&[]);
    let key_id = key.key_id.to_string();
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let ordered_key = key_id.clone();
    let change = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        pending.set(true);
        let key_id = ordered_key.clone();
        let input = GraceInput {
            grace_seconds: grace.get_untracked().parse().ok(),
        };
        spawn_local(async move {
            // The same order twice does no harm, so a lost answer needs nothing but another try.
            match remote::answer(change_grace(key_id, input)).await {
                Ok(key) => {
                    desk.changed();
                    let id = &key.key_id;
                    this.close(match (key.status, key.retires_at) {
                        (KeyStatus::Retiring, Some(at)) => {
                            format!("{id} stops working at {}.", told(at))
                        }
                        _ => format!("{id} has stopped working."),
                    });
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
    let graces = GRACES.map(|(seconds, label)| (seconds.to_string(), label.to_owned()));
    let hint = match key.not_after {
        Some(end) => format!(
            "Counted from now, and never past its own end, {}.",
            told(end)
        ),
        None => "Counted from now.".to_owned(),
    };
    view! {
        <Modal heading_id="grace-heading" heading="Change grace" on_dismiss=close>
            <form on:submit=move |event| { event.prevent_default(); change() }>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                <p>
                    <code>{key_id}</code> " of " <bdi>{key.partner_name.clone()}</bdi>
                    " was rotated and still works."
                </p>
                <Retirement key=key.clone() now/>
                <ChoiceField id="grace-end" label="The old key stops working" value=grace options=graces.to_vec() hint/>
                <Actions label="Change" working="Changing…" pending on_cancel=close/>
            </form>
        </Modal>
    }
}
