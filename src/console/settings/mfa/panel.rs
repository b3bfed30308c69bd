//! The operator's own second factor.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::number::number;
use crate::console::kit::time::RelativeTime;
use crate::console::settings::mfa::server_fns::FactorPage;
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;

/// The state of the second factor, and its actions.
#[component]
pub fn FactorPanel(page: FactorPage) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    let FactorPage { now, factor } = page;
    let button = move |id: &'static str, class: &'static str, label: &'static str, dialog| {
        let dialog: OpenDialog = dialog;
        view! {
            <button
                class=class type="button" id=id disabled=move || !hydrated.done()
                on:click=move |_| host.open(dialog.clone())
            >{label}</button>
        }
    };
    let left = factor.recovery_codes_left;
    let body = match factor.since {
        None => view! {
            <p>"You sign in with your password only. admin:* keys, bulk actions, webhooks and operators require a second factor."</p>
            <div class="row wrap">
                {button("set-up-factor", "button primary", "Set up second factor", OpenDialog::SetUpFactor)}
            </div>
        }
        .into_any(),
        Some(since) => view! {
            <p>
                <Icon glyph=Glyph::Shield/> " Set up " <RelativeTime id="factor-since".to_owned() at=Some(since) now/>
                ". Recovery codes left: " <strong>{move || number(left)}</strong> "."
            </p>
            <div class="row wrap">
                {button("renew-codes", "button", "New recovery codes", OpenDialog::RenewCodes)}
                {button("remove-factor", "button danger-quiet", "Remove second factor", OpenDialog::RemoveFactor)}
            </div>
        }
        .into_any(),
    };
    view! {
        <section class="panel" aria-labelledby="factor-heading">
            <h2 id="factor-heading">"Your second factor"</h2>
            <p class="lead">"An authenticator app shows a code that is required at sign-in and for critical actions."</p>
            {body}
        </section>
    }
}
