//! An order whose answer was lost: whether it was carried out is looked up, and what it made can be
//! rotated, for a token that somebody sees, or revoked.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::keys::bulk::server_fns::preview_bulk;
use crate::console::keys::server_fns::{get_key, list_keys};
use crate::console::kit::time::RelativeTime;
use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::dialog_host::{Desk, OpenDialog};
use crate::console::shell::remote;
use crate::domain::bulk::BulkAction;
use crate::domain::bulk_input::{BulkPreviewInput, SelectionInput};
use crate::domain::error::AppError;
use crate::domain::key::KeyView;
use crate::domain::key_input::IssueKey;
use crate::domain::key_list::KeyListInput;

/// What was ordered.
#[derive(Clone)]
pub enum Lost {
    /// A key like this one, not before this moment of the server's.
    Issue {
        /// What was ordered.
        order: Box<IssueKey>,
        /// When the order can't have been carried out yet.
        since: DateTime<Utc>,
    },
    /// Successors of these keys.
    Many {
        /// The old keys' ids.
        key_ids: Vec<String>,
    },
    /// A successor of this key.
    Rotation {
        /// The old key's id.
        key_id: String,
    },
}

/// Keys that the order may have made, and the server's time of the look.
type Found = (DateTime<Utc>, Vec<KeyView>);

/// Looks for what the order made.
async fn look(lost: Lost) -> Result<Found, AppError> {
    match lost {
        Lost::Issue { order, since } => {
            let newest = list_keys(KeyListInput {
                partner_id: Some(order.partner_id.to_string()),
                limit: Some("20".to_owned()),
                ..KeyListInput::default()
            });
            let answer = remote::answer(newest).await?;
            let by = format!("operator:{}", answer.viewer.email);
            let is_ours = |key: &KeyView| {
                key.created_by == by
                    && key.created_at >= since
                    && key.rotated_from.is_none()
                    && key.name == order.name
                    && key.environment == order.environment
                    && key.scopes == order.scopes
                    && key.rate_per_minute == order.rate_per_minute
                    && key.not_after == order.not_after
            };
            let made = answer.page.items.into_iter().filter(is_ours).collect();
            Ok((answer.now, made))
        }
        Lost::Many { key_ids } => {
            let preview = |action: BulkAction, key_ids| {
                preview_bulk(BulkPreviewInput {
                    action: Some(action.into_str().to_owned()),
                    select: Some(SelectionInput {
                        key_ids: Some(key_ids),
                        ..SelectionInput::default()
                    }),
                })
            };
            let now = remote::answer(list_keys(KeyListInput::default()))
                .await?
                .now;
            let old = remote::answer(preview(BulkAction::Rotate, key_ids)).await?;
            let successors: Vec<String> = old
                .left_out
                .iter()
                .filter_map(|key| Some(key.replaced_by.as_ref()?.to_string()))
                .collect();
            if successors.is_empty() {
                return Ok((now, Vec::new()));
            }
            let made = remote::answer(preview(BulkAction::Revoke, successors)).await?;
            Ok((now, made.keys))
        }
        Lost::Rotation { key_id } => {
            let successors = list_keys(KeyListInput {
                q: Some(key_id.clone()),
                limit: Some("1".to_owned()),
                ..KeyListInput::default()
            });
            let now = remote::answer(successors).await?.now;
            let old = remote::answer(get_key(key_id)).await?;
            let Some(successor) = old.replaced_by else {
                return Ok((now, Vec::new()));
            };
            let successor = remote::answer(get_key(successor.to_string())).await?;
            Ok((now, vec![successor]))
        }
    }
}

/// Says that the outcome is unknown, looks it up, and offers what can be done.
#[component]
pub fn LostAnswer(
    /// What was ordered.
    lost: Lost,
    /// Back to the form, with all that was typed.
    on_back: Callback<()>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let found = RwSignal::new(None::<Result<Found, AppError>>);
    let what = match lost {
        Lost::Issue { .. } => "the key was made",
        Lost::Rotation { .. } => "the key was rotated",
        Lost::Many { .. } => "the keys were rotated",
    };
    let again = Callback::new(move |()| {
        found.set(None);
        let lost = lost.clone();
        spawn_local(async move {
            let outcome = look(lost).await;
            desk.changed();
            found.try_set(Some(outcome));
        });
    });
    Effect::new(move |first: Option<()>| {
        if first.is_none() {
            again.run(());
        }
    });
    view! {
        <div class="lost" role="alert">
            <p><strong>"The outcome is unknown."</strong> " No answer arrived, so whether " {what} " is not certain. The keys were read again:"</p>
        </div>
        {move || match found.get() {
            None => view! { <p class="loading" role="status">"Looking…"</p> }.into_any(),
            Some(Err(error)) => view! { <ErrorNotice error/> }.into_any(),
            Some(Ok((_, keys))) if keys.is_empty() => view! {
                <p role="status">"So far there is no such key. It may still be made: look again before you repeat the order."</p>
            }.into_any(),
            Some(Ok((now, keys))) => view! {
                <p role="status">"This was made, but its token was shown to nobody. Rotate it to get a token, or revoke it:"</p>
                <ul class="made">
                    {keys.into_iter().map(|key| view! { <MadeKey key now/> }).collect_view()}
                </ul>
            }.into_any(),
        }}
        <div class="actions">
            <button class="button" type="button" on:click=move |_| again.run(())>"Look again"</button>
            <button class="button" type="button" on:click=move |_| on_back.run(())>"Back to the form"</button>
            <button class="button" type="button" on:click=move |_| this.close("")>"Close"</button>
        </div>
    }
}

#[component]
fn MadeKey(key: KeyView, now: DateTime<Utc>) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let (to_rotate, to_revoke) = (key.clone(), key.clone());
    let id = key.key_id.to_string();
    view! {
        <li>
            <span><code>{id.clone()}</code> " " <RelativeTime id=format!("made-{id}") at=Some(key.created_at) now/></span>
            <span class="row">
                <button
                    class="button small" type="button" aria-label=format!("Rotate {id}")
                    on:click=move |_| desk.open(OpenDialog::Rotate(to_rotate.clone()))
                >"Rotate"</button>
                <button
                    class="button small danger-quiet" type="button" aria-label=format!("Revoke {id}")
                    on:click=move |_| desk.open(OpenDialog::Revoke(to_revoke.clone()))
                >"Revoke"</button>
            </span>
        </li>
    }
}
