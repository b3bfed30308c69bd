//! A field that suggests options for the text typed into it (WAI-ARIA APG, editable combobox with
//! list autocomplete): arrow keys move through the options, Enter chooses one, Escape closes the list.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

/// The pause in typing after which a text is looked up.
const PAUSE: Duration = Duration::from_millis(200);

/// A value and its label.
pub type Choice = (String, String);

/// The options for a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// The text.
    pub text: String,
    /// The options.
    pub choices: Vec<Choice>,
    /// True if more options match.
    pub more: bool,
}

/// The state of a combobox.
#[derive(Clone, Copy)]
struct State {
    chosen: Signal<String>,
    suggestions: Signal<Suggestions>,
    on_text: Callback<String>,
    on_choice: Callback<String>,
    /// The typed text; without one the field shows the label of the chosen value.
    typed: RwSignal<Option<String>>,
    open: RwSignal<bool>,
    active: RwSignal<usize>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

impl State {
    fn stop_timer(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }

    fn show(self) {
        if !self.open.get_untracked() {
            self.active.set(0);
            self.open.set(true);
            self.on_text.run(String::new());
        }
    }

    fn close(self) {
        self.stop_timer();
        self.open.set(false);
        self.typed.set(None);
    }

    fn choose(self, at: usize) {
        let choice = self
            .suggestions
            .with_untracked(|suggestions| suggestions.choices.get(at).cloned());
        self.close();
        if let Some((value, _)) = choice {
            self.on_choice.run(value);
        }
    }

    /// Closes the list. A text that is the label of an option chooses it.
    fn leave(self) {
        let typed = self.typed.get_untracked();
        let exact = typed.filter(|text| *text != self.chosen.get_untracked());
        let at = self.suggestions.with_untracked(|suggestions| {
            let text = exact?;
            let mut choices = suggestions.choices.iter();
            choices.position(|(_, label)| label.eq_ignore_ascii_case(text.trim()))
        });
        match at {
            Some(at) => self.choose(at),
            None => self.close(),
        }
    }

    fn input(self, text: String) {
        self.typed.set(Some(text.clone()));
        self.active.set(0);
        self.open.set(true);
        self.stop_timer();
        let look_up = move || self.on_text.run(text.trim().to_owned());
        self.timer
            .set_value(set_timeout_with_handle(look_up, PAUSE).ok());
    }

    /// The option that Enter chooses. None while the options still belong to another text, of which Enter
    /// would choose the first.
    fn active_option(self) -> Option<usize> {
        let typed = self.typed.get();
        let text = typed.as_deref().map(str::trim).unwrap_or_default();
        let at = self.active.get();
        let is_active = self
            .suggestions
            .with(|suggestions| suggestions.text == text && at < suggestions.choices.len());
        (self.open.get() && is_active).then_some(at)
    }

    fn key(self, event: &KeyboardEvent) {
        let last = self
            .suggestions
            .with_untracked(|suggestions| suggestions.choices.len().saturating_sub(1));
        match (event.key().as_str(), self.open.get_untracked()) {
            ("ArrowDown" | "ArrowUp", false) => self.show(),
            ("ArrowDown", true) => self
                .active
                .update(|at| *at = if *at >= last { 0 } else { *at + 1 }),
            ("ArrowUp", true) => self
                .active
                .update(|at| *at = at.checked_sub(1).unwrap_or(last)),
            ("Enter", true) => {
                if let Some(at) = untrack(move || self.active_option()) {
                    self.choose(at);
                }
            }
            ("Escape", true) => self.close(),
            _ => return,
        }
        // A surrounding form is not submitted, and a surrounding dialog stays open.
        event.prevent_default();
    }

    fn summary(self) -> String {
        if !self.open.get() {
            return String::new();
        }
        self.suggestions.with(
            |suggestions| match (suggestions.choices.len(), suggestions.more) {
                (0, _) => "No matches".to_owned(),
                (count, true) => format!("The first {count}: type to find others"),
                (count, false) => format!("{count} to choose from"),
            },
        )
    }
}

/// The field with its list.
#[component]
pub fn Combobox(
    id: &'static str,
    /// The label of the chosen value.
    #[prop(into)]
    chosen: Signal<String>,
    /// The options for the last text that was looked up.
    #[prop(into)]
    suggestions: Signal<Suggestions>,
    /// Looks up the options for a text.
    on_text: Callback<String>,
    /// An option is chosen.
    on_choice: Callback<String>,
    /// Its error, for a field with a note.
    #[prop(optional_no_strip)]
    error: Option<Signal<Option<String>>>,
) -> impl IntoView {
    let state = State {
        chosen,
        suggestions,
        on_text,
        on_choice,
        typed: RwSignal::new(None),
        open: RwSignal::new(false),
        active: RwSignal::new(0),
        timer: StoredValue::new(None),
    };
    on_cleanup(move || state.stop_timer());
    let is_invalid = move || {
        error
            .is_some_and(|error| error.get().is_some())
            .then_some("true")
    };
    view! {
        <div class="combobox">
            <input
                id=id type="text" role="combobox" autocomplete="off" spellcheck="false" maxlength="200"
                aria-autocomplete="list" aria-expanded=move || state.open.get().to_string()
                aria-controls=format!("{id}-options")
                aria-activedescendant=move || state.active_option().map(|at| option_id(id, at))
                aria-invalid=is_invalid
                aria-describedby=error.is_some().then(|| format!("{id}-note"))
                prop:value=move || state.typed.get().unwrap_or_else(|| chosen.get())
                on:input=move |event| state.input(event_target_value(&event))
                on:keydown=move |event| state.key(&event)
                on:click=move |_| state.show()
                on:blur=move |_| state.leave()
            />
            <div class="options" class:shown=state.open>
                <Options id state/>
                <p class="sub" role="status">{move || state.summary()}</p>
            </div>
        </div>
    }
}

#[component]
fn Options(id: &'static str, state: State) -> impl IntoView {
    let option = move |(at, (_, label)): (usize, Choice)| {
        view! {
            <li
                id=option_id(id, at) role="option"
                aria-selected=move || (state.active_option() == Some(at)).to_string()
                // Otherwise the field would lose the focus and close the list.
                on:mousedown=move |event| event.prevent_default()
                on:click=move |_| state.choose(at)
            ><bdi>{label}</bdi></li>
        }
    };
    view! {
        <ul id=format!("{id}-options") role="listbox" aria-label="Suggestions">
            {move || {
                let choices = state.suggestions.get().choices;
                choices.into_iter().enumerate().map(option).collect_view()
            }}
        </ul>
    }
}

fn option_id(id: &str, at: usize) -> String {
    format!("{id}-option-{at}")
}
