//! The partner of a dialog's form.

use leptos::prelude::*;

use super::form::PartnerOnTheSpot;
use super::picker::{PartnerPicker, PartnerSearch};
use crate::console::kit::field::FieldNote;
use crate::console::shell::alert::ErrorAlert;
use crate::console::shell::browser;
use crate::domain::partner::Partner;

/// A labelled picker of partners, which are looked up when it is first shown.
#[component]
pub fn PartnerField(
    id: &'static str,
    /// The id of the chosen partner; empty for none.
    chosen: RwSignal<String>,
    search: PartnerSearch,
    #[prop(into)] error: Signal<Option<String>>,
    /// A control beside the field.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let look_up = move || {
        let chosen = Some(chosen.get_untracked()).filter(|id| !id.is_empty());
        search.look_up(String::new(), chosen);
    };
    Effect::new(move |first: Option<()>| {
        if first.is_none() {
            look_up();
        }
    });
    let on_choice = Callback::new(move |id| chosen.set(id));
    let failure = search.error();
    view! {
        <div class="field">
            <label for=id>"Partner"</label>
            {move || failure.get().map(|error| view! {
                <ErrorAlert error on_retry=Callback::new(move |()| look_up())/>
            })}
            <div class="row">
                <PartnerPicker id chosen search on_choice error/>
                {children.map(|children| children())}
            </div>
            <FieldNote id error/>
        </div>
    }
}

/// The partner of a new key: an active one, or one created on the spot.
#[component]
pub fn ActivePartnerField(
    id: &'static str,
    /// The id of the chosen partner; empty for none.
    chosen: RwSignal<String>,
    search: PartnerSearch,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let with_form = RwSignal::new(false);
    let on_created = Callback::new(move |partner: Partner| {
        search.add(&partner);
        chosen.set(partner.partner_id.to_string());
        with_form.set(false);
        browser::focus::restore(vec![format!("#{id}")]);
    });
    // The partner that the URL names may not exist, or not be active.
    Effect::new(move || {
        if let Some(id) = search.unavailable()
            && chosen.get_untracked() == id
        {
            chosen.set(String::new());
        }
    });
    view! {
        <PartnerField id chosen search error>
            <button
                class="button" type="button" aria-expanded=move || with_form.get().to_string()
                on:click=move |_| with_form.update(|shown| *shown = !*shown)
            >"New partner"</button>
        </PartnerField>
        {move || with_form.get().then(|| view! { <PartnerOnTheSpot on_created/> })}
    }
}
