//! One's own second factor, with what can be done with it.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::number::number;
use crate::console::kit::time::RelativeTime;
use crate::console::settings::mfa::server_fns::FactorPage;
use crate::console::shell::dialog_host::{Desk, OpenDialog};
use crate::console::shell::hydration::Hydrated;

/// What there is, and the ways on.
#[component]
pub fn FactorPanel(
    /// The second factor of whoever looks at it.
    page: FactorPage,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let hydrated = expect_context::<Hydrated>();
    let FactorPage { now, factor } = page;
    let button = move |id: &'static str, class: &'static str, label: &'static str, dialog| {
        let dialog: OpenDialog = dialog;
        view! {
            <button
                class=class type="button" id=id disabled=move || !hydrated.done()
                on:click=move |_| desk.open(dialog.clone())
            >{label}</button>
        }
    };
    let left = factor.recovery_codes_left;
    let body = match factor.since {
        None => view! {
            <p>"You sign in by password alone. Keys that open everything, many keys at once, webhooks and operators need a second factor."</p>
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
            <p class="lead">"An app on your phone shows a code that is asked for at sign-in, and before what could do most harm."</p>
            {body}
        </section>
    }
}
