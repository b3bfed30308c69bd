//! Choosing the partner of a new key.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::form::PartnerOnTheSpot;
use crate::console::kit::field::{FieldNote, FormErrors};
use crate::console::partners::server_fns::choose_partners;
use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::browser;
use crate::console::shell::remote;
use crate::console::shell::remote::ServerTime;
use crate::domain::error::AppError;
use crate::domain::list::ChoiceInput;
use crate::domain::partner::{Partner, PartnerChoice, PartnerChoices};

/// A combobox of partners, read when it is first shown, with a way to make one on the spot and,
/// where there are more than it can hold, to search.
#[component]
pub fn PartnerField(
    /// The chosen partner's id.
    chosen: RwSignal<String>,
    /// The server's time when the partners were read.
    seen_at: RwSignal<Option<ServerTime>>,
    /// What is wrong with it.
    errors: FormErrors,
) -> impl IntoView {
    let choices = RwSignal::new(None::<Result<PartnerChoices, AppError>>);
    let search = RwSignal::new(String::new());
    let with_form = RwSignal::new(false);
    let made = RwSignal::new(Vec::<PartnerChoice>::new());
    let read = move || {
        let query = ChoiceInput {
            q: Some(search.get_untracked()).filter(|text| !text.trim().is_empty()),
            chosen: Some(chosen.get_untracked()).filter(|id| !id.is_empty()),
        };
        spawn_local(async move {
            let asked = query.q.clone().unwrap_or_default();
            let outcome = remote::answer(choose_partners(query)).await;
            // An answer to an older search is dropped.
            if search
                .try_get_untracked()
                .is_none_or(|text| text.trim() != asked.trim())
            {
                return;
            }
            if let Ok(found) = &outcome {
                seen_at.try_set(Some(ServerTime::told(found.now)));
            }
            choices.try_set(Some(outcome));
        });
    };
    Effect::new(move |first: Option<()>| {
        if first.is_none() {
            read();
        }
    });
    let created = Callback::new(move |partner: Partner| {
        made.update(|made| made.push(PartnerChoice::from(&partner)));
        chosen.set(partner.partner_id.to_string());
        with_form.set(false);
        browser::focus_lost_to(vec!["#key-partner".to_owned()]);
    });
    // What was made here stays on offer, whatever an answer to an older question says.
    let found = Memo::new(move |_| {
        let read = match choices.get() {
            Some(Ok(found)) => found.partners,
            _ => Vec::new(),
        };
        let is_read = |partner: &PartnerChoice| {
            read.iter()
                .any(|known| known.partner_id == partner.partner_id)
        };
        let mut all: Vec<PartnerChoice> = made
            .get()
            .into_iter()
            .filter(|partner| !is_read(partner))
            .collect();
        all.extend(read.iter().cloned());
        all.retain(|partner| partner.active);
        all
    });
    // An order never goes to a partner that nobody sees.
    Effect::new(move || {
        let is_read = choices.with(|choices| matches!(choices, Some(Ok(_))));
        let id = chosen.get();
        let is_offered = found.with(|found| {
            found
                .iter()
                .any(|partner| partner.partner_id.to_string() == id)
        });
        if is_read && !id.is_empty() && !is_offered {
            chosen.set(String::new());
        }
    });
    let more = move || matches!(choices.get(), Some(Ok(found)) if found.more);
    let error = errors.of("partnerId");
    view! {
        <div class="field">
            <label for="key-partner">"Partner"</label>
            {move || match choices.get() {
                Some(Err(error)) => Some(view! { <ErrorNotice error on_retry=Callback::new(move |()| read())/> }),
                _ => None,
            }}
            <Show when=more>
                <input
                    class="above" type="search" aria-label="Find a partner" placeholder="Find a partner by name"
                    prop:value=search
                    on:input=move |event| { search.set(event_target_value(&event)); read() }
                />
            </Show>
            <div class="row">
                <select
                    id="key-partner"
                    aria-invalid=move || error.get().is_some().then_some("true")
                    aria-describedby="key-partner-note"
                    on:change=move |event| chosen.set(event_target_value(&event))
                >
                    <option value="" prop:selected=move || chosen.get().is_empty()>
                        {move || if choices.get().is_none() { "Loading partners…" } else { "Choose a partner" }}
                    </option>
                    <For
                        each=move || found.get()
                        key=|partner| partner.partner_id
                        let:partner
                    >
                        <option
                            value=partner.partner_id.to_string()
                            prop:selected=move || chosen.get() == partner.partner_id.to_string()
                        >
                            {partner.name.clone()}
                        </option>
                    </For>
                </select>
                <button
                    class="button"
                    type="button"
                    aria-expanded=move || with_form.get().to_string()
                    on:click=move |_| with_form.update(|shown| *shown = !*shown)
                >
                    "New partner"
                </button>
            </div>
            <FieldNote id="key-partner" error/>
        </div>
        {move || with_form.get().then(|| view! { <PartnerOnTheSpot on_created=created/> })}
    }
}
