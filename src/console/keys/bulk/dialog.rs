//! The dialog for bulk actions: which keys, a preview, and the action.

use leptos::prelude::*;

use super::form::{BulkDraft, BulkFields};
use super::preview::Previewed;
use crate::console::keys::bulk::server_fns::{preview_bulk, revoke_many, rotate_many};
use crate::console::keys::unknown_outcome::UnknownOutcome;
use crate::console::kit::field::TextField;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogFrame, DialogText, Submission, SubmissionForm};
use crate::domain::bulk::{BulkAction, BulkPreview, ManyRotated, Progress};
use crate::domain::bulk_input::{
    BulkPreviewInput, BulkRevokeInput, BulkRotateInput, SelectionInput,
};
use crate::domain::error::{AppError, AppResult};

/// What the dialog begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkStart {
    /// The form.
    Form {
        /// The id of the partner that is chosen at first.
        partner_id: Option<String>,
        /// True if only keys that are due for rotation are chosen at first.
        rotation_due: bool,
    },
    /// The preview of revoking all keys of a partner.
    RevokeAllOf {
        /// The partner's id.
        partner_id: String,
        /// The partner's name.
        name: String,
    },
}

/// The state of the dialog.
#[derive(Clone, Copy)]
struct Bulk {
    host: DialogHost,
    submission: Submission,
    draft: BulkDraft,
    preview: RwSignal<Option<BulkPreview>>,
    /// The number of secrets hashed so far, and of all.
    hashed: RwSignal<Option<(usize, usize)>>,
}

impl Bulk {
    fn load_preview(self) {
        let input = BulkPreviewInput {
            action: Some(self.draft.action().into_str().to_owned()),
            select: Some(self.draft.selection()),
        };
        let request = remote::answer(preview_bulk(input));
        self.submission.send(request, move |preview| {
            self.preview.try_set(Some(preview));
            browser::focus::restore(vec!["dialog h2".to_owned()]);
        });
    }

    /// Applies the action to exactly the keys of the preview.
    fn apply(self, key_ids: Vec<String>) {
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
        let request = async move {
            let outcome = self.follow_rotation(input).await;
            if outcome.is_err() {
                self.hashed.try_set(None);
            }
            outcome
        };
        let reveal = move |rotated| self.host.reveal_many(rotated);
        let on_no_answer = Some(UnknownOutcome::Many { key_ids });
        self.submission
            .submit_for_secret(request, reveal, on_no_answer);
    }

    async fn follow_rotation(self, input: BulkRotateInput) -> AppResult<ManyRotated> {
        let mut outcome = Err(AppError::NoAnswer);
        let stream = remote::answer(rotate_many(input)).await?;
        remote::read_lines(stream, |progress| match progress {
            Progress::Hashed(done, of) => {
                self.hashed.try_set(Some((done, of)));
            }
            Progress::Done(rotated) => outcome = Ok(rotated),
            Progress::Failed(error) => outcome = Err(error),
        })
        .await?;
        outcome
    }

    fn revoke(self, input: BulkRevokeInput) {
        self.submission.submit(async move {
            let done = remote::answer(revoke_many(input)).await?;
            let keys = keys(done.revoked.len());
            let skipped = match done.left_out.len() {
                0 => String::new(),
                count => format!(" {count} were skipped."),
            };
            Ok(format!("Revoked {keys}.{skipped}"))
        });
    }
}

/// Asks which keys, shows a preview, and applies the action.
#[component]
pub fn BulkDialog(start: BulkStart) -> impl IntoView {
    let bulk = Bulk {
        host: expect_context::<DialogHost>(),
        submission: Submission::new(),
        draft: BulkDraft::new(&start),
        preview: RwSignal::new(None),
        hashed: RwSignal::new(None),
    };
    let Bulk {
        submission,
        draft,
        preview,
        ..
    } = bulk;
    let whole_partner = match start {
        BulkStart::Form { .. } => None,
        BulkStart::RevokeAllOf { name, .. } => Some(name),
    };
    let skips_form = whole_partner.is_some();
    let heading = if skips_form {
        "Revoke all keys"
    } else {
        HEADING
    };
    Effect::new(move |first: Option<()>| {
        if first.is_none() && skips_form {
            bulk.load_preview();
        }
    });
    let on_submit = Callback::new(move |()| bulk.load_preview());
    let whole_partner = StoredValue::new(whole_partner);
    view! {
        <DialogFrame id=ID heading submission fields=&BulkDraft::FIELDS>
            <div hidden=move || preview.get().is_some()>
                <SubmissionForm text=button("Preview", "Loading…") submission on_submit>
                    {if skips_form {
                        view! { <p class="loading" role="status">"Loading the keys…"</p> }.into_any()
                    } else {
                        view! { <BulkFields draft errors=submission.errors/> }.into_any()
                    }}
                </SubmissionForm>
            </div>
            {move || preview.get().map(|preview| view! {
                <Confirm bulk preview whole_partner=whole_partner.get_value()/>
            })}
        </DialogFrame>
    }
}

