//! The form of an order about many keys.

use leptos::prelude::*;
use leptos::task::spawn_local;
use strum::VariantArray;

use super::dialog::BulkStart;
use crate::console::keys::rotate_dialog::{GRACES, STARTS};
use crate::console::kit::field::{ChoiceField, FieldNote, FormErrors, TextField};
use crate::console::partners::server_fns::choose_partners;
use crate::console::shell::browser;
use crate::console::shell::remote;
use crate::domain::bulk::BulkAction;
use crate::domain::bulk_input::{BulkRevokeInput, BulkRotateInput, SelectionInput};
use crate::domain::grace::GraceStart;
use crate::domain::key::RevocationReason;
use crate::domain::list::ChoiceInput;

const BY_PARTNER: &str = "partner";
const BY_LIST: &str = "list";

/// What is typed and chosen so far.
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
    /// The fields whose errors stand beside them.
    pub const FIELDS: [&'static str; 4] = [
        "select.partnerId",
        "select.olderThanDays",
        "select.keyIds",
        "note",
    ];

    /// A draft as the dialog begins with it.
    #[must_use]
    pub fn new(start: &BulkStart) -> Self {
        let (action, partner_id, due) = match start {
            BulkStart::Form(partner_id, due) => (BulkAction::Rotate, partner_id.clone(), *due),
            BulkStart::RevokeAllOf(partner_id, _) => {
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

    /// What shall be done.
    #[must_use]
    pub fn action(self) -> BulkAction {
        self.action
            .get_untracked()
            .parse()
            .unwrap_or(BulkAction::Rotate)
    }

    /// Which keys are meant.
    #[must_use]
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
        // A number that is not finished reads as empty: it must not widen the order.
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

    /// The order to rotate these keys.
    #[must_use]
    pub fn rotation(self, select: Option<SelectionInput>) -> BulkRotateInput {
        BulkRotateInput {
            select,
            grace_seconds: self.grace.get_untracked().parse().ok(),
            grace_starts: Some(self.starts.get_untracked()),
        }
    }

    /// The order to revoke these keys.
    #[must_use]
    pub fn revocation(self, select: Option<SelectionInput>) -> BulkRevokeInput {
        BulkRevokeInput {
            select,
            reason: Some(self.reason.get_untracked()),
            note: Some(self.note.get_untracked()).filter(|note| !note.trim().is_empty()),
        }
    }
}

/// Its fields.
#[component]
pub fn BulkFields(
    /// What is typed and chosen.
    draft: BulkDraft,
    /// What is wrong with it.
    errors: FormErrors,
) -> impl IntoView {
    let option = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    let actions = vec![option("rotate", "Rotate"), option("revoke", "Revoke")];
    let ways = vec![
        option(BY_PARTNER, "By partner and age"),
        option(BY_LIST, "From a list of key IDs"),
    ];
    let by_list = move || draft.by.get() == BY_LIST;
    let revokes = move || draft.action.get() == BulkAction::Revoke.into_str();
    let ids_error = errors.of("select.keyIds");
    view! {
        <ChoiceField id="bulk-action" label="What to do" value=draft.action options=actions/>
        <ChoiceField id="bulk-by" label="Which keys" value=draft.by options=ways/>
        <div hidden=by_list>
            <PartnerOfMany draft errors/>
            <TextField
                id="bulk-days" label="Older than (days, optional)" kind="number" value=draft.days
                error=errors.of("select.olderThanDays") hint="Counted from when the key was made."
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
            <FieldNote id="bulk-ids" error=ids_error hint="Up to 500, one on a line or with commas between."/>
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
            hint="An hour at least: should the new tokens get lost, nobody is cut off at once."
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

/// The partner whose keys are meant; all partners at first.
#[component]
fn PartnerOfMany(draft: BulkDraft, errors: FormErrors) -> impl IntoView {
    let partners = RwSignal::new(Vec::<(String, String)>::new());
    let more = RwSignal::new(false);
    let search = RwSignal::new(String::new());
    let error = errors.of("select.partnerId");
    let read = move || {
        let asked = search.get_untracked();
        let query = ChoiceInput {
            q: Some(asked.clone()).filter(|text| !text.trim().is_empty()),
            chosen: Some(draft.partner_id.get_untracked()).filter(|id| !id.is_empty()),
        };
        spawn_local(async move {
            let outcome = remote::answer(choose_partners(query)).await;
            // An answer to an older search is dropped.
            if search.try_get_untracked() != Some(asked) {
                return;
            }
            match outcome {
                Ok(found) => {
                    let named = |partner: crate::domain::partner::PartnerChoice| {
                        (partner.partner_id.to_string(), partner.name)
                    };
                    more.try_update(|more| *more |= found.more);
                    partners.try_set(found.partners.into_iter().map(named).collect());
                }
                Err(error) => errors.show(error),
            }
        });
    };
    Effect::new(move |first: Option<()>| {
        if first.is_none() {
            read();
        }
    });
    view! {
        <div class="field">
            <label for="bulk-partner">"Partner"</label>
            <Show when=move || more.get()>
                <input
                    class="above" type="search" aria-label="Find a partner" placeholder="Find a partner by name"
                    prop:value=search
                    on:input=move |event| { search.set(event_target_value(&event)); read() }
                />
            </Show>
            <select
                id="bulk-partner"
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby="bulk-partner-note"
                on:change=move |event| draft.partner_id.set(event_target_value(&event))
            >
                <option value="" prop:selected=move || draft.partner_id.get().is_empty()>"All partners"</option>
                <For each=move || partners.get() key=|(id, _)| id.clone() let((id, name))>
                    {
                        let this = id.clone();
                        view! {
                            <option value=id prop:selected=move || draft.partner_id.get() == this>{name}</option>
                        }
                    }
                </For>
            </select>
            <FieldNote id="bulk-partner" error/>
        </div>
    }
}
