//! The frame of every page: the product's name, the tabs, the signed-in operator.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::console::kit::icon::{Glyph, Icon};
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::session::{OperatorResource, SessionActions};
use crate::domain::routes;

/// The frame around a page.
#[component]
pub fn Frame(operator: OperatorResource, children: Children) -> impl IntoView {
    let sign_out = expect_context::<SessionActions>().sign_out;
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    view! {
        <a class="skip-link" href="#main">"Skip to content"</a>
        <header class="topbar">
            <span class="brand"><span class="mark"><Icon glyph=Glyph::Shield/></span>"MyProof " <span class="brand-light">"Registry"</span></span>
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    operator.await.map(|operator| view! {
                        <nav class="tabs" aria-label="Console">
                            <A href=routes::KEYS>"API Keys / Rotation"</A>
                            <A href=routes::PARTNERS>"Partners"</A>
                            <A href=routes::AUDIT>"Audit log"</A>
                            <A href=routes::SETTINGS>"Settings"</A>
                        </nav>
                        <div class="who">
                            <span class="who-mail">{operator.email}</span>
                            <span class="chip">{operator.role.into_str()}</span>
                            <button
                                class="button quiet small" type="button" id="change-password"
                                disabled=move || !hydrated.done()
                                on:click=move |_| host.open(OpenDialog::Password)
                            >"Change password"</button>
                            <ActionForm action=sign_out>
                                <button class="button small" type="submit">"Sign out"</button>
                            </ActionForm>
                        </div>
                    })
                })}
            </Suspense>
        </header>
        <main id="main" class="page" tabindex="-1">
            {children()}
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    operator.await.is_some().then(|| view! {
                        <footer class="page-foot">
                            <button
                                class="button quiet small" type="button" id="show-shortcuts"
                                disabled=move || !hydrated.done()
                                on:click=move |_| host.open(OpenDialog::Shortcuts)
                            >"Keyboard shortcuts"</button>
                        </footer>
                    })
                })}
            </Suspense>
        </main>
    }
}
