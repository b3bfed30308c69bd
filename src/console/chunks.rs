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
use super::partners::notifications::page::NotificationsPage;
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

/// A chunk could not be loaded: the connection is lost, or the server has newer files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLoaded;

impl From<SplitLoaderError> for NotLoaded {
    fn from(_: SplitLoaderError) -> Self {
        Self
    }
}

/// A page of the chunk `pages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LazyPage {
    /// The second step of a sign-in.
    Code,
    /// A key.
    Key,
    /// The partners.
    Partners,
    /// The notifications of a partner.
    Notifications,
    /// The audit log.
    Audit,
    /// The settings.
    Settings,
    /// The style guide.
    #[cfg(feature = "styleguide")]
    Styleguide,
}

#[wasm_split(pages, fallible, preload(
    /// Loads the chunk `pages`.
    load_pages
))]
fn draw_page(page: LazyPage) -> Result<AnyView, NotLoaded> {
    Ok(match page {
        LazyPage::Code => view! { <CodePage/> }.into_any(),
        LazyPage::Key => view! { <KeyPage/> }.into_any(),
        LazyPage::Partners => view! { <PartnersPage/> }.into_any(),
        LazyPage::Notifications => view! { <NotificationsPage/> }.into_any(),
        LazyPage::Audit => view! { <AuditPage/> }.into_any(),
        LazyPage::Settings => view! { <SettingsPage/> }.into_any(),
        #[cfg(feature = "styleguide")]
        LazyPage::Styleguide => view! { <StyleguidePage/> }.into_any(),
    })
}

#[wasm_split(dialogs, fallible, preload(
    /// Loads the chunk `dialogs`.
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

/// Renders a dialog, once its chunk is loaded.
pub async fn dialog(dialog: OpenDialog) -> Result<AnyView, NotLoaded> {
    draw_dialog(dialog).await
}

/// Prefetches both chunks; if one fails, its use fetches it again.
pub async fn fetch_ahead() {
    let _ = load_dialogs().await;
    let _ = load_pages().await;
}

/// Loads what hydrating the page at this path needs; returns whether that worked. Otherwise the page stays
/// as the server rendered it.
pub async fn can_hydrate(path: &str) -> bool {
    let is_first = [crate::domain::routes::KEYS, crate::domain::routes::LOGIN].contains(&path);
    is_first || load_pages().await.is_ok()
}

impl ChooseView for LazyPage {
    async fn choose(self) -> AnyView {
        #[cfg(feature = "ssr")]
        leptos::prefetch_lazy_fn_on_server("pages");
        match draw_page(self).await {
            Ok(page) => page,
            Err(NotLoaded) => {
                view! { <h1 tabindex="-1">"Not loaded"</h1> <NotLoadedAlert/> }.into_any()
            }
        }
    }

    async fn preload(&self) {
        let _ = load_pages().await;
    }
}

/// Says that a chunk did not load, and offers to reload the page.
#[component]
pub fn NotLoadedAlert() -> impl IntoView {
    view! {
        <div class="alert error" role="alert">
            <Icon glyph=Glyph::Alert/>
            <p>"This part of the console could not be loaded: the connection was lost, or the server was updated."</p>
            <button class="button small" type="button" on:click=|_| super::shell::browser::reload()>"Reload the page"</button>
        </div>
    }
}
