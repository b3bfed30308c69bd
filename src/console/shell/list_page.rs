//! What pages with a list have in common: the query in the URL, the list and its pager.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::console::kit::filters::HistoryEntry;
use crate::console::kit::pager::pager;
use crate::console::kit::query::{self, Parameters};
use crate::console::shell::remote::Latest;
use crate::domain::page::Page;
use crate::domain::routes;

type Navigate = Box<dyn Fn(&str, NavigateOptions) + Send + Sync>;

/// The query of a list, which is in the URL under REST's names.
pub struct ListQuery<Q: Send + Sync + 'static> {
    path: Signal<String>,
    query: Memo<Q>,
    navigate: StoredValue<Navigate>,
}

impl<Q: Send + Sync + 'static> Clone for ListQuery<Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q: Send + Sync + 'static> Copy for ListQuery<Q> {}

impl<Q> ListQuery<Q>
where
    Q: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// The query of the page at `path`.
    pub fn new(path: impl Into<Signal<String>>) -> Self {
        let params = use_query_map();
        Self {
            path: path.into(),
            query: Memo::new(move |_| query::read(&params.read())),
            navigate: StoredValue::new(Box::new(use_navigate())),
        }
    }

    /// The query, as a signal.
    pub fn memo(self) -> Memo<Q> {
        self.query
    }

    /// The query now.
    pub fn get(self) -> Q {
        self.query.get_untracked()
    }

    /// One field of the query, as a signal.
    pub fn field(self, read: fn(Q) -> Option<String>) -> Signal<Option<String>> {
        Signal::derive(move || read(self.query.get()))
    }

    /// Navigates to another query.
    pub fn go_to(self, query: &Q, entry: HistoryEntry) {
        let options = NavigateOptions {
            replace: entry == HistoryEntry::Replaced,
            scroll: false,
            ..NavigateOptions::default()
        };
        let url = url(&self.path.get_untracked(), &query::write(query));
        self.navigate.with_value(|navigate| navigate(&url, options));
    }

    /// The pager of a page of this list.
    pub fn pager<T>(self, page: &Page<T>, nouns: (&str, &str)) -> AnyView {
        let mut parameters = query::write(&self.get());
        let cursor = parameters.remove(CURSOR);
        let path = self.path.get_untracked();
        pager(page, cursor.as_ref(), nouns, |cursor| {
            let mut parameters = parameters.clone();
            parameters.extend(cursor.map(|cursor| (CURSOR.to_owned(), cursor)));
            url(&path, &parameters)
        })
    }
}

const CURSOR: &str = "cursor";

/// The URL of a list with a query.
pub fn list_url(path: &str, query: &impl Serialize) -> String {
    url(path, &query::write(query))
}

fn url(path: &str, parameters: &Parameters) -> String {
    let parameters: Vec<(&str, Option<&str>)> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), Some(value.as_str())))
        .collect();
    routes::address(path, &parameters)
}

/// The answers to a query, dimmed while a newer one is loading.
#[component]
pub fn Answers<T>(
    answers: Latest<T>,
    /// Renders the answers.
    show: Callback<ArcRwSignal<T>, AnyView>,
) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    let pending = answers.pending();
    view! {
        <div class="list" aria-busy=move || pending.get().to_string()>
            {answers.view(move |answer| show.run(answer))}
        </div>
    }
}
