//! A request for a token whose answer was lost: what it created is looked up, and can be rotated, which
//! reveals a token, or revoked.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::keys::bulk::server_fns::preview_bulk;
use crate::console::keys::server_fns::{get_key, list_keys};
use crate::console::kit::time::RelativeTime;
use crate::console::shell::alert::ErrorAlert;
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::remote;
use crate::domain::bulk::BulkAction;
use crate::domain::bulk_input::{BulkPreviewInput, SelectionInput};
use crate::domain::error::AppError;
use crate::domain::key::KeyView;
use crate::domain::key_input::IssueKey;
use crate::domain::key_list::KeyListInput;

/// A request without an answer.
#[derive(Clone)]
pub enum UnknownOutcome {
    /// Issuing a key.
    Issue {
        /// The request.
        command: Box<IssueKey>,
        /// A server time before the request.
        since: DateTime<Utc>,
    },
    /// Rotating keys in bulk.
    Many {
        /// The old keys' ids.
        key_ids: Vec<String>,
    },
    /// Rotating a key.
    Rotation {
        /// The old key's id.
        key_id: String,
    },
}

/// The keys that the request may have created, and the server's time of the lookup.
type Found = (DateTime<Utc>, Vec<KeyView>);

/// Looks up what a request created.
async fn look_up(outcome: UnknownOutcome) -> Result<Found, AppError> {
    match outcome {
        UnknownOutcome::Issue { command, since } => {
            let newest = list_keys(KeyListInput {
                partner_id: Some(command.partner_id.to_string()),
                limit: Some("20".to_owned()),
                ..KeyListInput::default()
            });
            let answer = remote::answer(newest).await?;
            let by = format!("operator:{}", answer.viewer.email);
            let is_ours = |key: &KeyView| {
                key.created_by == by
                    && key.created_at >= since
                    && key.rotated_from.is_none()
                    && key.name == command.name
                    && key.environment == command.environment
                    && key.scopes == command.scopes
                    && key.rate_per_minute == command.rate_per_minute
                    && key.not_after == command.not_after
            };
            let made = answer.page.items.into_iter().filter(is_ours).collect();
            Ok((answer.now, made))
        }
        UnknownOutcome::Many { key_ids } => {
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
        UnknownOutcome::Rotation { key_id } => {
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

/// Says that the outcome is unknown, looks it up, and offers what to do.
#[component]
pub fn OutcomeLookup(
    outcome: UnknownOutcome,
    /// Returns to the form, with its input.
    on_back: Callback<()>,
) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let handle = host.handle();
    let found = RwSignal::new(None::<Result<Found, AppError>>);
    let what = match outcome {
        UnknownOutcome::Issue { .. } => "the key was created",
        UnknownOutcome::Rotation { .. } => "the key was rotated",
        UnknownOutcome::Many { .. } => "the keys were rotated",
    };
    let again = Callback::new(move |()| {
        found.set(None);
        let outcome = outcome.clone();
        spawn_local(async move {
            let keys = look_up(outcome).await;
            host.changed();
            found.try_set(Some(keys));
        });
    });
    Effect::new(move |first: Option<()>| {
        if first.is_none() {
            again.run(());
        }
    });
    view! {
        <div class="lost" role="alert">
            <p><strong>"The outcome is unknown."</strong> " No answer arrived, so whether " {what} " is not certain. The keys were looked up:"</p>
        </div>
        {move || match found.get() {
            None => view! { <p class="loading" role="status">"Looking up…"</p> }.into_any(),
            Some(Err(error)) => view! { <ErrorAlert error/> }.into_any(),
            Some(Ok((_, keys))) if keys.is_empty() => view! {
                <p role="status">"So far there is no such key. It may still be created: check again before you repeat the request."</p>
            }.into_any(),
            Some(Ok((now, keys))) => view! {
                <p role="status">"This was created, but its token was shown to nobody. Rotate it to get a token, or revoke it:"</p>
                <ul class="made">
                    {keys.into_iter().map(|key| view! { <CreatedKey key now/> }).collect_view()}
                </ul>
            }.into_any(),
        }}
        <div class="actions">
            <button class="button" type="button" on:click=move |_| again.run(())>"Check again"</button>
            <button class="button" type="button" on:click=move |_| on_back.run(())>"Back to the form"</button>
            <button class="button" type="button" on:click=move |_| handle.close("")>"Close"</button>
        </div>
    }
}

#[component]
fn CreatedKey(key: KeyView, now: DateTime<Utc>) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let (to_rotate, to_revoke) = (key.clone(), key.clone());
    let id = key.key_id.to_string();
    view! {
        <li>
            <span><code>{id.clone()}</code> " " <RelativeTime id=format!("made-{id}") at=Some(key.created_at) now/></span>
            <span class="row">
                <button
                    class="button small" type="button" aria-label=format!("Rotate {id}")
                    on:click=move |_| host.open(OpenDialog::Rotate(to_rotate.clone()))
                >"Rotate"</button>
                <button
                    class="button small danger-quiet" type="button" aria-label=format!("Revoke {id}")
                    on:click=move |_| host.open(OpenDialog::Revoke(to_revoke.clone()))
                >"Revoke"</button>
            </span>
        </li>
    }
}
