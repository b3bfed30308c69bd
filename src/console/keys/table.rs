//! The table of keys.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos_router::components::A;

use super::actions::KeyActions;
use super::badges::KeyBadges;
use super::retirement::Retirement;
use crate::console::keys::server_fns::KeyPage;
use crate::console::keys::sparkline::Sparkline;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::time::RelativeTime;
use crate::console::shell::list_page::list_url;
use crate::domain::key::{Environment, KeyStatus, KeyView};
use crate::domain::key_list::{KeyListInput, KeyOrder};
use crate::domain::operator::Role;
use crate::domain::routes;

/// One page of keys. Rows that are the same in the next answer stay as they are.
#[component]
pub fn KeyTable(
    /// The latest page.
    page: ArcRwSignal<KeyPage>,
    /// The query of the list.
    #[prop(into)]
    asked: Signal<KeyListInput>,
) -> impl IntoView {
    let page = RwSignal::from(page);
    let now = Signal::derive(move || page.read().now);
    let may_change = Signal::derive(move || page.read().viewer.role == Role::Admin);
    let is_empty = Memo::new(move |_| page.read().page.items.is_empty());
    let first_page = Memo::new(move |_| KeyListInput {
        sort: None,
        cursor: None,
        ..asked.get()
    });
    let order = Memo::new(move |_| {
        let asked = asked.read();
        asked
            .sort
            .as_deref()
            .and_then(|sort| sort.parse().ok())
            .unwrap_or_default()
    });
    let rows = move || {
        let page = page.get();
        page.page
            .items
            .into_iter()
            .zip(page.sparklines)
            .map(Row::from)
            .collect::<Vec<_>>()
    };
    view! {
        <div class="table-frame">
            <table class="keys even" aria-label="API keys" class:bare=is_empty>
                <thead>
                    <tr>
                        <th scope="col">"Key ID"</th>
                        <th scope="col">"Partner"</th>
                        <th scope="col">"Scopes"</th>
                        <th scope="col">"Status"</th>
                        {move || [
                            ("Expires", [KeyOrder::EndsFirst, KeyOrder::EndsLast]),
                            ("Last Used", [KeyOrder::UsedLast, KeyOrder::UnusedLongest]),
                        ].map(|(label, by)| view! {
                            <SortedBy label by order=order.get() first_page=first_page.get()/>
                        })}
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=rows key=|row| row.identity.clone() let:row>
                        <KeyRow key=row.key spark=row.spark now may_change=may_change.get_untracked()/>
                    </For>
                </tbody>
            </table>
            {move || is_empty.get().then(|| {
                let filtered = first_page.get() != KeyListInput::default();
                view! { <NoKeys filtered may_change=may_change.get()/> }
            })}
        </div>
    }
}

/// A key with its plot.
#[derive(Clone)]
struct Row {
    key: KeyView,
    spark: Option<String>,
    /// Changes whenever the key or its plot does.
    identity: String,
}

impl From<(KeyView, Option<String>)> for Row {
    fn from((key, spark): (KeyView, Option<String>)) -> Self {
        let identity = serde_json::to_string(&(&key, &spark)).unwrap_or_default();
        Self {
            key,
            spark,
            identity,
        }
    }
}

#[component]
fn NoKeys(filtered: bool, may_change: bool) -> impl IntoView {
    let (title, hint) = match (filtered, may_change) {
        (true, _) => (
            "No key matches this filter.",
            "Choose another partner or status, or shorten the search.",
        ),
        (false, true) => (
            "No API keys yet.",
            "Generate the first one: its token is shown once, to you alone.",
        ),
        (false, false) => ("No API keys yet.", "An admin can generate the first one."),
    };
    view! {
        <div class="empty">
            <Icon glyph=Glyph::Key/>
            <p><strong>{title}</strong></p>
            <p>{hint}</p>
        </div>
    }
}

/// A column header that sorts by its column: one direction, then the other, then not at all.
#[component]
fn SortedBy(
    label: &'static str,
    by: [KeyOrder; 2],
    order: KeyOrder,
    first_page: KeyListInput,
) -> impl IntoView {
    let at = by.iter().position(|by| *by == order);
    let next = match at {
        None => Some(by[0]),
        Some(0) => Some(by[1]),
        Some(_) => None,
    };
    let href = list_url(
        routes::KEYS,
        &KeyListInput {
            sort: next.map(|order| order.into_str().to_owned()),
            ..first_page
        },
    );
    let (direction, arrow) = match (at.is_some(), order) {
        (false, _) => ("none", None),
        (true, KeyOrder::EndsFirst | KeyOrder::UnusedLongest) => ("ascending", Some(Glyph::Up)),
        (true, _) => ("descending", Some(Glyph::Down)),
    };
    view! {
        <th scope="col" aria-sort=direction>
            <a href=href class="sort">{label} {arrow.map(|glyph| view! { <Icon glyph/> })}</a>
        </th>
    }
}

#[component]
fn KeyRow(
    key: KeyView,
    spark: Option<String>,
    now: Signal<DateTime<Utc>>,
    may_change: bool,
) -> impl IntoView {
    // Badges change with the key, or slowly.
    let read_at = now.get_untracked();
    let id = key.key_id.to_string();
    let shown_id = id.clone();
    // A retiring key ends with its grace period, which never outlives the key.
    let expires = match key.status {
        KeyStatus::Retiring => key.retires_at,
        _ => key.not_after,
    };
    let retirement = view! { <Retirement key=key.clone() now=read_at end_is_shown=true/> };
    let spark = spark.map(|path| view! { <Sparkline path/> });
    let environment = (key.environment != Environment::default())
        .then(|| view! { <span class="chip">{key.environment.into_str()}</span> });
    view! {
        <tr>
            <td data-label="Key ID">
                <A href=routes::key(&id)><code>{shown_id}</code></A>
                <span class="sub">{key.name.clone().map(|name| view! { <bdi>{name}</bdi> })} {environment}</span>
            </td>
            <td data-label="Partner"><bdi>{key.partner_name.clone()}</bdi></td>
            <td data-label="Scopes">
                <span class="chips">
                    {key.scopes.iter().map(|scope| view! { <span class="chip">{scope.into_str()}</span> " " }).collect_view()}
                </span>
            </td>
            <td data-label="Status"><KeyBadges key=key.clone() now=read_at/> {retirement}</td>
            <td data-label="Expires"><RelativeTime id=format!("expires-{id}") at=expires now/></td>
            <td data-label="Last Used"><RelativeTime id=format!("used-{id}") at=key.last_used_at now/> {spark}</td>
            <td data-label="Actions" class="row-actions"><KeyActions key=key.clone() now=read_at may_change/></td>
        </tr>
    }
}
