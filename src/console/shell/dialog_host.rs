//! The one dialog that may be open, above whichever page is shown: a token that was revealed
//! stays on the screen though the page behind it changes.

use chrono::{DateTime, Utc};
use leptos::ev;
use leptos::prelude::*;
use uuid::Uuid;

use crate::console::keys::bulk::dialog::BulkStart;
use crate::console::shell::browser;
use crate::domain::bulk::ManyRotated;
use crate::domain::key::KeyView;
use crate::domain::operator::Operator;
use crate::domain::partner::Partner;
use crate::domain::secret::Secret;
use crate::domain::webhook::Webhook;

/// What is open.
#[derive(Clone)]
pub enum OpenDialog {
    /// Nothing.
    Closed,
    /// Issue a key, for this partner if one is chosen already.
    Issue(Option<String>),
    /// Change a key's name, environment, rate and end.
    EditKey(KeyView),
    /// Rotate a key.
    Rotate(KeyView),
    /// Change the grace of a retiring key, as it was at this time of the server's.
    Grace(KeyView, DateTime<Utc>),
    /// Revoke a key.
    Revoke(KeyView),
    /// Undo a key's revocation.
    Restore(KeyView),
    /// Rotate or revoke many keys.
    Bulk(BulkStart),
    /// The token that was just made.
    Reveal(Revealed),
    /// The tokens that were just made.
    RevealMany(ManyRotated),
    /// Make a partner, or change one.
    EditPartner(Option<Partner>),
    /// Activate a partner, or deactivate it.
    SwitchPartner(Partner),
    /// Make a webhook for the partner with this id and name.
    NewWebhook(Uuid, String),
    /// Delete a webhook.
    DeleteWebhook(Webhook),
    /// Make an operator.
    NewOperator,
    /// Change what an operator may do.
    EditOperator(Operator),
    /// Set an operator's password.
    ResetPassword(Operator),
    /// Take the second factor of an operator who has lost it.
    RemoveFactorOf(Operator),
    /// Set up one's own second factor.
    SetUpFactor,
    /// The recovery codes that were just made.
    RevealCodes(Vec<Secret>),
    /// Make new recovery codes.
    RenewCodes,
    /// Take one's own second factor away.
    RemoveFactor,
    /// Change one's own password.
    Password,
    /// The keyboard's shortcuts.
    Shortcuts,
}

/// A secret that was just made. It is here while it is shown, and nowhere else.
#[derive(Clone)]
pub struct Revealed {
    /// What it opens.
    pub of: SecretOf,
    /// A token, or what notices are signed with.
    pub secret: Secret,
    /// What has become of the old key, if there is one.
    pub note: Option<String>,
}

/// What a secret opens.
#[derive(Clone)]
pub enum SecretOf {
    /// The registry, to whoever has the token of the key with this id.
    Key(String),
    /// The signatures of the notices to the webhook at this address.
    Webhook(String),
}

/// What dialogs and pages share.
#[derive(Clone, Copy)]
pub struct Desk {
    /// How many dialogs were opened so far, and the one that is.
    open: RwSignal<(u32, OpenDialog)>,
    busy: RwSignal<bool>,
    changes: RwSignal<u32>,
    notice: RwSignal<String>,
    return_to: RwSignal<Option<String>>,
}

impl Desk {
    /// Makes the desk and puts it into the context.
    pub fn provide() -> Self {
        let desk = Self {
            open: RwSignal::new((0, OpenDialog::Closed)),
            busy: RwSignal::new(false),
            changes: RwSignal::new(0),
            notice: RwSignal::new(String::new()),
            return_to: RwSignal::new(None),
        };
        provide_context(desk);
        // Effects run in the browser alone.
        Effect::new(move || {
            let leaving = window_event_listener(ev::beforeunload, move |event| {
                if desk.holds_a_token() {
                    event.prevent_default();
                }
            });
            // A page that the browser keeps for "Back" must keep no token.
            let left = window_event_listener(ev::pagehide, move |_| {
                if desk.shows_a_secret() {
                    desk.switch_to(OpenDialog::Closed);
                }
            });
            on_cleanup(move || {
                leaving.remove();
                left.remove();
            });
        });
        desk
    }

    /// What is open, with a number that no other dialog has had.
    #[must_use]
    pub fn open_now(self) -> (u32, OpenDialog) {
        self.open.get()
    }

