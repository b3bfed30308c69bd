//! A field that offers what fits the text typed into it (WAI-ARIA APG, editable combobox with list
//! autocomplete): the arrows go through the options, Enter takes one, Escape gives up.

use std::sync::Arc;
use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

/// How long a pause in typing ends a text.
const PAUSE: Duration = Duration::from_millis(200);

/// Something to choose: its value, and what it is called.
pub type Choice = (String, String);

/// The field with its list. What is typed is asked about once the typing pauses; `options` are the
/// answer to the last question.
#[component]
pub fn Combobox(
    /// Its id.
    id: &'static str,
    /// What the chosen value is called.
    #[prop(into)]
    chosen: Signal<String>,
    /// What can be chosen now.
    #[prop(into)]
    options: Signal<Vec<Choice>>,
    /// Whether there are more that fit than are offered.
    #[prop(into)]
    more: Signal<bool>,
    /// A text to find options for.
    on_text: Callback<String>,
    /// An option is chosen.
    on_choice: Callback<String>,
) -> impl IntoView {
    // None while nothing is typed: the field then shows what is chosen.
    let typed = RwSignal::new(None::<String>);
    let open = RwSignal::new(false);
    let active = RwSignal::new(0_usize);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(handle) = timer.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    on_cleanup(stop);
    let begin = move || {
        if !open.get_untracked() {
            active.set(0);
            open.set(true);
            on_text.run(String::new());
        }
    };
    let give_up = move || {
        stop();
        open.set(false);
        typed.set(None);
    };
    let take = move |at: usize| {
        let option = options.with_untracked(|options| options.get(at).cloned());
        give_up();
        if let Some((value, _)) = option {
            on_choice.run(value);
        }
    };
    let on_input = move |event| {
        let text = event_target_value(&event);
        typed.set(Some(text.clone()));
        active.set(0);
        open.set(true);
        stop();
        let ask = move || on_text.run(text.trim().to_owned());
        timer.set_value(set_timeout_with_handle(ask, PAUSE).ok());
    };
    let on_key = move |event: KeyboardEvent| {
        let last = options.with_untracked(Vec::len).saturating_sub(1);
        match (event.key().as_str(), open.get_untracked()) {
            ("ArrowDown" | "ArrowUp", false) => begin(),
            ("ArrowDown", true) => active.update(|at| *at = if *at >= last { 0 } else { *at + 1 }),
            ("ArrowUp", true) => active.update(|at| *at = at.checked_sub(1).unwrap_or(last)),
            ("Enter", true) => take(active.get_untracked()),
            ("Escape", true) => give_up(),
            _ => return,
        }
        event.prevent_default();
    };
    let option_id = move |at: usize| format!("{id}-option-{at}");
    let row = move |(at, (_, label)): (usize, Choice)| {
        let is_active = move || active.get() == at;
        view! {
            <li
                id=option_id(at) role="option" aria-selected=move || is_active().to_string()
                // The field would lose the focus, and with it the list.
                on:mousedown=move |event| event.prevent_default()
                on:click=move |_| take(at)
            ><bdi>{label}</bdi></li>
        }
    };
    let found = move || {
        let count = options.with(Vec::len);
        match (open.get(), count, more.get()) {
            (false, ..) => String::new(),
            (true, 0, _) => "None fits".to_owned(),
            (true, _, true) => format!("The first {count}: type to find others"),
            (true, ..) => format!("{count} to choose from"),
        }
    };
    let rows = Arc::new(row);
    view! {
        <div class="combobox">
            <input
                id=id type="text" role="combobox" autocomplete="off" spellcheck="false" maxlength="200"
                aria-autocomplete="list" aria-expanded=move || open.get().to_string()
                aria-controls=format!("{id}-options")
                aria-activedescendant=move || (open.get() && options.with(|options| !options.is_empty()))
                    .then(|| option_id(active.get()))
                prop:value=move || typed.get().unwrap_or_else(|| chosen.get())
                on:input=on_input
                on:keydown=on_key
                on:click=move |_| begin()
                on:blur=move |_| give_up()
            />
            <div class="options" class:shown=open>
                <ul id=format!("{id}-options") role="listbox" aria-label="What fits">
                    {move || {
                        let rows = Arc::clone(&rows);
                        options.get().into_iter().enumerate().map(move |option| rows(option)).collect_view()
                    }}
                </ul>
                <p class="sub" role="status">{found}</p>
            </div>
        </div>
    }
}
