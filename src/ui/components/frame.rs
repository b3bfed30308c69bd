//! The frame around every page: the product's name, the tabs, who is signed in.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::ui::links;
use crate::ui::session::{OperatorResource, SessionActions};

/// Wraps a page.
#[component]
pub fn Frame(
    /// Who is signed in.
    operator: OperatorResource,
    /// The page.
    children: Children,
) -> impl IntoView {
    let sign_out = expect_context::<SessionActions>().sign_out;
    view! {
        <a class="skip-link" href="#main">"Skip to the content"</a>
        <header class="topbar">
            <span class="brand">"MyProof " <span class="brand-light">"Registry"</span></span>
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    operator.await.ok().flatten().map(|operator| view! {
                        <nav class="tabs" aria-label="Console">
                            <A href=links::KEYS>"API Keys / Rotation"</A>
                        </nav>
                        <span class="who" title=operator.role.as_str()>{operator.email}</span>
                        <ActionForm action=sign_out>
                            <button class="button quiet" type="submit">"Sign out"</button>
                        </ActionForm>
                    })
                })}
            </Suspense>
        </header>
        <main id="main" class="page">
            {children()}
        </main>
    }
}
