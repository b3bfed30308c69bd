//! The form of bulk actions.

use leptos::prelude::*;
use strum::VariantArray;

use super::dialog::BulkStart;
use crate::console::keys::rotate_dialog::{GRACES, STARTS};
use crate::console::kit::field::{ChoiceField, FieldNote, FormErrors, InputKind, TextField};
use crate::console::partners::field::PartnerField;
use crate::console::partners::picker::{Offer, PartnerSearch};
use crate::console::shell::browser;
use crate::domain::bulk::BulkAction;
use crate::domain::bulk_input::{BulkRevokeInput, BulkRotateInput, SelectionInput};
use crate::domain::grace::GraceStart;
use crate::domain::key::RevocationReason;

const BY_PARTNER: &str = "partner";
const BY_LIST: &str = "list";

/// The input so far.
#[derive(Clone, Copy)]
pub struct BulkDraft {
    action: RwSignal<String>,
    by: RwSignal<String>,
    partner_id: RwSignal<String>,
    days: RwSignal<String>,
    due: RwSignal<bool>,
    ids: RwSignal<String>,
    grace: RwSignal<String>,
    starts: RwSignal<String>,
    reason: RwSignal<String>,
    note: RwSignal<String>,
}

impl BulkDraft {
    /// Paths of the fields that show their own errors.
    pub const FIELDS: [&'static str; 4] = [
        "select.partnerId",
        "select.olderThanDays",
        "select.keyIds",
        "note",
    ];

    /// The input that the dialog begins with.
    pub fn new(start: &BulkStart) -> Self {
        let (action, partner_id, due) = match start {
            BulkStart::Form {
                partner_id,
                rotation_due,
            } => (BulkAction::Rotate, partner_id.clone(), *rotation_due),
            BulkStart::RevokeAllOf { partner_id, .. } => {
                (BulkAction::Revoke, Some(partner_id.clone()), false)
            }
        };
        let text = |text: &str| RwSignal::new(text.to_owned());
        Self {
            action: text(action.into_str()),
            by: text(BY_PARTNER),
            partner_id: RwSignal::new(partner_id.unwrap_or_default()),
            days: text(""),
            due: RwSignal::new(due),
            ids: text(""),
            grace: text("86400"),
            starts: text(GraceStart::FirstUse.into_str()),
            reason: text(RevocationReason::default().into_str()),
            note: text(""),
        }
    }

    /// The action.
    pub fn action(self) -> BulkAction {
        self.action
            .get_untracked()
            .parse()
            .unwrap_or(BulkAction::Rotate)
    }

    /// The selected keys.
    pub fn selection(self) -> SelectionInput {
        if self.by.get_untracked() == BY_LIST {
            let ids = self.ids.get_untracked();
            let ids = ids
                .split(|c: char| c.is_whitespace() || c == ',' || c == ';')
                .filter(|id| !id.is_empty());
            return SelectionInput {
                key_ids: Some(ids.map(str::to_owned).collect()),
                ..SelectionInput::default()
            };
        }
        // An incomplete number reads as empty, which would select more keys.
        let days = self.days.get_untracked();
        let unfinished = browser::is_unfinished("bulk-days");
        SelectionInput {
            key_ids: None,
            partner_id: Some(self.partner_id.get_untracked()).filter(|id| !id.is_empty()),
            older_than_days: (unfinished || !days.trim().is_empty())
                .then(|| days.trim().parse().unwrap_or(-1)),
            rotation_due: self.due.get_untracked().then_some(true),
        }
    }

    /// The request to rotate these keys.
    pub fn rotation(self, select: Option<SelectionInput>) -> BulkRotateInput {
        BulkRotateInput {
            select,
            grace_seconds: self.grace.get_untracked().parse().ok(),
            grace_starts: Some(self.starts.get_untracked()),
        }
    }

    /// The request to revoke these keys.
    pub fn revocation(self, select: Option<SelectionInput>) -> BulkRevokeInput {
        BulkRevokeInput {
            select,
            reason: Some(self.reason.get_untracked()),
            note: Some(self.note.get_untracked()).filter(|note| !note.trim().is_empty()),
        }
    }
}

/// The fields of a bulk action.
#[component]
pub fn BulkFields(draft: BulkDraft, errors: FormErrors) -> impl IntoView {
    let option = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    let actions = vec![option("rotate", "Rotate"), option("revoke", "Revoke")];
    let selections = vec![
        option(BY_PARTNER, "By partner and age"),
        option(BY_LIST, "From a list of key IDs"),
    ];
    let by_list = move || draft.by.get() == BY_LIST;
    let revokes = move || draft.action.get() == BulkAction::Revoke.into_str();
    let ids_error = errors.of("select.keyIds");
    view! {
        <ChoiceField id="bulk-action" label="What to do" value=draft.action options=actions/>
        <ChoiceField id="bulk-by" label="Which keys" value=draft.by options=selections/>
        <div hidden=by_list>
            <PartnerField
                id="bulk-partner" chosen=draft.partner_id search=PartnerSearch::new(Offer::AllOrOne)
                error=errors.of("select.partnerId")
            />
            <TextField
                id="bulk-days" label="Older than (days, optional)" kind=InputKind::Number value=draft.days
                error=errors.of("select.olderThanDays") hint="Counted from the key's creation."
            />
            <div class="field">
                <div class="check">
                    <input
                        type="checkbox" id="bulk-due" prop:checked=draft.due
                        on:change=move |event| draft.due.set(event_target_checked(&event))
                    />
                    <label for="bulk-due">"Only keys that are due for rotation"</label>
                </div>
            </div>
        </div>
        <div class="field" hidden=move || !by_list()>
            <label for="bulk-ids">"Key IDs"</label>
            <textarea
                id="bulk-ids" rows="5" spellcheck="false" autocomplete="off"
                aria-invalid=move || ids_error.get().is_some().then_some("true")
                aria-describedby="bulk-ids-note"
                on:input=move |event| draft.ids.set(event_target_value(&event))
            ></textarea>
            <FieldNote id="bulk-ids" error=ids_error hint="Up to 500, one a line or separated by commas."/>
        </div>
        <div hidden=revokes><RotationFields draft/></div>
        <div hidden=move || !revokes()><RevocationFields draft errors/></div>
    }
}

#[component]
fn RotationFields(draft: BulkDraft) -> impl IntoView {
    let graces = GRACES
        .into_iter()
        .filter(|(seconds, _)| *seconds > 0)
        .map(|(seconds, label)| (seconds.to_string(), label.to_owned()))
        .collect();
    let begins = STARTS.map(|(start, label)| (start.into_str().to_owned(), label.to_owned()));
    view! {
        <ChoiceField
            id="bulk-grace" label="The old keys stop working" value=draft.grace options=graces
            hint="At least an hour: if the new tokens get lost, nobody is cut off immediately."
        />
        <ChoiceField id="bulk-starts" label="Counted from" value=draft.starts options=begins.to_vec()/>
    }
}

#[component]
fn RevocationFields(draft: BulkDraft, errors: FormErrors) -> impl IntoView {
    let reasons = RevocationReason::VARIANTS.iter().map(|reason| {
        let name = reason.into_str();
        (name.to_owned(), name.replace('_', " "))
    });
    view! {
        <ChoiceField id="bulk-reason" label="Reason" value=draft.reason options=reasons.collect()/>
        <TextField id="bulk-note" label="Note (optional)" value=draft.note error=errors.of("note")/>
    }
}
