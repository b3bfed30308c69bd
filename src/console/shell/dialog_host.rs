//! The one dialog that may be open. It outlives the page that opened it: a revealed token stays on the
//! screen while the page behind it changes.

use chrono::{DateTime, Utc};
use leptos::ev;
use leptos::prelude::*;
use uuid::Uuid;

use crate::console::keys::bulk::dialog::BulkStart;
use crate::console::shell::browser;
use crate::console::shell::refresh::Refresh;
use crate::domain::bulk::ManyRotated;
use crate::domain::key::KeyView;
use crate::domain::operator::Operator;
use crate::domain::partner::Partner;
use crate::domain::secret::Secret;
use crate::domain::webhook::Webhook;

/// The open dialog.
#[derive(Clone)]
pub enum OpenDialog {
    /// None.
    Closed,
    /// Issue a key, for the partner with this id if there is one.
    Issue(Option<String>),
    /// Edit a key.
    EditKey(KeyView),
    /// Rotate a key.
    Rotate(KeyView),
    /// Change the grace period of a retiring key, as read at this server time.
    Grace(KeyView, DateTime<Utc>),
    /// Revoke a key.
    Revoke(KeyView),
    /// Undo a key's revocation.
    Restore(KeyView),
    /// Rotate or revoke keys in bulk.
    Bulk(BulkStart),
    /// Reveal a new secret.
    Reveal(Revealed),
    /// Reveal the tokens of a bulk rotation.
    RevealMany(ManyRotated),
    /// Create a partner, or edit one.
    EditPartner(Option<Partner>),
    /// Activate or deactivate a partner.
    SwitchPartner(Partner),
    /// Create a webhook for the partner with this id and name.
    NewWebhook(Uuid, String),
    /// Delete a webhook.
    DeleteWebhook(Webhook),
    /// Create an operator.
    NewOperator,
    /// Change an operator's role or right to sign in.
    EditOperator(Operator),
    /// Set another operator's password.
    ResetPassword(Operator),
    /// Remove another operator's second factor.
    RemoveFactorOf(Operator),
    /// Set up the operator's own second factor.
    SetUpFactor,
    /// Reveal new recovery codes.
    RevealCodes(Vec<Secret>),
    /// Generate new recovery codes.
    RenewCodes,
    /// Remove the operator's own second factor.
    RemoveFactor,
    /// Change the operator's own password.
    Password,
    /// List the keyboard shortcuts.
    Shortcuts,
}

/// A new secret. It exists here while it is shown, and nowhere else.
#[derive(Clone)]
pub struct Revealed {
    /// What the secret is for.
    pub of: SecretOf,
    /// A token or a webhook's signing secret.
    pub secret: Secret,
    /// What happens to the old key, after a rotation.
    pub note: Option<String>,
}

/// What a secret is for.
#[derive(Clone)]
pub enum SecretOf {
    /// The token of the key with this id.
    Key(String),
    /// The signing secret of the webhook with this URL.
    Webhook(String),
}

/// The open dialog, and the message that the last one left.
#[derive(Clone, Copy)]
pub struct DialogHost {
    /// The number of dialogs opened so far, and the open one.
    open: RwSignal<(u32, OpenDialog)>,
    busy: RwSignal<bool>,
    message: RwSignal<String>,
    return_to: RwSignal<Option<String>>,
    refresh: Refresh,
}

impl DialogHost {
    /// Creates the host and puts it into the context.
    pub fn provide(refresh: Refresh) -> Self {
        let host = Self {
            open: RwSignal::new((0, OpenDialog::Closed)),
            busy: RwSignal::new(false),
            message: RwSignal::new(String::new()),
            return_to: RwSignal::new(None),
            refresh,
        };
        provide_context(host);
        // Effects run in the browser only.
        Effect::new(move || {
            let before_unload = window_event_listener(ev::beforeunload, move |event| {
                if host.must_stay() {
                    event.prevent_default();
                }
            });
            // The back/forward cache must not keep a secret.
            let page_hide = window_event_listener(ev::pagehide, move |_| {
                if host.shows_a_secret() {
                    host.switch_to(OpenDialog::Closed);
                }
            });
            on_cleanup(move || {
                before_unload.remove();
                page_hide.remove();
            });
        });
        host
    }

