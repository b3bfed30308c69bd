//! Filters of a list. They stand in the URL, and they are a plain form, so that they work without
//! WASM; with it a choice acts at once and a search once the typing pauses.

use std::sync::Arc;
use std::time::Duration;

use leptos::ev::SubmitEvent;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use leptos_router::params::ParamsMap;

/// Returns a query parameter. A form without WASM sends every field: an empty one counts as absent.
#[must_use]
pub fn chosen(query: &ParamsMap, name: &str) -> Option<String> {
    query.get(name).filter(|text| !text.is_empty())
}

/// How long a pause in typing ends a search text.
const PAUSE: Duration = Duration::from_millis(300);

/// Goes to an address of this page; `true` replaces the present entry of the history, as each
/// letter of a search would otherwise be a step back.
pub type Go = Arc<dyn Fn(String, bool) + Send + Sync>;

/// How a list's filters go to an address.
#[must_use]
pub fn use_go() -> Go {
    let navigate = use_navigate();
    Arc::new(move |address, replace| {
        let options = NavigateOptions {
            replace,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&address, options);
    })
}

/// A filter that offers a few values.
#[component]
pub fn ChoiceFilter(
    /// Its label.
    label: &'static str,
    /// Its name in the URL.
    name: &'static str,
    /// What the URL says.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// The values with what they are called; the first one chooses nothing.
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

/// The field that a list is searched with.
#[component]
pub fn SearchFilter(
    /// Its label.
    label: &'static str,
    /// What the URL says.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// What is searched for now, and whether it goes on from the text before.
    on_search: Callback<(Option<String>, bool)>,
    /// The text in the field.
    text: RwSignal<String>,
    /// Its name in the URL.
    #[prop(default = "q")]
    name: &'static str,
) -> impl IntoView {
    // What this field has asked for itself: the URL's answer to it changes nothing here, since
    // more may have been typed meanwhile.
    let asked = StoredValue::new(None::<String>);
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
        if asked.try_update_value(Option::take).flatten() != Some(value.clone().unwrap_or_default())
        {
            stop();
            typing.set_value(false);
            text.set(value.unwrap_or_default());
        }
    });
    let search = move || {
        let wanted = text.get_untracked().trim().to_owned();
        if wanted != value.get_untracked().unwrap_or_default() {
            asked.set_value(Some(wanted.clone()));
            let goes_on = typing.get_value();
            typing.set_value(true);
            on_search.run((Some(wanted).filter(|text| !text.is_empty()), goes_on));
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

/// A filter by a moment, to the minute, in UTC.
#[component]
pub fn MomentFilter(
    /// Its label.
    label: &'static str,
    /// Its name in the URL.
    name: &'static str,
    /// What the URL says: as the field writes it, or in RFC 3339.
    #[prop(into)]
    value: Signal<Option<String>>,
    /// Another moment is chosen.
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

/// The form around a list's filters. Enter acts at once.
#[component]
pub fn FilterForm(
    /// Where it leads without WASM.
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
