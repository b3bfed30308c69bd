//! The dialog that is open, whichever it is.

use leptos::prelude::*;

use super::chunks::{self, NotLoadedNotice};
use super::kit::dialog::Modal;
use super::shell::dialog_host::{Desk, OpenDialog};

/// Stands beside the pages, so that a dialog may outlive the page that opened it.
#[component]
pub fn Dialogs() -> impl IntoView {
    let desk = expect_context::<Desk>();
    // Keyed, so that each dialog is an element of its own and takes the focus when it opens.
    view! {
        <For each=move || [desk.open_now()] key=|(number, _)| *number let((_, dialog))>
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
    let this = expect_context::<Desk>().this_dialog();
    let close = Callback::new(move |()| this.close(""));
    view! {
        <Modal heading_id="not-loaded" heading="Not loaded" on_dismiss=close>
            <NotLoadedNotice/>
            <div class="actions">
                <button class="button" type="button" on:click=move |_| close.run(())>"Close"</button>
            </div>
        </Modal>
    }
}
