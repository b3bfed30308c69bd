//! A list of events: a sentence for each, with its details on demand.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos_router::components::A;

use crate::console::audit::server_fns::EventPage;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::time::{RelativeTime, exact};
use crate::domain::event_description::{DescribedEvent, Segment};
use crate::domain::routes;

/// One page of events.
#[component]
pub fn EventList(
    page: EventPage,
    /// True if the list is filtered.
    filtered: bool,
) -> impl IntoView {
    let EventPage { now, page } = page;
    if page.items.is_empty() {
        let (title, hint) = if filtered {
            (
                "No event matches this filter.",
                "Try fewer filters or another time range.",
            )
        } else {
            (
                "No events yet.",
                "All changes to partners, keys and operators are listed here.",
            )
        };
        return view! {
            <div class="table-frame">
                <div class="empty">
                    <Icon glyph=Glyph::Layers/>
                    <p><strong>{title}</strong></p>
                    <p>{hint}</p>
                </div>
            </div>
        }
        .into_any();
    }
    view! {
        <ol class="table-frame events">
            {page.items.into_iter().map(|described| view! { <EventItem described now/> }).collect_view()}
        </ol>
    }
    .into_any()
}

#[component]
fn EventItem(described: DescribedEvent, now: DateTime<Utc>) -> impl IntoView {
    let DescribedEvent {
        event,
        partner_name,
        sentence,
        details,
    } = described;
    let sentence = sentence.into_iter().map(|segment| match segment {
        Segment::Text(text) => view! { <span>{text}</span> }.into_any(),
        Segment::Name(text) => view! { <bdi class="strong">{text}</bdi> }.into_any(),
    });
    let of = |path, name, value: String| routes::address(path, &[(name, Some(&value))]);
    let id = event.event_id;
    let key = event.key_id.map(|key_id| {
        let key_id = key_id.as_str().to_owned();
        let (key, events) = (
            of(routes::KEYS, "q", key_id.clone()),
            of(routes::AUDIT, "keyId", key_id.clone()),
        );
        view! {
            <Detail about="Key"><A href=key><code>{key_id}</code></A>" · "<a href=events>"its events"</a></Detail>
        }
    });
    let partner = event.partner_id.map(|partner_id| {
        let name = partner_name.unwrap_or_else(|| partner_id.to_string());
        let partner_id = partner_id.to_string();
        let (keys, events) = (
            of(routes::KEYS, "partnerId", partner_id.clone()),
            of(routes::AUDIT, "partnerId", partner_id),
        );
        view! {
            <Detail about="Partner">
                <A href=keys><bdi>{name}</bdi></A>" · "<a href=events>"its events"</a>
            </Detail>
        }
    });
    let asset = event.asset_id.map(
        |asset_id| view! { <Detail about="Asset"><code>{asset_id.to_string()}</code></Detail> },
    );
    let ip = event
        .ip
        .map(|ip| view! { <Detail about="Address"><code>{ip}</code></Detail> });
    let request = event
        .request_id
        .map(|id| view! { <Detail about="Request"><code>{id}</code></Detail> });
    let actor = of(routes::AUDIT, "actor", event.actor.id.clone());
    view! {
        <li class="event">
            <div class="event-time"><RelativeTime id=format!("at-{id}") at=Some(event.at) now/></div>
            <details>
                <summary>{sentence.collect_view()}</summary>
                <dl class="facts">
                    <Detail about="Action"><code>{event.action.into_str()}</code></Detail>
                    <Detail about="Actor">
                        <a href=actor><bdi>{event.actor.id.clone()}</bdi></a>
                        {format!(" ({})", event.actor.kind.into_str())}
                    </Detail>
                    <Detail about="Time">{exact(event.at)}</Detail>
                    {key}
                    {partner}
                    {asset}
                    {ip}
                    {request}
                    {details.into_iter().map(|detail| view! {
                        <div><dt>{detail.label}</dt><dd><bdi>{detail.value}</bdi></dd></div>
                    }).collect_view()}
                </dl>
            </details>
        </li>
    }
}

#[component]
fn Detail(about: &'static str, children: Children) -> impl IntoView {
    view! { <div><dt>{about}</dt><dd>{children()}</dd></div> }
}
