//! The preview of a bulk action.

use leptos::prelude::*;

use super::dialog::keys;
use crate::console::keys::status::StatusBadge;
use crate::console::kit::time::local_and_utc;
use crate::domain::bulk::{BulkAction, BulkPreview, SkippedKey};
use crate::domain::key::KeyView;

/// The selected keys, how many of them are in use, and those that are skipped.
#[component]
pub fn Previewed(action: BulkAction, preview: BulkPreview) -> impl IntoView {
    let count = preview.keys.len();
    let in_use = match (preview.in_use, count) {
        (0, 1) => "It was not used in the last 30 days.".to_owned(),
        (1, 1) => "It was used in the last 30 days.".to_owned(),
        (0, _) => "None of them was used in the last 30 days.".to_owned(),
        (used, all) if used == all => "All of them were used in the last 30 days.".to_owned(),
        (1, _) => "1 of them was used in the last 30 days.".to_owned(),
        (used, _) => format!("{used} of them were used in the last 30 days."),
    };
    let summary = match (action, count) {
        (_, 0) => "No matching keys.".to_owned(),
        (BulkAction::Rotate, 1) => {
            format!("1 key will get a successor. {in_use} Its token is shown once.")
        }
        (BulkAction::Revoke, 1) => format!("1 key will stop working immediately. {in_use}"),
        (BulkAction::Rotate, _) => format!(
            "{} will get a successor each, in one step. {in_use} Their tokens are shown once.",
            keys(count)
        ),
        (BulkAction::Revoke, _) => format!(
            "{} will stop working immediately, in one step. {in_use}",
            keys(count)
        ),
    };
    let left_out = preview.left_out;
    view! {
        <p role="status"><strong>{summary}</strong></p>
        {preview.more.then(|| view! {
            <p class="field-note">"More keys match: at most 500 are changed at a time, the oldest first. Repeat this for the rest."</p>
        })}
        {(count > 0).then(|| view! {
            <ul class="scroll-list" tabindex="0" aria-label="Selected keys">
                {preview.keys.into_iter().map(|key| view! { <SelectedKey key/> }).collect_view()}
            </ul>
        })}
        {(!left_out.is_empty()).then(|| view! {
            <details>
                <summary>{format!("{} will be skipped", keys(left_out.len()))}</summary>
                <ul class="scroll-list" tabindex="0" aria-label="Skipped keys">
                    {left_out.into_iter().map(|key| view! { <Skipped key/> }).collect_view()}
                </ul>
            </details>
        })}
    }
}

#[component]
fn SelectedKey(key: KeyView) -> impl IntoView {
    let used = key.last_used_at.map_or_else(
        || "never used".to_owned(),
        |at| format!("used {}", local_and_utc(at)),
    );
    view! {
        <li>
            <code>{key.key_id.to_string()}</code> " " <bdi>{key.partner_name}</bdi> " "
            <StatusBadge status=key.status/> " " <span class="sub">{used}</span>
        </li>
    }
}

#[component]
fn Skipped(key: SkippedKey) -> impl IntoView {
    view! { <li><code>{key.key_id.to_string()}</code> " " <span>{key.reason.describe()}</span></li> }
}
