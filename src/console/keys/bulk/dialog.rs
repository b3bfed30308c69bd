//! The dialog that rotates or revokes many keys: which ones, what that would do, and doing it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::form::{BulkDraft, BulkFields};
use super::preview::Previewed;
use crate::console::keys::bulk::server_fns::{preview_bulk, revoke_many, rotate_many};
use crate::console::keys::unknown_outcome::{Lost, LostAnswer};
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{FormErrors, TextField};
use crate::console::shell::browser;
use crate::console::shell::dialog_host::{Desk, ThisDialog};
use crate::console::shell::remote;
use crate::console::shell::step_up::Refused;
use crate::console::shell::submission::Order;
use crate::domain::bulk::{BulkAction, BulkPreview, Progress};
use crate::domain::bulk_input::{
    BulkPreviewInput, BulkRevokeInput, BulkRotateInput, SelectionInput,
};
use crate::domain::error::AppError;

/// What the dialog begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkStart {
    /// A form, for this partner's keys if one is chosen already, and for those that are due for
    /// rotation if these are.
    Form(Option<String>, bool),
    /// All keys of one partner shall be revoked: its id and its name.
    RevokeAllOf(String, String),
}

/// Where the order is.
#[derive(Clone, Copy)]
struct Stage {
    desk: Desk,
    this: ThisDialog,
    draft: BulkDraft,
    preview: RwSignal<Option<BulkPreview>>,
    /// How many secrets are hashed, and of how many.
    hashed: RwSignal<Option<(usize, usize)>>,
    pending: RwSignal<bool>,
    lost: RwSignal<Option<Lost>>,
    errors: FormErrors,
}

impl Stage {
    fn close(self) {
        if !self.pending.get_untracked() {
            self.this.close("");
        }
    }

    /// Asks what the order would do.
    fn look(self) {
        if self.pending.get_untracked() {
            return;
        }
        self.errors.clear();
        let input = BulkPreviewInput {
            action: Some(self.draft.action().into_str().to_owned()),
            select: Some(self.draft.selection()),
        };
        self.pending.set(true);
        spawn_local(async move {
            let outcome = remote::answer(preview_bulk(input)).await;
            self.pending.try_set(false);
            match outcome {
                Ok(preview) => {
                    self.preview.try_set(Some(preview));
                    browser::focus_lost_to(vec!["dialog h2".to_owned()]);
                }
                Err(error) => self.errors.show(error),
            }
        });
    }

    /// Gives the order for exactly the keys that the preview shows.
    fn order(self, key_ids: Vec<String>) {
        if self.pending.get_untracked() {
            return;
        }
        self.errors.clear();
        self.pending.set(true);
        let select = Some(SelectionInput {
            key_ids: Some(key_ids.clone()),
            ..SelectionInput::default()
        });
        match self.draft.action() {
            BulkAction::Rotate => self.rotate(key_ids, self.draft.rotation(select)),
            BulkAction::Revoke => self.revoke(self.draft.revocation(select)),
        }
    }

    fn rotate(self, key_ids: Vec<String>, input: BulkRotateInput) {
        self.desk.set_busy(true);
        spawn_local(async move {
            let mut outcome = Err(AppError::NoAnswer);
            let followed = async {
                let told = remote::answer(rotate_many(input)).await?;
                remote::follow(told, |progress| match progress {
                    Progress::Hashed(done, of) => {
                        self.hashed.try_set(Some((done, of)));
                    }
                    Progress::Done(rotated) => outcome = Ok(rotated),
                    Progress::Failed(error) => outcome = Err(error),
                })
                .await
            };
            let followed = followed.await;
            match followed.and(outcome) {
                Ok(rotated) => self.desk.reveal_many(rotated),
                Err(error) => {
                    self.desk.set_busy(false);
                    self.hashed.try_set(None);
                    self.pending.try_set(false);
                    if error == AppError::NoAnswer {
                        self.desk.changed();
                        self.lost.try_set(Some(Lost::Many { key_ids }));
                        browser::focus_lost_to(vec!["dialog h2".to_owned()]);
                    } else {
                        self.errors.show(error);
                    }
                }
            }
        });
    }

    fn revoke(self, input: BulkRevokeInput) {
        let order = Order::of(self.desk, self.this, self.pending, self.errors);
        // Revoking twice does no harm, so a lost answer needs nothing but another try.
        order.give(async move {
            let done = remote::answer(revoke_many(input)).await?;
            let keys = keys(done.revoked.len());
            let left = match done.left_out.len() {
                0 => String::new(),
                left => format!(" {left} stayed as they were."),
            };
            Ok(format!("Revoked {keys}.{left}"))
        });
    }
}

