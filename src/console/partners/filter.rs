//! The filter of keys by their partner.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::combobox::{Choice, Combobox};
use crate::console::kit::filters::ChoiceFilter;
use crate::console::partners::server_fns::choose_partners;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote;
use crate::domain::list::ChoiceInput;
use crate::domain::partner::PartnerChoices;

const ID: &str = "filter-partnerId";
const LABEL: &str = "Partner filter";

/// Offers the partners by name: all of them where they are few, else those that fit what is typed.
/// The chosen one is always among them.
#[component]
pub fn PartnerFilter(
    /// The chosen partner's id.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// Another partner is chosen.
    on_choice: Callback<Option<String>>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let hydrated = expect_context::<Hydrated>();
    let read = |q, chosen| choose_partners(ChoiceInput { q, chosen });
    let first = Resource::new_blocking(|| (), move |()| read(None, value.get_untracked()));
    let found = RwSignal::new(None::<PartnerChoices>);
    // Whether there are more partners than a list of all can hold; an answer to a search tells nothing
    // of that.
    let many = RwSignal::new(false);
    // Whether those found are what fits a text.
    let searched = RwSignal::new(false);
    let turn = StoredValue::new(0_u64);
    let ask = move |q: Option<String>| {
        turn.update_value(|turn| *turn += 1);
        let mine = turn.get_value();
        let all = q.is_none();
        let call = read(q, value.get_untracked().filter(|_| all));
        spawn_local(async move {
            if let Ok(answer) = remote::answer(call).await
                && turn.try_get_value() == Some(mine)
            {
                if all {
                    many.try_set(answer.more);
                }
                searched.try_set(!all);
                found.try_set(Some(answer));
            }
        });
    };
    // Partners that were made or renamed are read again, and so is one that is chosen by the
    // address alone. The field itself stays, and with it the focus.
    Effect::new(move |before: Option<u32>| {
        let (chosen, changes) = (value.get(), desk.changes().get());
        let is_known =
            found.with_untracked(|found| name_of(found.as_ref(), chosen.as_deref()).is_some());
        if before.is_some_and(|before| before != changes || !is_known) {
            ask(None);
        }
        changes
    });
    // What is typed looks for a partner: Enter takes the first one that fits.
    let options = Signal::derive(move || {
        let mut options = found.with(|found| options_of(found.as_ref()));
        if searched.get() {
            options.remove(0);
        }
        options
    });
    let choose =
        Callback::new(move |id: String| on_choice.run(Some(id).filter(|id| !id.is_empty())));
    let on_text =
        Callback::new(move |text: String| ask(Some(text).filter(|text| !text.is_empty())));
    let chosen_name = RwSignal::new(String::new());
    Effect::new(move || {
        let chosen = value.get();
        // An answer to a search may leave the name out; what it was stays right.
        if let Some(name) = found.with(|found| name_of(found.as_ref(), chosen.as_deref())) {
            chosen_name.set(name);
        }
    });
    let more =
        Signal::derive(move || found.with(|found| found.as_ref().is_some_and(|found| found.more)));
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                let answer = first.await.ok();
                many.set(answer.as_ref().is_some_and(|answer| answer.more));
                found.set(answer);
                view! {
                    // A list of some is all that can be offered without WASM; the search beside it
                    // finds partners by name, too.
                    <Show
                        when=move || hydrated.done() && many.get()
                        fallback=move || view! { <ChoiceFilter label=LABEL name="partnerId" value options on_choice/> }
                    >
                        <div class="filter">
                            <label for=ID>{LABEL}</label>
                            <Combobox id=ID chosen=chosen_name options more on_text on_choice=choose/>
                        </div>
                    </Show>
                }
            })}
        </Suspense>
    }
}

const ALL: &str = "All partners";

/// What the chosen partner is called, as far as it is among those found.
fn name_of(found: Option<&PartnerChoices>, chosen: Option<&str>) -> Option<String> {
    let chosen = chosen.unwrap_or_default();
    let mut options = options_of(found).into_iter();
    options.find(|(id, _)| id == chosen).map(|(_, name)| name)
}

fn options_of(found: Option<&PartnerChoices>) -> Vec<Choice> {
    let mut options = vec![(String::new(), ALL.to_owned())];
    for partner in found.into_iter().flat_map(|found| &found.partners) {
        let name = if partner.active {
            partner.name.clone()
        } else {
            format!("{} (deactivated)", partner.name)
        };
        options.push((partner.partner_id.to_string(), name));
    }
    options
}