const ID: &str = "bulk-heading";
const HEADING: &str = "Bulk actions";

const fn button(submit: &'static str, pending: &'static str) -> DialogText {
    DialogText {
        id: ID,
        heading: HEADING,
        submit,
        pending,
        danger: false,
    }
}

/// The preview, and the button that applies the action.
#[component]
fn Confirm(
    bulk: Bulk,
    preview: BulkPreview,
    /// The name of the partner all of whose keys are revoked.
    whole_partner: Option<String>,
) -> impl IntoView {
    let Bulk { submission, .. } = bulk;
    let action = bulk.draft.action();
    let count = preview.keys.len();
    let skips_form = whole_partner.is_some();
    let key_ids: Vec<String> = preview
        .keys
        .iter()
        .map(|key| key.key_id.to_string())
        .collect();
    // A revocation stops calls immediately: it needs more than a click.
    let (expected, label) = match (action, whole_partner) {
        (BulkAction::Rotate, _) => (None, ""),
        (BulkAction::Revoke, Some(name)) => (Some(name), "Type the partner's name to confirm"),
        (BulkAction::Revoke, None) => (
            Some(count.to_string()),
            "Type the number of keys to confirm",
        ),
    };
    let typed = RwSignal::new(String::new());
    let mistyped = RwSignal::new(None::<String>);
    let is_confirmed = expected.is_some();
    let apply = move || {
        if let Some(expected) = &expected
            && typed.with_untracked(|typed| typed.trim() != expected.trim())
        {
            mistyped.set(Some(format!("must be: {expected}")));
            browser::focus::first_invalid_field();
            return;
        }
        mistyped.set(None);
        bulk.apply(key_ids.clone());
    };
    let back = (!skips_form).then(|| view! { <BackButton bulk/> });
    let content = view! {
        <Previewed action preview/>
        {(count > 0 && is_confirmed).then(|| view! {
            <TextField id="bulk-confirm" label value=typed error=mistyped/>
        })}
        {move || bulk.hashed.get().map(|(done, of)| view! {
            <p class="progress" role="status">
                <progress max=of.to_string() value=done.to_string() aria-label="Secrets hashed"></progress>
                <span>{done} " of " {of} " secrets hashed"</span>
            </p>
        })}
        {back}
    };
    if count == 0 {
        return view! {
            {content}
            <div class="actions">
                <button class="button" type="button" on:click=move |_| submission.cancel()>"Close"</button>
            </div>
        }
        .into_any();
    }
    let text = match action {
        BulkAction::Rotate => button("Rotate", "Rotating…"),
        BulkAction::Revoke => DialogText {
            danger: true,
            ..button("Revoke", "Revoking…")
        },
    };
    let on_submit = Callback::new(move |()| apply());
    view! { <SubmissionForm text submission on_submit>{content}</SubmissionForm> }.into_any()
}

#[component]
fn BackButton(bulk: Bulk) -> impl IntoView {
    let Bulk {
        submission,
        preview,
        ..
    } = bulk;
    let back = move |_| {
        submission.errors.clear();
        preview.set(None);
    };
    view! {
        <button
            class="button small" type="button" disabled=move || submission.pending.get() on:click=back
        >"Choose other keys"</button>
    }
}

/// "1 key", "2 keys".
pub fn keys(count: usize) -> String {
    match count {
        1 => "1 key".to_owned(),
        _ => format!("{count} keys"),
    }
}