    /// The open dialog, with a number that no other dialog has had.
    pub fn current(self) -> (u32, OpenDialog) {
        self.open.get()
    }

    fn switch_to(self, dialog: OpenDialog) {
        self.open.update(|open| *open = (open.0 + 1, dialog));
    }

    /// Opens a dialog. Once all are closed, the focus returns to where it was.
    pub fn open(self, dialog: OpenDialog) {
        if self.is_free() {
            self.return_to.set(browser::focus::focused_id());
        }
        self.message.set(String::new());
        self.switch_to(dialog);
    }

    /// The handle of the dialog that is being rendered: a late answer may close only its own dialog.
    pub fn handle(self) -> DialogHandle {
        let number = self.open.with_untracked(|open| open.0);
        DialogHandle { host: self, number }
    }

    /// Reveals a secret, and reloads the lists behind it.
    pub fn reveal(self, revealed: Revealed) {
        self.reveal_in(OpenDialog::Reveal(revealed));
    }

    /// Reveals the tokens of a bulk rotation.
    pub fn reveal_many(self, rotated: ManyRotated) {
        self.reveal_in(OpenDialog::RevealMany(rotated));
    }

    /// Reveals recovery codes.
    pub fn reveal_codes(self, codes: Vec<Secret>) {
        self.reveal_in(OpenDialog::RevealCodes(codes));
    }

    fn reveal_in(self, dialog: OpenDialog) {
        self.busy.set(false);
        self.switch_to(dialog);
        self.changed();
    }

    /// Returns a lost focus to what opened the dialog, or to the page's heading: the row with the
    /// button may have been rendered again.
    pub fn restore_focus(self) {
        if let Some(id) = self.return_to.get_untracked() {
            browser::focus::restore(vec![format!("[id=\"{id}\"]"), "main h1".to_owned()]);
        }
    }

    /// Keeps the dialog open while a request for a secret is under way.
    pub fn set_busy(self, busy: bool) {
        self.busy.set(busy);
    }

    /// Closes the dialog of a page that is left, unless it shows a secret or waits for one.
    pub fn leave_page(self) {
        if !self.must_stay() {
            self.switch_to(OpenDialog::Closed);
        }
        self.message.set(String::new());
        self.return_to.set(None);
    }

    fn close(self, message: String) {
        self.busy.set(false);
        self.switch_to(OpenDialog::Closed);
        self.message.set(message);
        self.restore_focus();
    }

    fn must_stay(self) -> bool {
        self.busy.get_untracked() || self.reveals_a_secret()
    }

    fn reveals_a_secret(self) -> bool {
        self.open.with_untracked(|open| {
            matches!(
                open.1,
                OpenDialog::Reveal(_) | OpenDialog::RevealMany(_) | OpenDialog::RevealCodes(_)
            )
        })
    }

    /// The enrolment secret of a second factor may be lost, as the next attempt generates another; but
    /// the browser must not keep it.
    fn shows_a_secret(self) -> bool {
        self.reveals_a_secret()
            || self
                .open
                .with_untracked(|open| matches!(open.1, OpenDialog::SetUpFactor))
    }

    /// True if no dialog is open.
    pub fn is_free(self) -> bool {
        self.open
            .with_untracked(|open| matches!(open.1, OpenDialog::Closed))
    }

    /// Reloads the lists after a change made here.
    pub fn changed(self) {
        self.refresh.after_own_change();
    }

    /// Shows a message of a change made without a dialog, and reloads the lists.
    pub fn report(self, message: impl Into<String>) {
        self.message.set(message.into());
        self.changed();
    }

    /// The message of the last change.
    pub fn message(self) -> Signal<String> {
        self.message.into()
    }
}

/// A dialog that can close itself.
#[derive(Clone, Copy)]
pub struct DialogHandle {
    host: DialogHost,
    number: u32,
}

impl DialogHandle {
    /// Closes the dialog with a message. If another one is open by now, only the message is shown.
    pub fn close(self, message: impl Into<String>) {
        let is_open = self.host.open.with_untracked(|open| open.0 == self.number);
        if is_open {
            self.host.close(message.into());
        } else {
            self.host.message.set(message.into());
        }
    }
}
