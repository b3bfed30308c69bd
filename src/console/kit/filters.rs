//! Filters of a list. They are in the URL, and in a plain form, so that they work without WASM; with
//! it a choice takes effect at once and a search after a pause in typing.

use std::time::Duration;

use leptos::ev::SubmitEvent;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

/// The pause in typing after which a search starts.
const PAUSE: Duration = Duration::from_millis(300);

/// How a navigation enters the browser's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryEntry {
    /// As a new entry.
    New,
    /// In place of the current entry: the letters of a search are not steps back.
    Replaced,
}

/// A filter that offers a few values.
#[component]
pub fn ChoiceFilter(
    /// Its label.
    label: &'static str,
    /// Its name in the URL.
    name: &'static str,
    /// The value in the URL.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// The values with their labels; the first one chooses nothing.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// Another value is chosen.
    on_choice: Callback<Option<String>>,
) -> impl IntoView {
    view! {
        <div class="filter">
            <label for=format!("filter-{name}")>{label}</label>
            <select
                id=format!("filter-{name}")
                name=name
                on:change=move |event| {
                    let chosen = event_target_value(&event);
                    on_choice.run(Some(chosen).filter(|text| !text.is_empty()));
                }
            >
                {move || options.get().into_iter().map(|(option, label)| {
                    let is_chosen = {
                        let option = option.clone();
                        move || value.get().unwrap_or_default() == option
                    };
                    view! {
                        <option value=option selected=is_chosen.clone() prop:selected=is_chosen>{label}</option>
                    }
                }).collect_view()}
            </select>
        </div>
    }
}

/// The search field of a list.
#[component]
pub fn SearchFilter(
    /// Its label.
    label: &'static str,
    /// The value in the URL.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// A text is searched for; one typed on from the last text replaces its history entry.
    on_search: Callback<(Option<String>, HistoryEntry)>,
    /// The text in the field.
    text: RwSignal<String>,
    /// Its name in the URL.
    #[prop(default = "q")]
    name: &'static str,
) -> impl IntoView {
    // The last search of this field. When the URL follows it, the field keeps its text: more may
    // have been typed meanwhile.
    let searched = StoredValue::new(None::<String>);
    let typing = StoredValue::new(false);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(handle) = timer.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    on_cleanup(stop);
    Effect::new(move |_| {
        let value = value.get();
        if searched.try_update_value(Option::take).flatten()
            != Some(value.clone().unwrap_or_default())
        {
            stop();
            typing.set_value(false);
            text.set(value.unwrap_or_default());
        }
    });
    let search = move || {
        let wanted = text.get_untracked().trim().to_owned();
        if wanted != value.get_untracked().unwrap_or_default() {
            searched.set_value(Some(wanted.clone()));
            let entry = match typing.get_value() {
                true => HistoryEntry::Replaced,
                false => HistoryEntry::New,
            };
            typing.set_value(true);
            on_search.run((Some(wanted).filter(|text| !text.is_empty()), entry));
        }
    };
    let typed = move |event| {
        text.set(event_target_value(&event));
        stop();
        timer.set_value(set_timeout_with_handle(search, PAUSE).ok());
    };
    view! {
        <div class="filter grow">
            <label for=format!("filter-{name}")>{label}</label>
            <input
                id=format!("filter-{name}") type="search" name=name value=value.get_untracked() maxlength="200"
                prop:value=text
                on:input=typed
                on:blur=move |_| typing.set_value(false)
            />
        </div>
    }
}

/// A filter by a time, to the minute, in UTC.
#[component]
pub fn MomentFilter(
    /// Its label.
    label: &'static str,
    /// Its name in the URL.
    name: &'static str,
    /// The value in the URL: as the field writes it, or in RFC 3339.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// Another time is chosen.
    on_choice: Callback<Option<String>>,
) -> impl IntoView {
    let to_the_minute = |text: Option<String>| {
        let text = text.unwrap_or_default();
        text.get(..16).map(str::to_owned).unwrap_or_default()
    };
    view! {
        <div class="filter">
            <label for=format!("filter-{name}")>{label}</label>
            <input
                id=format!("filter-{name}") type="datetime-local" name=name
                value=to_the_minute(value.get_untracked()) prop:value=move || to_the_minute(value.get())
                on:change=move |event| {
                    let chosen = event_target_value(&event);
                    on_choice.run(Some(chosen).filter(|text| !text.is_empty()));
                }
            />
        </div>
    }
}

/// The form around the filters of a list. Enter takes effect at once.
#[component]
pub fn FilterForm(
    /// Its target without WASM.
    #[prop(into)]
    action: String,
    /// Enter was pressed.
    on_submit: Callback<()>,
    /// The filters.
    children: Children,
) -> impl IntoView {
    view! {
        <form
            method="get" action=action class="filters" role="search"
            on:submit=move |event: SubmitEvent| { event.prevent_default(); on_submit.run(()) }
        >
            {children()}
            <button class="button without-script" type="submit">"Apply"</button>
        </form>
    }
}
