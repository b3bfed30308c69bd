//! The filter of keys by their partner.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::filters::ChoiceFilter;
use crate::domain::list::ChoiceInput;
use crate::domain::partner::PartnerChoices;
use crate::rpc::partners::choose_partners;
use crate::ui::desk::Desk;
use crate::ui::remote;

/// Offers the partners by name, as many as one call gives, and always the chosen one. The others
/// are found by the search beside it.
#[component]
pub fn PartnerFilter(
    /// The chosen partner's id.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// Another partner is chosen.
    on_choice: Callback<Option<String>>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let read = |chosen| choose_partners(ChoiceInput { q: None, chosen });
    let first = Resource::new_blocking(|| (), move |()| read(value.get_untracked()));
    let options = RwSignal::new(options_of(None));
    // Partners that were made or renamed are read again, and so is one that is chosen by the
    // address alone. The field itself stays, and with it the focus.
    Effect::new(move |before: Option<u32>| {
        let (chosen, changes) = (value.get(), desk.changes().get());
        let is_known = options.with_untracked(|options| {
            let id = chosen.as_deref().unwrap_or_default();
            options.iter().any(|(known, _)| known == id)
        });
        if before.is_some_and(|before| before != changes || !is_known) {
            spawn_local(async move {
                if let Ok(found) = remote::answer(read(chosen.clone())).await
                    && value.try_get_untracked() == Some(chosen)
                {
                    options.try_set(options_of(Some(found)));
                }
            });
        }
        changes
    });
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                options.set(options_of(first.await.ok()));
                view! { <ChoiceFilter label="Partner filter" name="partnerId" value options on_choice/> }
            })}
        </Suspense>
    }
}

fn options_of(choices: Option<PartnerChoices>) -> Vec<(String, String)> {
    let mut options = vec![(String::new(), "All partners".to_owned())];
    for partner in choices.into_iter().flat_map(|choices| choices.partners) {
        let name = if partner.active {
            partner.name
        } else {
            format!("{} (deactivated)", partner.name)
        };
        options.push((partner.partner_id.to_string(), name));
    }
    options
}
