//! What the browser loads once it is wanted: every page but the tab and the sign-in, and every dialog. WASM
//! files beside the first one hold them, and what both need; the build cuts them out (`cargo leptos --split`) at the two
//! functions that are marked here.

use leptos::prelude::*;
use leptos_router::ChooseView;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

use super::audit::page::AuditPage;
use super::keys::bulk::dialog::BulkDialog;
use super::keys::bulk::tokens_reveal::TokensReveal;
use super::keys::edit_dialog::EditKeyDialog;
use super::keys::grace_dialog::GraceDialog;
use super::keys::issue_dialog::IssueDialog;
use super::keys::key_page::KeyPage;
use super::keys::restore_dialog::RestoreDialog;
use super::keys::revoke_dialog::RevokeDialog;
use super::keys::rotate_dialog::RotateDialog;
use super::keys::token_reveal::TokenReveal;
use super::kit::icon::{Glyph, Icon};
use super::partners::dialogs::{EditPartner, SwitchPartner};
use super::partners::notifications::page::NoticesPage;
use super::partners::notifications::webhook_dialogs::{DeleteWebhookDialog, NewWebhookDialog};
use super::partners::page::PartnersPage;
use super::settings::mfa::dialogs::{
    RecoveryCodes, RemoveFactorDialog, RemoveFactorOfDialog, RenewCodesDialog, SetUpFactorDialog,
};
use super::settings::operators::dialogs::{
    EditOperatorDialog, NewOperatorDialog, ResetPasswordDialog,
};
use super::settings::page::SettingsPage;
use super::settings::password_dialog::PasswordDialog;
use super::shell::dialog_host::OpenDialog;
use super::shell::shortcuts_dialog::ShortcutsDialog;
use super::sign_in::code_page::CodePage;
#[cfg(feature = "styleguide")]
use super::styleguide::StyleguidePage;

/// A file did not come: the connection is lost, or the server has newer ones by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLoaded;

impl From<SplitLoaderError> for NotLoaded {
    fn from(_: SplitLoaderError) -> Self {
        Self
    }
}

/// A page of the second file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaterPage {
    /// Where a sign-in goes on with the second factor.
    Code,
    /// A key.
    Key,
    /// The partners.
    Partners,
    /// A partner's webhooks and deliveries.
    Notices,
    /// The history.
    Audit,
    /// Policy, operators, own password.
    Settings,
    /// Every component in every state, for whoever works on them.
    #[cfg(feature = "styleguide")]
    Styleguide,
}

#[wasm_split(pages, fallible, preload(
    /// Loads the second file.
    ///
    /// # Errors
    /// [`SplitLoaderError`] where it does not come.
    load_pages
))]
fn draw_page(page: LaterPage) -> Result<AnyView, NotLoaded> {
    Ok(match page {
        LaterPage::Code => view! { <CodePage/> }.into_any(),
        LaterPage::Key => view! { <KeyPage/> }.into_any(),
        LaterPage::Partners => view! { <PartnersPage/> }.into_any(),
        LaterPage::Notices => view! { <NoticesPage/> }.into_any(),
        LaterPage::Audit => view! { <AuditPage/> }.into_any(),
        LaterPage::Settings => view! { <SettingsPage/> }.into_any(),
        #[cfg(feature = "styleguide")]
        LaterPage::Styleguide => view! { <StyleguidePage/> }.into_any(),
    })
}

#[wasm_split(dialogs, fallible, preload(
    /// Loads the third file.
    ///
    /// # Errors
    /// [`SplitLoaderError`] where it does not come.
    load_dialogs
))]
fn draw_dialog(dialog: OpenDialog) -> Result<AnyView, NotLoaded> {
    Ok(match dialog {
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
        OpenDialog::RemoveFactorOf(operator) => {
            view! { <RemoveFactorOfDialog operator/> }.into_any()
        }
        OpenDialog::SetUpFactor => view! { <SetUpFactorDialog/> }.into_any(),
        OpenDialog::RevealCodes(codes) => view! { <RecoveryCodes codes/> }.into_any(),
        OpenDialog::RenewCodes => view! { <RenewCodesDialog/> }.into_any(),
        OpenDialog::RemoveFactor => view! { <RemoveFactorDialog/> }.into_any(),
        OpenDialog::Password => view! { <PasswordDialog/> }.into_any(),
        OpenDialog::Shortcuts => view! { <ShortcutsDialog/> }.into_any(),
    })
}

/// Draws a dialog, once its file is there.
///
/// # Errors
/// [`NotLoaded`].
pub async fn dialog(dialog: OpenDialog) -> Result<AnyView, NotLoaded> {
    draw_dialog(dialog).await
}

/// Fetches both files ahead of their use; where one does not come, its use asks again.
pub async fn fetch_ahead() {
    let _ = load_dialogs().await;
    let _ = load_pages().await;
}

/// Has what is needed to take over the page at this path; whether it is there. Without it, the page stays
/// as the server drew it.
pub async fn can_take_over(path: &str) -> bool {
    let is_first = [crate::domain::routes::KEYS, crate::domain::routes::LOGIN].contains(&path);
    is_first || load_pages().await.is_ok()
}

impl ChooseView for LaterPage {
    async fn choose(self) -> AnyView {
        #[cfg(feature = "ssr")]
        leptos::prefetch_lazy_fn_on_server("pages");
        match draw_page(self).await {
            Ok(page) => page,
            Err(NotLoaded) => {
                view! { <h1 tabindex="-1">"Not loaded"</h1> <NotLoadedNotice/> }.into_any()
            }
        }
    }

    async fn preload(&self) {
        let _ = load_pages().await;
    }
}

/// Says that something did not load, and offers to load it all anew.
#[component]
pub fn NotLoadedNotice() -> impl IntoView {
    view! {
        <div class="notice error" role="alert">
            <Icon glyph=Glyph::Alert/>
            <p>"This part of the console could not be loaded: the connection was lost, or the server was renewed."</p>
            <button class="button small" type="button" on:click=|_| super::shell::browser::reload()>"Reload the page"</button>
        </div>
    }
}