    fn switch_to(self, dialog: OpenDialog) {
        self.open.update(|open| *open = (open.0 + 1, dialog));
    }

    /// Opens a dialog. Once all are closed, the focus goes back to where it was.
    pub fn open(self, dialog: OpenDialog) {
        if self.is_free() {
            self.return_to.set(browser::focused_id());
        }
        self.notice.set(String::new());
        self.switch_to(dialog);
    }

    /// The dialog that is being drawn. Its answers come late: it may only close itself.
    #[must_use]
    pub fn this_dialog(self) -> ThisDialog {
        let number = self.open.with_untracked(|open| open.0);
        ThisDialog { desk: self, number }
    }

    /// Shows a token, and has the lists read again behind it.
    pub fn reveal(self, revealed: Revealed) {
        self.show_secrets(OpenDialog::Reveal(revealed));
    }

    /// The same for many tokens.
    pub fn reveal_many(self, rotated: ManyRotated) {
        self.show_secrets(OpenDialog::RevealMany(rotated));
    }

    /// The same for recovery codes.
    pub fn reveal_codes(self, codes: Vec<Secret>) {
        self.show_secrets(OpenDialog::RevealCodes(codes));
    }

    fn show_secrets(self, dialog: OpenDialog) {
        self.busy.set(false);
        self.switch_to(dialog);
        self.changed();
    }

    /// Gives a lost focus back to what opened the dialog, or to the page's heading: the row that
    /// had the button may be drawn anew.
    pub fn restore_focus(self) {
        if let Some(id) = self.return_to.get_untracked() {
            browser::focus_lost_to(vec![format!("[id=\"{id}\"]"), "main h1".to_owned()]);
        }
    }

    /// While an order that makes a token is under way, nothing may close its dialog.
    pub fn set_busy(self, busy: bool) {
        self.busy.set(busy);
    }

    /// The page is left: what is open goes with it, but for a token that is shown or on its way.
    pub fn leave_page(self) {
        if !self.holds_a_token() {
            self.switch_to(OpenDialog::Closed);
        }
        self.notice.set(String::new());
        self.return_to.set(None);
    }

    fn closed(self, notice: String) {
        self.busy.set(false);
        self.switch_to(OpenDialog::Closed);
        self.notice.set(notice);
        self.restore_focus();
    }

    fn holds_a_token(self) -> bool {
        self.busy.get_untracked() || self.shows_a_token()
    }

    fn shows_a_token(self) -> bool {
        self.open.with_untracked(|open| {
            matches!(
                open.1,
                OpenDialog::Reveal(_) | OpenDialog::RevealMany(_) | OpenDialog::RevealCodes(_)
            )
        })
    }

    /// The secret of a factor that is being set up is lost with the page, and a new one is made next time:
    /// no reason to keep anybody here, but for the page not to be kept.
    fn shows_a_secret(self) -> bool {
        self.shows_a_token()
            || self
                .open
                .with_untracked(|open| matches!(open.1, OpenDialog::SetUpFactor))
    }

    /// Whether no dialog is open.
    #[must_use]
    pub fn is_free(self) -> bool {
        self.open
            .with_untracked(|open| matches!(open.1, OpenDialog::Closed))
    }

    /// Has the lists read again.
    pub fn changed(self) {
        self.changes.update(|changes| *changes += 1);
    }

    /// Counts the changes: what a list depends on.
    #[must_use]
    pub fn changes(self) -> RwSignal<u32> {
        self.changes
    }

    /// Says what was done, without a dialog, and has the lists read again.
    pub fn say(self, notice: impl Into<String>) {
        self.notice.set(notice.into());
        self.changed();
    }

    /// What the last dialog did.
    #[must_use]
    pub fn notice(self) -> Signal<String> {
        self.notice.into()
    }
}

/// A dialog, as it closes itself.
#[derive(Clone, Copy)]
pub struct ThisDialog {
    desk: Desk,
    number: u32,
}

impl ThisDialog {
    /// Closes the dialog, with a line that says what it did. Where another one is open by now, that
    /// one stays, and only the line is shown.
    pub fn close(self, notice: impl Into<String>) {
        let is_open = self.desk.open.with_untracked(|open| open.0 == self.number);
        if is_open {
            self.desk.closed(notice.into());
        } else {
            self.desk.notice.set(notice.into());
        }
    }
}
