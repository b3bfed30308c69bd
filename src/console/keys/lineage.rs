//! The lineage of a key.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos_router::components::A;

use super::retirement::Retirement;
use super::status::StatusBadge;
use crate::console::kit::time::RelativeTime;
use crate::domain::key::{KeyStatus, KeyView};
use crate::domain::routes;
use crate::domain::token::KeyId;

/// The keys of a lineage, each with its events: issued, rotated, retiring, revoked.
#[component]
pub fn Lineage(
    /// The keys, oldest first.
    keys: Vec<KeyView>,
    /// The key of this page.
    current: KeyId,
    now: DateTime<Utc>,
) -> impl IntoView {
    let is_cut = keys
        .first()
        .is_some_and(|first| first.rotated_from.is_some());
    let items = keys.into_iter().map(|key| {
        let id = key.key_id.to_string();
        let is_current = key.key_id == current;
        let name = if is_current {
            view! { <strong aria-current="true"><code>{id.clone()}</code></strong> }.into_any()
        } else {
            let shown = id.clone();
            view! { <A href=routes::key(&id)><code>{shown}</code></A> }.into_any()
        };
        let begun = if key.rotated_from.is_some() {
            "Created by rotation"
        } else {
            "Issued"
        };
        let rotated = key
            .grace
            .as_ref()
            .map(|grace| ("Rotated", Some(grace.rotated_at)));
        let ended = match key.status {
            KeyStatus::Revoked => Some(("Revoked", key.revoked_at)),
            KeyStatus::Expired => Some(("Expired", key.not_after)),
            _ => None,
        };
        let steps = [Some((begun, Some(key.created_at))), rotated, ended];
        let steps = steps
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(n, (label, at))| {
                let tip = format!("step-{n}-{id}");
                view! { <li>{label} " " <RelativeTime id=tip at now/></li> }
            });
        let steps = steps.collect_view();
        view! {
            <li class:current=is_current>
                <p class="head">{name} <StatusBadge status=key.status/></p>
                <ul>{steps}</ul>
                <Retirement key now/>
            </li>
        }
    });
    view! {
        {is_cut.then(|| view! { <p class="none">"Earlier keys are not shown: each key names the one it replaced."</p> })}
        <ol class="lineage">{items.collect_view()}</ol>
    }
}
