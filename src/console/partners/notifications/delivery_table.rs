//! The delivery log.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

use crate::console::keys::status::DeliveryBadge;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::time::RelativeTime;
use crate::console::partners::notifications::server_fns::{NoticesPage, send_again};
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote;
use crate::domain::error::AppError;
use crate::domain::notification::{Delivery, DeliveryStatus};
use crate::domain::operator::Role;
use crate::domain::webhook::Webhook;

/// One page of deliveries.
#[component]
pub fn DeliveryTable(
    /// The page.
    answer: NoticesPage,
    /// Whether a filter chose them.
    filtered: bool,
) -> impl IntoView {
    let NoticesPage {
        now,
        viewer,
        webhooks,
        page,
        ..
    } = answer;
    let may_change = viewer.role == Role::Admin;
    let empty = page.items.is_empty().then(|| {
        let (title, hint) = if filtered {
            (
                "No delivery matches this filter.",
                "Choose another status.",
            )
        } else {
            (
                "Nothing was sent yet.",
                "What happens to the partner's keys is sent within seconds, and stands here for 90 days.",
            )
        };
        view! {
            <div class="empty">
                <Icon glyph=Glyph::Clock/>
                <p><strong>{title}</strong></p>
                <p>{hint}</p>
            </div>
        }
    });
    view! {
        <div class="table-frame">
            <table class="keys deliveries" aria-label="Deliveries" class:bare=empty.is_some()>
                <thead>
                    <tr>
                        <th scope="col">"Sent"</th>
                        <th scope="col">"Notice"</th>
                        <th scope="col">"To"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Last answer"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>
                    {page.items.into_iter().map(|delivery| {
                        let to = receiver(&delivery, &webhooks);
                        view! { <DeliveryRow delivery to now may_change/> }
                    }).collect_view()}
                </tbody>
            </table>
            {empty}
        </div>
    }
}

fn receiver(delivery: &Delivery, webhooks: &[Webhook]) -> String {
    if let Some(email) = &delivery.email {
        return email.clone();
    }
    let webhook = webhooks
        .iter()
        .find(|webhook| Some(webhook.webhook_id) == delivery.webhook_id);
    webhook
        .map(|webhook| webhook.url.clone())
        .unwrap_or_default()
}

#[component]
fn DeliveryRow(
    delivery: Delivery,
    to: String,
    now: DateTime<Utc>,
    may_change: bool,
) -> impl IntoView {
    let id = delivery.delivery_id;
    let answer = match (delivery.last_code, &delivery.last_error) {
        (Some(code), Some(error)) => format!("{code}: {error}"),
        (Some(code), None) => code.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => "—".to_owned(),
    };
    let tries = match delivery.attempts {
        0 => String::new(),
        1 => "1 attempt".to_owned(),
        attempts => format!("{attempts} attempts"),
    };
    let took = delivery
        .last_millis
        .map(|millis| format!("{millis} ms"))
        .unwrap_or_default();
    let next = delivery
        .next_attempt_at
        .filter(|_| delivery.attempts > 0)
        .map(|at| {
            view! { ", next " <RelativeTime id=format!("next-{id}") at=Some(at) now/> }
        });
    let again = (may_change && delivery.status != DeliveryStatus::Pending)
        .then(|| view! { <AgainButton id kind=delivery.kind.into_str()/> });
    view! {
        <tr>
            <td data-label="Sent"><RelativeTime id=format!("sent-{id}") at=Some(delivery.created_at) now/></td>
            <td data-label="Notice">
                <code>{delivery.kind.into_str()}</code>
                <span class="sub"><code>{delivery.key_id.to_string()}</code></span>
            </td>
            <td data-label="To"><bdi>{to}</bdi></td>
            <td data-label="Status">
                <DeliveryBadge status=delivery.status/>
                <span class="sub">{tries} {next}</span>
            </td>
            <td data-label="Last answer">{answer} <span class="sub">{took}</span></td>
            <td data-label="Actions" class="row-actions">{again}</td>
        </tr>
    }
}

#[component]
fn AgainButton(id: Uuid, kind: &'static str) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let hydrated = expect_context::<Hydrated>();
    let failed = RwSignal::new(None::<AppError>);
    let again = move |_| {
        spawn_local(async move {
            match remote::answer(send_again(id)).await {
                Ok(_) => desk.say(format!("{kind} is sent again.")),
                Err(error) => {
                    failed.try_set(Some(error));
                }
            }
        });
    };
    view! {
        <button
            class="button small" type="button" id=format!("again-{id}") aria-label=format!("Send again {kind}")
            disabled=move || !hydrated.done() on:click=again
        >"Send again"</button>
        <span class="field-error" role="alert">{move || failed.get().map(|error| error.to_string())}</span>
    }
}
