//! The frame of a dialog that sends a request: pending state, errors, unknown outcomes.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::step_up::RefusalAlert;
use crate::console::keys::unknown_outcome::{OutcomeLookup, UnknownOutcome};
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::FormErrors;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::{DialogHandle, DialogHost};
use crate::domain::error::AppError;

/// The request of a dialog, and its state.
#[derive(Clone, Copy)]
pub struct Submission {
    host: DialogHost,
    handle: DialogHandle,
    /// True while the request is under way.
    pub pending: RwSignal<bool>,
    /// The errors of the last attempt.
    pub errors: FormErrors,
    unknown: RwSignal<Option<UnknownOutcome>>,
}

impl Submission {
    /// The submission of the dialog that is being rendered.
    pub fn new() -> Self {
        let host = expect_context::<DialogHost>();
        Self {
            host,
            handle: host.handle(),
            pending: RwSignal::new(false),
            errors: FormErrors::new(),
            unknown: RwSignal::new(None),
        }
    }

    /// Sends an idempotent request: after a lost answer the operator simply tries again. Closes the
    /// dialog with the message that the request returns.
    pub fn submit(self, request: impl Future<Output = Result<String, AppError>> + 'static) {
        self.send(request, move |message| {
            self.host.changed();
            self.handle.close(message);
        });
    }

    /// Sends a request whose answer holds a secret: nothing may close the dialog meanwhile. If no
    /// answer arrives, `on_no_answer` says what to look up.
    pub fn submit_for_secret<T: 'static>(
        self,
        request: impl Future<Output = Result<T, AppError>> + 'static,
        reveal: impl FnOnce(T) + 'static,
        on_no_answer: Option<UnknownOutcome>,
    ) {
        self.pending.set(true);
        self.host.set_busy(true);
        spawn_local(async move {
            match (request.await, on_no_answer) {
                (Ok(answer), _) => reveal(answer),
                (Err(AppError::NoAnswer), Some(outcome)) => {
                    self.end_busy();
                    self.host.changed();
                    self.unknown.try_set(Some(outcome));
                    browser::focus::restore(vec!["dialog h2".to_owned()]);
                }
                (Err(error), _) => {
                    self.end_busy();
                    self.fail(error);
                }
            }
        });
    }

    /// Sends a request and passes its answer on, with the dialog still open.
    pub fn send<T: 'static>(
        self,
        request: impl Future<Output = Result<T, AppError>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        self.pending.set(true);
        spawn_local(async move {
            let outcome = request.await;
            self.pending.try_set(false);
            match outcome {
                Ok(answer) => done(answer),
                Err(error) => self.fail(error),
            }
        });
    }

    /// Closes the dialog, unless a request is under way.
    pub fn cancel(self) {
        if !self.pending.get_untracked() {
            self.handle.close("");
        }
    }

    fn end_busy(self) {
        self.host.set_busy(false);
        self.pending.try_set(false);
    }

    fn fail(self, error: AppError) {
        if error == AppError::NoAnswer {
            self.host.changed();
        }
        self.errors.show(error);
    }
}

impl Default for Submission {
    fn default() -> Self {
        Self::new()
    }
}

/// The texts of a dialog with a form.
#[derive(Clone, Copy)]
pub struct DialogText {
    /// The id of the heading.
    pub id: &'static str,
    /// The heading, which is the dialog's accessible name.
    pub heading: &'static str,
    /// The label of the submit button.
    pub submit: &'static str,
    /// The label of the submit button while the request is under way.
    pub pending: &'static str,
    /// True if the request takes something away.
    pub danger: bool,
}

/// A dialog around one form.
#[component]
pub fn DialogForm(
    /// The texts; those of the button may change.
    #[prop(into)]
    text: Signal<DialogText>,
    submission: Submission,
    /// Paths of the fields that show their own errors.
    fields: &'static [&'static str],
    /// Checks the input and sends the request.
    on_submit: Callback<()>,
    children: Children,
) -> impl IntoView {
    let DialogText { id, heading, .. } = text.get_untracked();
    view! {
        <DialogFrame id heading submission fields>
            <SubmissionForm text submission on_submit>{children()}</SubmissionForm>
        </DialogFrame>
    }
}

/// A dialog with the errors of its submission that belong to no field. While an outcome is unknown,
/// its lookup takes the place of the content, which stays as it is.
#[component]
pub fn DialogFrame(
    /// The id of the heading.
    id: &'static str,
    /// The heading, which is the dialog's accessible name.
    heading: &'static str,
    submission: Submission,
    /// Paths of the fields that show their own errors.
    fields: &'static [&'static str],
    children: Children,
) -> impl IntoView {
    let Submission {
        errors, unknown, ..
    } = submission;
    let other_errors = errors.except(fields);
    let on_back = Callback::new(move |()| unknown.set(None));
    view! {
        <Modal heading_id=id heading on_dismiss=Callback::new(move |()| submission.cancel())>
            {move || unknown.get().map(|outcome| view! { <OutcomeLookup outcome on_back/> })}
            <div hidden=move || unknown.get().is_some()>
                {move || other_errors.get().map(|error| view! { <RefusalAlert error/> })}
                {children()}
            </div>
        </Modal>
    }
}

/// A form of a dialog, with its buttons. A second submission has to wait for the first.
#[component]
pub fn SubmissionForm(
    #[prop(into)] text: Signal<DialogText>,
    submission: Submission,
    /// Checks the input and sends the request.
    on_submit: Callback<()>,
    children: Children,
) -> impl IntoView {
    let Submission {
        pending, errors, ..
    } = submission;
    let submit = move || {
        if !pending.get_untracked() {
            errors.clear();
            on_submit.run(());
        }
    };
    let on_cancel = Callback::new(move |()| submission.cancel());
    let buttons = move || {
        let DialogText {
            submit: label,
            pending: working,
            danger,
            ..
        } = text.get();
        view! { <Actions label working pending danger on_cancel/> }
    };
    view! {
        <form novalidate on:submit=move |event| { event.prevent_default(); submit() }>
            {children()}
            {buttons}
        </form>
    }
}
