//! The filter of lists by partner.

use leptos::prelude::*;

use super::picker::{Offer, PartnerPicker, PartnerSearch};
use crate::console::kit::filters::ChoiceFilter;
use crate::console::partners::server_fns::choose_partners;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::refresh::Refresh;
use crate::domain::list::ChoiceInput;

const ID: &str = "filter-partnerId";
const LABEL: &str = "Partner filter";

/// The picker; until hydration a plain select of the first partners and the chosen one.
#[component]
pub fn PartnerFilter(
    /// The id of the chosen partner.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// Another partner is chosen, or none.
    on_choice: Callback<Option<String>>,
) -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let hydrated = expect_context::<Hydrated>();
    let search = PartnerSearch::new(Offer::AllOrOne);
    let first = Resource::new_blocking(
        || (),
        move |()| {
            choose_partners(ChoiceInput {
                q: None,
                chosen: value.get_untracked(),
            })
        },
    );
    // Partners that were created or renamed are looked up again, and so is one that only the URL names.
    Effect::new(move |before: Option<u32>| {
        let (chosen, version) = (value.get(), refresh.version().get());
        let is_known = untrack(|| {
            search
                .name_of(chosen.as_deref().unwrap_or_default())
                .is_some()
        });
        if before.is_some_and(|before| before != version || !is_known) {
            // A search in an open list continues.
            let text = Some(search.text()).filter(|_| is_known).unwrap_or_default();
            let chosen = chosen.filter(|_| text.is_empty());
            search.look_up(text, chosen);
        }
        version
    });
    let chosen = Signal::derive(move || value.get().unwrap_or_default());
    let options = Signal::derive(move || search.suggestions().choices);
    let on_pick =
        Callback::new(move |id: String| on_choice.run(Some(id).filter(|id| !id.is_empty())));
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                if let Ok(choices) = first.await {
                    search.take(String::new(), choices);
                }
                view! {
                    <Show
                        when=move || hydrated.done()
                        fallback=move || view! { <ChoiceFilter label=LABEL name="partnerId" value options on_choice/> }
                    >
                        <div class="filter">
                            <label for=ID>{LABEL}</label>
                            <PartnerPicker id=ID chosen search on_choice=on_pick/>
                        </div>
                    </Show>
                }
            })}
        </Suspense>
    }
}
