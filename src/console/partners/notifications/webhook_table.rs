//! The webhooks of a partner, and whether its contact gets e-mail.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;
use strum::VariantArray;

use crate::console::keys::status::PartnerBadge;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::time::RelativeTime;
use crate::console::partners::notifications::server_fns::{NotificationsData, update_webhook};
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote;
use crate::console::shell::step_up::RefusalAlert;
use crate::domain::error::AppError;
use crate::domain::notification::NotificationKind;
use crate::domain::operator::Role;
use crate::domain::partner::Partner;
use crate::domain::patch::Patch;
use crate::domain::webhook::{Webhook, WebhookUpdateInput};

/// The webhooks of a page.
#[component]
pub fn WebhookTable(answer: NotificationsData) -> impl IntoView {
    let NotificationsData {
        now,
        viewer,
        partner,
        webhooks,
        ..
    } = answer;
    let may_change = viewer.role == Role::Admin;
    let empty = webhooks.is_empty().then(|| {
        view! {
            <div class="empty">
                <Icon glyph=Glyph::Layers/>
                <p><strong>"No webhooks yet."</strong></p>
                <p>"A webhook is a URL of the partner that is notified of changes to its keys within seconds."</p>
            </div>
        }
    });
    let contact = match partner.contact_email.clone() {
        Some(email) => {
            view! { <span>"E-mail goes to " <bdi>{email}</bdi> ", if this server is set up to send it."</span> }
                .into_any()
        }
        None => view! { <span>"The partner has no contact address, so it gets no e-mail."</span> }
            .into_any(),
    };
    view! {
        <div class="section-head">
            <h2 class="section">"Webhooks of " <bdi>{partner.name.clone()}</bdi></h2>
            {may_change.then(|| view! { <NewButton partner=partner.clone()/> })}
        </div>
        <p class="lead">{contact}</p>
        <div class="table-frame">
            <table class="keys webhooks" aria-label="Webhooks" class:bare=empty.is_some()>
                <thead>
                    <tr>
                        <th scope="col">"URL"</th>
                        <th scope="col">"Notifications"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Created"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>
                    {webhooks.into_iter().map(|webhook| view! { <WebhookRow webhook now may_change/> }).collect_view()}
                </tbody>
            </table>
            {empty}
        </div>
    }
}

#[component]
fn NewButton(partner: Partner) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    view! {
        <button
            class="button primary" type="button" id="new-webhook" disabled=move || !hydrated.done()
            on:click=move |_| host.open(OpenDialog::NewWebhook(partner.partner_id, partner.name.clone()))
        >
            <Icon glyph=Glyph::Plus/> "New webhook"
        </button>
    }
}

#[component]
fn WebhookRow(webhook: Webhook, now: DateTime<Utc>, may_change: bool) -> impl IntoView {
    let id = webhook.webhook_id;
    let kinds = if webhook.kinds.len() == NotificationKind::VARIANTS.len() {
        view! { <span>"all"</span> }.into_any()
    } else {
        let chip =
            |kind: &NotificationKind| view! { <span class="chip">{kind.into_str()}</span> " " };
        view! { <span class="chips">{webhook.kinds.iter().map(chip).collect_view()}</span> }
            .into_any()
    };
    let actions = may_change.then(|| view! { <RowActions webhook=webhook.clone()/> });
    view! {
        <tr>
            <td data-label="URL"><bdi class="strong">{webhook.url}</bdi></td>
            <td data-label="Notifications">{kinds}</td>
            <td data-label="Status"><PartnerBadge active=webhook.active/></td>
            <td data-label="Created"><RelativeTime id=format!("created-{id}") at=Some(webhook.created_at) now/></td>
            <td data-label="Actions" class="row-actions">{actions}</td>
        </tr>
    }
}

#[component]
fn RowActions(webhook: Webhook) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    let failed = RwSignal::new(None::<AppError>);
    let (id, active) = (webhook.webhook_id, webhook.active);
    let (switch, done) = if active {
        ("Deactivate", "The webhook is deactivated.")
    } else {
        ("Activate", "The webhook is active.")
    };
    let on_switch = move |_| {
        let input = WebhookUpdateInput {
            active: Patch::Set(!active),
            ..WebhookUpdateInput::default()
        };
        failed.set(None);
        spawn_local(async move {
            match remote::answer(update_webhook(id, input)).await {
                Ok(_) => host.report(done),
                Err(error) => {
                    failed.try_set(Some(error));
                }
            }
        });
    };
    let label = |what: &str| format!("{what} {}", webhook.url);
    let (switch_label, delete_label) = (label(switch), label("Delete"));
    view! {
        <button
            class="button small" type="button" id=format!("switch-{id}") aria-label=switch_label
            disabled=move || !hydrated.done() on:click=on_switch
        >{switch}</button>
        <button
            class="button small danger-quiet" type="button" id=format!("delete-{id}") aria-label=delete_label
            disabled=move || !hydrated.done()
            on:click=move |_| host.open(OpenDialog::DeleteWebhook(webhook.clone()))
        >"Delete"</button>
        {move || failed.get().map(|error| view! { <RefusalAlert error/> })}
    }
}
