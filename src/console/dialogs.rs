//! The open dialog.

use leptos::prelude::*;

use super::chunks::{self, NotLoadedAlert};
use super::kit::dialog::Modal;
use super::shell::dialog_host::{DialogHost, OpenDialog};

/// Renders the open dialog beside the pages, so that it may outlive the page that opened it.
#[component]
pub fn Dialogs() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    // Keyed, so that each dialog is a new element, which takes the focus when it opens.
    view! {
        <For each=move || [host.current()] key=|(number, _)| *number let((_, dialog))>
            {match dialog {
                OpenDialog::Closed => ().into_any(),
                dialog => view! {
                    <Suspense fallback=|| ()>
                        {Suspend::new(async move {
                            match chunks::dialog(dialog).await {
                                Ok(dialog) => dialog,
                                Err(_) => view! { <NotLoaded/> }.into_any(),
                            }
                        })}
                    </Suspense>
                }.into_any(),
            }}
        </For>
    }
}

#[component]
fn NotLoaded() -> impl IntoView {
    let handle = expect_context::<DialogHost>().handle();
    let close = Callback::new(move |()| handle.close(""));
    view! {
        <Modal heading_id="not-loaded" heading="Not loaded" on_dismiss=close>
            <NotLoadedAlert/>
            <div class="actions">
                <button class="button" type="button" on:click=move |_| close.run(())>"Close"</button>
            </div>
        </Modal>
    }
}
