//! Form fields with their label and their error.

use leptos::prelude::*;

use crate::console::shell::browser;
use crate::domain::error::{AppError, FieldError};

/// The errors of a form's last attempt.
#[derive(Clone, Copy)]
pub struct FormErrors(RwSignal<Option<AppError>>);

impl FormErrors {
    /// No errors yet.
    #[must_use]
    pub fn new() -> Self {
        Self(RwSignal::new(None))
    }

    /// Forgets the last attempt.
    pub fn clear(self) {
        self.0.set(None);
    }

    /// Shows why the last attempt failed, and leads to the first field at fault. A form that is
    /// gone by now shows nothing.
    pub fn show(self, error: AppError) {
        if self.0.try_set(Some(error)).is_none() {
            browser::focus_first_fault();
        }
    }

    /// The fault of one field, told with those of its items (`scopes[1]`).
    #[must_use]
    pub fn of(self, path: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || match self.0.get() {
            Some(AppError::Invalid { fields }) => {
                let faults: Vec<String> = fields
                    .into_iter()
                    .filter(|field| belongs(field, path))
                    .map(|field| field.message)
                    .collect();
                (!faults.is_empty()).then(|| faults.join("; "))
            }
            _ => None,
        })
    }

    /// The error that belongs to none of these fields.
    #[must_use]
    pub fn beside(self, paths: &'static [&'static str]) -> Signal<Option<AppError>> {
        Signal::derive(move || match self.0.get() {
            Some(AppError::Invalid { fields }) => {
                let rest: Vec<FieldError> = fields
                    .into_iter()
                    .filter(|field| !paths.iter().any(|path| belongs(field, path)))
                    .collect();
                (!rest.is_empty()).then_some(AppError::Invalid { fields: rest })
            }
            other => other,
        })
    }
}

impl Default for FormErrors {
    fn default() -> Self {
        Self::new()
    }
}

fn belongs(field: &FieldError, path: &str) -> bool {
    field.path == path
        || field
            .path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('['))
}

/// A one-line field.
#[component]
pub fn TextField(
    /// The field's id in the document.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// Its text.
    value: RwSignal<String>,
    /// What is wrong with it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// Its `type`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What the browser may fill it with.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// A line below it.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                type=kind
                autocomplete=autocomplete
                value=value.get_untracked()
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=format!("{id}-note")
                // Never written back: an unfinished number or date would be wiped.
                on:input=move |event| value.set(event_target_value(&event))
            />
            <FieldNote id error hint/>
        </div>
    }
}

/// A choice out of a few words.
#[component]
pub fn ChoiceField(
    /// The field's id in the document.
    id: &'static str,
    /// Its label.
    label: &'static str,
    /// The chosen value.
    value: RwSignal<String>,
    /// The values with what they are called.
    options: Vec<(String, String)>,
    /// What is wrong with it.
    #[prop(optional, into)]
    error: MaybeProp<String>,
    /// A line below it.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
) -> impl IntoView {
    let error = Signal::derive(move || error.get());
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select
                id=id
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=format!("{id}-note")
                on:change=move |event| value.set(event_target_value(&event))
            >
                {options.into_iter().map(|(option, label)| {
                    let selected = value.get_untracked() == option;
                    view! { <option value=option selected=selected>{label}</option> }
                }).collect_view()}
            </select>
            <FieldNote id error hint/>
        </div>
    }
}

/// What stands below a field: its error, else its hint.
#[component]
pub fn FieldNote(
    /// The field's id.
    id: &'static str,
    /// What is wrong with it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// A line for when nothing is wrong.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <p
            id=format!("{id}-note")
            class="field-note"
            class:field-error=move || error.get().is_some()
            aria-live="polite"
        >
            {move || error.get().map(|error| format!("It {error}.")).or_else(|| hint.get())}
        </p>
    }
}
