//! The one picker of a partner: in the filters of lists and in dialogs.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::combobox::{Choice, Combobox, Suggestions};
use crate::console::partners::server_fns::choose_partners;
use crate::console::shell::remote::{self, ServerTime};
use crate::domain::error::AppError;
use crate::domain::list::ChoiceInput;
use crate::domain::partner::{Partner, PartnerChoice, PartnerChoices};

/// Which partners a picker offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// All of them, after the option `All partners`.
    AllOrOne,
    /// Active ones; one has to be chosen.
    ActiveOne,
}

/// The label of the option that chooses no partner.
pub const ALL_PARTNERS: &str = "All partners";

/// The partners that a picker has looked up. The value of no partner is the empty text.
#[derive(Clone, Copy)]
pub struct PartnerSearch {
    offer: Offer,
    found: RwSignal<Found>,
    /// Labels of all partners seen so far: an answer to a search may leave out the chosen one.
    names: RwSignal<BTreeMap<String, String>>,
    unavailable: RwSignal<Option<String>>,
    error: RwSignal<Option<AppError>>,
    server_time: RwSignal<Option<ServerTime>>,
    turn: StoredValue<u64>,
}

/// An answer, with the text that was searched for.
#[derive(Clone, Default)]
struct Found {
    text: String,
    partners: Vec<PartnerChoice>,
    more: bool,
}

impl PartnerSearch {
    /// A search without an answer yet.
    pub fn new(offer: Offer) -> Self {
        Self {
            offer,
            found: RwSignal::new(Found::default()),
            names: RwSignal::new(BTreeMap::new()),
            unavailable: RwSignal::new(None),
            error: RwSignal::new(None),
            server_time: RwSignal::new(None),
            turn: StoredValue::new(0),
        }
    }

    /// Looks up partners by name. Without a text, those that come first, and the chosen one.
    pub fn look_up(self, text: String, chosen: Option<String>) {
        let Some(mine) = self.turn.try_update_value(|turn| {
            *turn += 1;
            *turn
        }) else {
            return;
        };
        let query = ChoiceInput {
            q: Some(text.clone()).filter(|text| !text.is_empty()),
            chosen: chosen.clone(),
        };
        spawn_local(async move {
            let outcome = remote::read(choose_partners(query)).await;
            // An answer to an older search is dropped.
            if self.turn.try_get_value() != Some(mine) {
                return;
            }
            match outcome {
                Ok(choices) => {
                    let can_be = |partner: &PartnerChoice, id: &str| {
                        partner.active && partner.partner_id.to_string() == id
                    };
                    let missing = chosen
                        .filter(|id| !choices.partners.iter().any(|partner| can_be(partner, id)));
                    self.take(text, choices);
                    self.unavailable.try_set(missing);
                }
                Err(error) => {
                    self.error.try_set(Some(error));
                }
            }
        });
    }

    /// Takes an answer over.
    pub fn take(self, text: String, choices: PartnerChoices) {
        self.error.try_set(None);
        let time = ServerTime::starting_at(choices.now);
        self.server_time.try_set(Some(time));
        let named = choices.partners.iter().map(named).collect::<Vec<_>>();
        self.names.try_update(|names| names.extend(named));
        self.found.try_set(Found {
            text,
            partners: choices.partners,
            more: choices.more,
        });
    }

    /// Adds a partner that was just created.
    pub fn add(self, partner: &Partner) {
        self.names
            .update(|names| names.extend([named(&PartnerChoice::from(partner))]));
    }

    /// The label of a value, if it is known.
    pub fn name_of(self, value: &str) -> Option<String> {
        match (value, self.offer) {
            ("", Offer::AllOrOne) => Some(ALL_PARTNERS.to_owned()),
            ("", Offer::ActiveOne) => Some(String::new()),
            (id, _) => self.names.with(|names| names.get(id).cloned()),
        }
    }

    /// Why the last search failed.
    pub fn error(self) -> Signal<Option<AppError>> {
        self.error.into()
    }

    /// The server's time, once it has answered.
    pub fn server_time(self) -> Option<ServerTime> {
        self.server_time.get_untracked()
    }

    /// The id of a partner that was asked for as the chosen one, and can't be chosen.
    pub fn unavailable(self) -> Option<String> {
        self.unavailable.get()
    }

    /// The text that was searched for last.
    pub fn text(self) -> String {
        self.found.with_untracked(|found| found.text.clone())
    }

    /// The options found last.
    pub fn suggestions(self) -> Suggestions {
        self.found.with(|found| {
            let partners = found.partners.iter();
            // What is typed looks for a partner: Enter then chooses the first match.
            let all = (self.offer == Offer::AllOrOne && found.text.is_empty())
                .then(|| (String::new(), ALL_PARTNERS.to_owned()));
            let offered =
                partners.filter(|partner| partner.active || self.offer == Offer::AllOrOne);
            Suggestions {
                text: found.text.clone(),
                choices: all.into_iter().chain(offered.map(named)).collect(),
                more: found.more,
            }
        })
    }
}

fn named(partner: &PartnerChoice) -> Choice {
    let label = if partner.active {
        partner.name.clone()
    } else {
        format!("{} (deactivated)", partner.name)
    };
    (partner.partner_id.to_string(), label)
}

/// A combobox of partners. Its label is the caller's.
#[component]
pub fn PartnerPicker(
    id: &'static str,
    /// The id of the chosen partner; empty for none.
    #[prop(into)]
    chosen: Signal<String>,
    search: PartnerSearch,
    /// A partner is chosen, or none.
    on_choice: Callback<String>,
    #[prop(optional)] error: Option<Signal<Option<String>>>,
) -> impl IntoView {
    let name = Signal::derive(move || chosen.with(|id| search.name_of(id)).unwrap_or_default());
    let suggestions = Signal::derive(move || search.suggestions());
    let on_text = Callback::new(move |text: String| {
        let chosen = Some(chosen.get_untracked()).filter(|id| text.is_empty() && !id.is_empty());
        search.look_up(text, chosen);
    });
    view! { <Combobox id chosen=name suggestions on_text on_choice error/> }
}
