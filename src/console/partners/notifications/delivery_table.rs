//! The log of deliveries.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;
use uuid::Uuid;

use crate::console::keys::status::DeliveryBadge;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::time::RelativeTime;
use crate::console::partners::notifications::server_fns::{NotificationsData, resend_delivery};
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote;
use crate::domain::error::AppError;
use crate::domain::notification::{Delivery, DeliveryStatus};
use crate::domain::operator::Role;
use crate::domain::webhook::Webhook;

/// One page of deliveries.
#[component]
pub fn DeliveryTable(
    answer: NotificationsData,
    /// True if the list is filtered.
    filtered: bool,
) -> impl IntoView {
    let NotificationsData {
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
                "No deliveries yet.",
                "Changes to the partner's keys are sent within seconds, and are listed here for 90 days.",
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
                        <th scope="col">"Notification"</th>
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
    let resend = (may_change && delivery.status != DeliveryStatus::Pending)
        .then(|| view! { <ResendButton id kind=delivery.kind.into_str()/> });
    view! {
        <tr>
            <td data-label="Sent"><RelativeTime id=format!("sent-{id}") at=Some(delivery.created_at) now/></td>
            <td data-label="Notification">
                <code>{delivery.kind.into_str()}</code>
                <span class="sub"><code>{delivery.key_id.to_string()}</code></span>
            </td>
            <td data-label="To"><bdi>{to}</bdi></td>
            <td data-label="Status">
                <DeliveryBadge status=delivery.status/>
                <span class="sub">{tries} {next}</span>
            </td>
            <td data-label="Last answer">{answer} <span class="sub">{took}</span></td>
            <td data-label="Actions" class="row-actions">{resend}</td>
        </tr>
    }
}

#[component]
fn ResendButton(id: Uuid, kind: &'static str) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    let failed = RwSignal::new(None::<AppError>);
    let resend = move |_| {
        spawn_local(async move {
            match remote::answer(resend_delivery(id)).await {
                Ok(_) => host.report(format!("{kind} was queued again.")),
                Err(error) => {
                    failed.try_set(Some(error));
                }
            }
        });
    };
    view! {
        <button
            class="button small" type="button" id=format!("resend-{id}") aria-label=format!("Resend {kind}")
            disabled=move || !hydrated.done() on:click=resend
        >"Resend"</button>
        <span class="field-error" role="alert">{move || failed.get().map(|error| error.to_string())}</span>
    }
}