/// Asks which keys, shows what would happen to them, and does it.
#[component]
pub fn BulkDialog(
    /// What it begins with.
    start: BulkStart,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let whole_partner = match &start {
        BulkStart::Form(..) => None,
        BulkStart::RevokeAllOf(_, name) => Some(name.clone()),
    };
    let stage = Stage {
        desk,
        this: desk.this_dialog(),
        draft: BulkDraft::new(&start),
        preview: RwSignal::new(None),
        hashed: RwSignal::new(None),
        pending: RwSignal::new(false),
        lost: RwSignal::new(None),
        errors: FormErrors::new(),
    };
    let beside = stage.errors.beside(&BulkDraft::FIELDS);
    let close = Callback::new(move |()| stage.close());
    let heading = match start {
        BulkStart::Form(..) => "Rotate or revoke many keys",
        BulkStart::RevokeAllOf(..) => "Revoke all keys",
    };
    // There is nothing to choose for a whole partner: the preview comes at once.
    let skips_form = whole_partner.is_some();
    Effect::new(move |first: Option<()>| {
        if first.is_none() && skips_form {
            stage.look();
        }
    });
    let back = (!skips_form).then_some(Callback::new(move |()| {
        stage.errors.clear();
        stage.preview.set(None);
    }));
    let whole_partner = StoredValue::new(whole_partner);
    view! {
        <Modal heading_id="bulk-heading" heading on_dismiss=close>
            {move || stage.lost.get().map(|lost| view! {
                <LostAnswer lost on_back=Callback::new(move |()| stage.lost.set(None))/>
            })}
            <div hidden=move || stage.lost.get().is_some()>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                <form
                    novalidate hidden=move || stage.preview.get().is_some()
                    on:submit=move |event| { event.prevent_default(); stage.look() }
                >
                    {if skips_form {
                        view! { <p class="loading" role="status">"Looking for the keys…"</p> }.into_any()
                    } else {
                        view! { <BulkFields draft=stage.draft errors=stage.errors/> }.into_any()
                    }}
                    <Actions label="Preview" working="Looking…" pending=stage.pending on_cancel=close/>
                </form>
                {move || stage.preview.get().map(|preview| view! {
                    <Confirm stage preview whole_partner=whole_partner.get_value() back/>
                })}
            </div>
        </Modal>
    }
}

/// What the order would do, and the button that gives it.
#[component]
fn Confirm(
    stage: Stage,
    preview: BulkPreview,
    /// The name of the partner whose keys these all are.
    whole_partner: Option<String>,
    back: Option<Callback<()>>,
) -> impl IntoView {
    let action = stage.draft.action();
    let count = preview.keys.len();
    let key_ids: Vec<String> = preview
        .keys
        .iter()
        .map(|key| key.key_id.to_string())
        .collect();
    // A revocation stops somebody's calls at once: it is confirmed by more than a click.
    let (asked_for, label) = match (action, whole_partner) {
        (BulkAction::Rotate, _) => (None, ""),
        (BulkAction::Revoke, Some(name)) => (Some(name), "Type the partner's name to confirm"),
        (BulkAction::Revoke, None) => (
            Some(count.to_string()),
            "Type the number of keys to confirm",
        ),
    };
    let typed = RwSignal::new(String::new());
    let mistyped = RwSignal::new(None::<String>);
    let expected = asked_for.clone();
    let submit = move || {
        if let Some(expected) = &expected
            && typed.with_untracked(|typed| typed.trim() != expected.trim())
        {
            mistyped.set(Some(format!("must be: {expected}")));
            browser::focus_first_fault();
            return;
        }
        mistyped.set(None);
        stage.order(key_ids.clone());
    };
    let close = Callback::new(move |()| stage.close());
    let (label_of_button, working) = match action {
        BulkAction::Rotate => ("Rotate", "Rotating…"),
        BulkAction::Revoke => ("Revoke", "Revoking…"),
    };
    let nothing = count == 0;
    view! {
        <form novalidate on:submit=move |event| { event.prevent_default(); submit() }>
            <Previewed action preview/>
            {(!nothing && asked_for.is_some()).then(|| view! {
                <TextField id="bulk-confirm" label value=typed error=mistyped/>
            })}
            {move || stage.hashed.get().map(|(done, of)| view! {
                <p class="progress" role="status">
                    <progress max=of.to_string() value=done.to_string() aria-label="Secrets hashed"></progress>
                    <span>{done} " of " {of} " secrets hashed"</span>
                </p>
            })}
            {back.map(|back| view! {
                <button
                    class="button small" type="button" disabled=move || stage.pending.get()
                    on:click=move |_| back.run(())
                >"Choose other keys"</button>
            })}
            {if nothing {
                view! {
                    <div class="actions">
                        <button class="button" type="button" on:click=move |_| close.run(())>"Close"</button>
                    </div>
                }
                .into_any()
            } else {
                view! {
                    <Actions
                        label=label_of_button working pending=stage.pending
                        danger=action == BulkAction::Revoke on_cancel=close
                    />
                }
                .into_any()
            }}
        </form>
    }
}

/// So many keys, in words.
pub fn keys(count: usize) -> String {
    match count {
        1 => "1 key".to_owned(),
        _ => format!("{count} keys"),
    }
}
