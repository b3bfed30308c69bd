//! The table of keys.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::time::RelativeTime;
use crate::domain::key::{KeyStatus, KeyView};
use crate::rpc::keys::KeyPage;
use crate::ui::hydration::Hydrated;
use crate::ui::session::may_change;

/// What an operator wants done with a key.
#[derive(Clone)]
pub enum KeyChoice {
    /// Rotate it.
    Rotate(KeyView),
    /// Revoke it.
    Revoke(KeyView),
}

/// One page of keys.
#[component]
pub fn KeyTable(
    /// The keys with the server's time.
    page: KeyPage,
    /// Whether a filter chose them.
    filtered: bool,
    /// The operator wants something done with a key.
    #[prop(into)]
    on_choice: Callback<KeyChoice>,
) -> impl IntoView {
    let KeyPage { now, page } = page;
    let empty = page.items.is_empty().then(|| {
        let text = if filtered {
            "No key matches this filter."
        } else {
            "No API keys yet."
        };
        view! { <p class="empty">{text}</p> }
    });
    view! {
        <div class="table-frame">
            <table class="keys">
                <thead>
                    <tr>
                        <th scope="col">"Key ID"</th>
                        <th scope="col">"Partner"</th>
                        <th scope="col">"Scopes"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Expires"</th>
                        <th scope="col">"Last Used"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>
                    {page.items.into_iter().map(|key| view! { <KeyRow key now on_choice/> }).collect_view()}
                </tbody>
            </table>
            {empty}
        </div>
    }
}

#[component]
fn KeyRow(key: KeyView, now: DateTime<Utc>, on_choice: Callback<KeyChoice>) -> impl IntoView {
    let hydrated = expect_context::<Hydrated>();
    let may_change = may_change();
    let can_rotate = key.status.is_live() && key.replaced_by.is_none();
    let can_revoke = key.status != KeyStatus::Revoked;
    let locked = move || !hydrated.done() || !may_change.get();
    let (to_rotate, to_revoke) = (key.clone(), key.clone());
    let rotate_label = format!("Rotate {}", key.key_id);
    let revoke_label = format!("Revoke {}", key.key_id);
    view! {
        <tr>
            <td data-label="Key ID">
                <code>{key.key_id.to_string()}</code>
                {key.name.map(|name| view! { <bdi class="sub">{name}</bdi> })}
            </td>
            <td data-label="Partner"><bdi>{key.partner_name}</bdi></td>
            <td data-label="Scopes">
                <span class="chips">
                    {key.scopes.into_iter().map(|scope| view! { <span class="chip">{scope.as_str()}</span> " " }).collect_view()}
                </span>
            </td>
            <td data-label="Status"><span class=format!("badge {}", key.status.as_str())>{key.status.as_str()}</span></td>
            <td data-label="Expires"><RelativeTime at=key.not_after now/></td>
            <td data-label="Last Used"><RelativeTime at=key.last_used_at now/></td>
            <td data-label="Actions" class="row-actions">
                {can_rotate.then(|| view! {
                    <button
                        class="button small" type="button" aria-label=rotate_label disabled=locked
                        on:click=move |_| on_choice.run(KeyChoice::Rotate(to_rotate.clone()))
                    >"Rotate"</button>
                })}
                {can_revoke.then(|| view! {
                    <button
                        class="button small danger-quiet" type="button" aria-label=revoke_label disabled=locked
                        on:click=move |_| on_choice.run(KeyChoice::Revoke(to_revoke.clone()))
                    >"Revoke"</button>
                })}
            </td>
        </tr>
    }
}
