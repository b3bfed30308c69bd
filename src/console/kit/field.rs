//! Form fields with their label and their error.

use leptos::prelude::*;

use crate::console::shell::browser;
use crate::domain::error::{AppError, FieldError};

/// The errors of the last submission of a form.
#[derive(Clone, Copy)]
pub struct FormErrors(RwSignal<Option<AppError>>);

impl FormErrors {
    /// No errors yet.
    pub fn new() -> Self {
        Self(RwSignal::new(None))
    }

    /// Removes the errors.
    pub fn clear(self) {
        self.0.set(None);
    }

    /// Shows an error and focuses the first invalid field. Does nothing if the form is gone.
    pub fn show(self, error: AppError) {
        if self.0.try_set(Some(error)).is_none() {
            browser::focus::first_invalid_field();
        }
    }

    /// The errors of one field and of its items (`scopes[1]`).
    pub fn of(self, path: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || match self.0.get() {
            Some(AppError::Invalid { fields }) => {
                let messages: Vec<String> = fields
                    .into_iter()
                    .filter(|field| belongs(field, path))
                    .map(|field| field.message)
                    .collect();
                (!messages.is_empty()).then(|| messages.join("; "))
            }
            _ => None,
        })
    }

    /// The error that belongs to none of these fields.
    pub fn except(self, paths: &'static [&'static str]) -> Signal<Option<AppError>> {
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

/// The kind of a one-line field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputKind {
    /// Text.
    #[default]
    Text,
    /// A number.
    Number,
    /// An e-mail address.
    Email,
    /// A URL.
    Url,
    /// Date and time in the reader's zone.
    DateTime,
    /// The operator's password.
    CurrentPassword,
    /// A password to be set.
    NewPassword,
    /// A code of a second factor.
    Code,
}

impl InputKind {
    const fn input_type(self) -> &'static str {
        match self {
            Self::Text | Self::Code => "text",
            Self::Number => "number",
            Self::Email => "email",
            Self::Url => "url",
            Self::DateTime => "datetime-local",
            Self::CurrentPassword | Self::NewPassword => "password",
        }
    }

    const fn autocomplete(self) -> &'static str {
        match self {
            Self::CurrentPassword => "current-password",
            Self::NewPassword => "new-password",
            Self::Code => "one-time-code",
            _ => "off",
        }
    }
}

/// A one-line field.
#[component]
pub fn TextField(
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    #[prop(into)] error: Signal<Option<String>>,
    #[prop(optional)] kind: InputKind,
    /// A line below it.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                type=kind.input_type()
                autocomplete=kind.autocomplete()
                value=value.get_untracked()
                aria-invalid=move || error.get().is_some().then_some("true")
                aria-describedby=format!("{id}-note")
                // Never written back, which would erase an incomplete number or date.
                on:input=move |event| value.set(event_target_value(&event))
            />
            <FieldNote id error hint/>
        </div>
    }
}

/// A choice among a few values.
#[component]
pub fn ChoiceField(
    id: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    /// The values with their labels.
    options: Vec<(String, String)>,
    #[prop(optional, into)] error: MaybeProp<String>,
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

/// The line below a field: its error, otherwise its hint.
#[component]
pub fn FieldNote(
    /// The id of the field.
    id: &'static str,
    #[prop(into)] error: Signal<Option<String>>,
    /// Shown without an error.
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
