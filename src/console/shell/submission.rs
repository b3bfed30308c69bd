//! The frame of a dialog that gives one order: pending, errors, what was done.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::step_up::Refused;
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::FormErrors;
use crate::console::shell::dialog_host::{Desk, ThisDialog};
use crate::console::shell::remote;
use crate::domain::error::AppError;

/// An order that a dialog gives, and what has become of it.
#[derive(Clone, Copy)]
pub struct Order {
    desk: Desk,
    this: ThisDialog,
    pending: RwSignal<bool>,
    /// What was wrong with the last attempt.
    pub errors: FormErrors,
}

impl Order {
    /// Not given yet, by the dialog that is being drawn.
    #[must_use]
    pub fn new() -> Self {
        let desk = expect_context::<Desk>();
        Self {
            desk,
            this: desk.this_dialog(),
            pending: RwSignal::new(false),
            errors: FormErrors::new(),
        }
    }

    /// The order of a dialog that has more stages than the one of giving it.
    #[must_use]
    pub const fn of(
        desk: Desk,
        this: ThisDialog,
        pending: RwSignal<bool>,
        errors: FormErrors,
    ) -> Self {
        Self {
            desk,
            this,
            pending,
            errors,
        }
    }

    /// Gives an order that may be repeated, so that a lost answer needs nothing but another try. The
    /// dialog closes with the words of what was done.
    pub fn give(self, order: impl Future<Output = Result<String, AppError>> + 'static) {
        self.run(order, move |done| {
            self.desk.changed();
            self.this.close(done);
        });
    }

    /// Gives an order whose answer holds a secret: while it is under way, nothing may close the dialog.
    pub fn give_for<T: 'static>(
        self,
        call: impl Future<Output = Result<T, AppError>> + 'static,
        reveal: impl FnOnce(T) + 'static,
    ) {
        self.desk.set_busy(true);
        let order = async move {
            let answer = remote::answer(call).await;
            if answer.is_err() {
                self.desk.set_busy(false);
            }
            answer
        };
        self.run(order, reveal);
    }

    fn run<T: 'static>(
        self,
        order: impl Future<Output = Result<T, AppError>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        self.pending.set(true);
        spawn_local(async move {
            match order.await {
                Ok(answer) => done(answer),
                Err(error) => {
                    if error == AppError::NoAnswer {
                        self.desk.changed();
                    }
                    self.errors.show(error);
                    self.pending.try_set(false);
                }
            }
        });
    }
}

/// The dialog around an order.
#[component]
pub fn OrderForm(
    /// The id of the heading.
    id: &'static str,
    /// The heading, which is the dialog's accessible name.
    heading: &'static str,
    /// What the button says.
    label: &'static str,
    /// What it says while the order is under way.
    working: &'static str,
    /// The order.
    order: Order,
    /// Which faults stand beside their fields.
    fields: &'static [&'static str],
    /// Checks what was typed and gives the order.
    on_submit: Callback<()>,
    /// What is asked.
    children: Children,
) -> impl IntoView {
    let Order {
        this,
        pending,
        errors,
        ..
    } = order;
    let beside = errors.beside(fields);
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let submit = move || {
        if !pending.get_untracked() {
            errors.clear();
            on_submit.run(());
        }
    };
    view! {
        <Modal heading_id=id heading=heading on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); submit() }>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                {children()}
                <Actions label working pending on_cancel=close/>
            </form>
        </Modal>
    }
}

impl Default for Order {
    fn default() -> Self {
        Self::new()
    }
}
