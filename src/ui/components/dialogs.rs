//! The dialog that is open, whichever it is.

use leptos::prelude::*;

use super::bulk_dialog::BulkDialog;
use super::edit_dialog::EditKeyDialog;
use super::grace_dialog::GraceDialog;
use super::issue_dialog::IssueDialog;
use super::operator_dialogs::{EditOperatorDialog, NewOperatorDialog, ResetPasswordDialog};
use super::partner_dialogs::{EditPartner, SwitchPartner};
use super::password_dialog::PasswordDialog;
use super::restore_dialog::RestoreDialog;
use super::revoke_dialog::RevokeDialog;
use super::rotate_dialog::RotateDialog;
use super::shortcuts_dialog::ShortcutsDialog;
use super::token_reveal::TokenReveal;
use super::tokens_reveal::TokensReveal;
use super::webhook_dialogs::{DeleteWebhookDialog, NewWebhookDialog};
use crate::ui::desk::{Desk, OpenDialog};

/// Stands beside the pages, so that a dialog may outlive the page that opened it.
#[component]
pub fn Dialogs() -> impl IntoView {
    let desk = expect_context::<Desk>();
    // Keyed, so that each dialog is an element of its own and takes the focus when it opens.
    view! {
        <For each=move || [desk.open_now()] key=|(number, _)| *number let((_, dialog))>
            {match dialog {
                OpenDialog::Closed => ().into_any(),
                OpenDialog::Issue(partner_id) => view! { <IssueDialog partner_id/> }.into_any(),
                OpenDialog::EditKey(key) => view! { <EditKeyDialog key/> }.into_any(),
                OpenDialog::Rotate(key) => view! { <RotateDialog key/> }.into_any(),
                OpenDialog::Grace(key, now) => view! { <GraceDialog key now/> }.into_any(),
                OpenDialog::Restore(key) => view! { <RestoreDialog key/> }.into_any(),
                OpenDialog::Revoke(key) => view! { <RevokeDialog key/> }.into_any(),
                OpenDialog::Bulk(start) => view! { <BulkDialog start/> }.into_any(),
                OpenDialog::RevealMany(rotated) => view! { <TokensReveal rotated/> }.into_any(),
                OpenDialog::Reveal(revealed) => view! { <TokenReveal revealed/> }.into_any(),
                OpenDialog::EditPartner(partner) => view! { <EditPartner partner/> }.into_any(),
                OpenDialog::SwitchPartner(partner) => view! { <SwitchPartner partner/> }.into_any(),
                OpenDialog::NewWebhook(partner_id, partner_name) => {
                    view! { <NewWebhookDialog partner_id partner_name/> }.into_any()
                }
                OpenDialog::DeleteWebhook(webhook) => view! { <DeleteWebhookDialog webhook/> }.into_any(),
                OpenDialog::NewOperator => view! { <NewOperatorDialog/> }.into_any(),
                OpenDialog::EditOperator(operator) => view! { <EditOperatorDialog operator/> }.into_any(),
                OpenDialog::ResetPassword(operator) => view! { <ResetPasswordDialog operator/> }.into_any(),
                OpenDialog::Password => view! { <PasswordDialog/> }.into_any(),
                OpenDialog::Shortcuts => view! { <ShortcutsDialog/> }.into_any(),
            }}
        </For>
    }
}
