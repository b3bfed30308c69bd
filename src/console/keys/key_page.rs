//! The page of a key.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::use_params_map;

use crate::console::audit::event_list::EventList;
use crate::console::audit::server_fns::EventPage;
use crate::console::keys::actions::KeyActions;
use crate::console::keys::badges::KeyBadges;
use crate::console::keys::lineage::Lineage;
use crate::console::keys::server_fns::{KeyDetailsPage, show_key};
use crate::console::keys::uses_plot::UsesPlot;
use crate::console::kit::number::number;
use crate::console::kit::time::RelativeTime;
use crate::console::shell::alert::StatusLine;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::list_page::Answers;
use crate::console::shell::live;
use crate::console::shell::refresh::Refresh;
use crate::console::shell::remote::Latest;
use crate::domain::key::KeyView;
use crate::domain::operator::Role;
use crate::domain::page::Page;
use crate::domain::routes;

/// Everything about one key.
#[component]
pub fn KeyPage() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    on_cleanup(move || host.leave_page());
    let params = use_params_map();
    let key_id = Memo::new(move |_| params.read().get("key_id").unwrap_or_default());
    let answers = Latest::new(key_id, show_key);
    live::follow(expect_context::<Refresh>());
    let show =
        Callback::new(|page: ArcRwSignal<KeyDetailsPage>| view! { <Details page/> }.into_any());
    view! {
        <Title text=move || key_id.get()/>
        <div class="page-head">
            <div>
                <p class="crumb"><A href=routes::KEYS>"API Keys / Rotation"</A></p>
                <h1 tabindex="-1"><code>{key_id}</code></h1>
            </div>
        </div>
        <StatusLine/>
        <Answers answers show/>
    }
}

/// Each part is rendered again only when its data changes.
#[component]
fn Details(page: ArcRwSignal<KeyDetailsPage>) -> impl IntoView {
    let page = RwSignal::from(page);
    let now = Signal::derive(move || page.read().now);
    let may_change = Memo::new(move |_| page.read().viewer.role == Role::Admin);
    let key = Memo::new(move |_| page.read().details.key.clone());
    let hours = Memo::new(move |_| page.read().details.hours.clone());
    let days = Memo::new(move |_| page.read().details.days.clone());
    let lineage = Memo::new(move |_| page.read().details.lineage.clone());
    let events = Memo::new(move |_| {
        let details = &page.read().details;
        (details.events.clone(), details.more_events)
    });
    let head = move || {
        let (key, now) = (key.get(), now.get_untracked());
        view! {
            <div>
                {key.name.clone().map(|name| view! { <p class="strong"><bdi>{name}</bdi></p> })}
                <KeyBadges key=key.clone() now/>
            </div>
            <div class="row-actions">
                <KeyActions key=key.clone() now may_change=may_change.get() with_edit=true/>
            </div>
        }
    };
    let audit_link = move || {
        let key_id = key.get().key_id.to_string();
        let url = routes::address(routes::AUDIT, &[("keyId", Some(&key_id))]);
        let label = if events.get().1 {
            "All events of this key"
        } else {
            "Its events in the audit log"
        };
        view! { <A href=url>{label}</A> }
    };
    let event_list = move || {
        let page = EventPage {
            now: now.get_untracked(),
            page: Page {
                items: events.get().0,
                next_cursor: None,
                previous_cursor: None,
            },
        };
        view! { <EventList page filtered=false/> }
    };
    view! {
        <section class="panel key-head">
            {head}
            {move || view! { <Facts key=key.get() now/> }}
        </section>
        <section class="panel" aria-labelledby="use-heading">
            <h2 id="use-heading">"Use"</h2>
            <div class="plots">
                {move || view! { <UsesPlot heading="Last 48 hours" uses=hours.get() format="%e %b, %H:00" span="Hour (UTC)"/> }}
                {move || view! { <UsesPlot heading="Last 30 days" uses=days.get() format="%e %b" span="Day (UTC)"/> }}
            </div>
        </section>
        <section class="panel" aria-labelledby="lineage-heading">
            <h2 id="lineage-heading">"Lineage"</h2>
            {move || view! { <Lineage keys=lineage.get() current=key.get().key_id now=now.get_untracked()/> }}
        </section>
        <section aria-labelledby="events-heading">
            <h2 id="events-heading" class="section">"Events"</h2>
            {event_list}
            <p class="after-list">{audit_link}</p>
        </section>
    }
}

#[component]
fn Facts(key: KeyView, now: Signal<DateTime<Utc>>) -> impl IntoView {
    let partner = routes::address(
        routes::KEYS,
        &[("partnerId", Some(&key.partner_id.to_string()))],
    );
    let scopes = key.scopes.iter().map(|scope| {
        view! { <span class="chip">{scope.into_str()}</span> " " }
    });
    let time = |id: &'static str, at| view! { <RelativeTime id=id.to_owned() at now/> };
    let expires = match key.not_after {
        None => view! { "Never" }.into_any(),
        at => time("key-expires", at).into_any(),
    };
    let due = key.rotation_due_at.map(|at| {
        view! { <div><dt>"Rotation due"</dt><dd>{time("key-due", Some(at))}</dd></div> }
    });
    let revoked = key.revoked_reason.map(|reason| {
        view! { <div><dt>"Revocation reason"</dt><dd><code>{reason.into_str()}</code></dd></div> }
    });
    let address = key
        .last_used_ip
        .map(|ip| view! { " from " <code>{ip}</code> });
    view! {
        <dl class="facts">
            <div><dt>"Partner"</dt><dd><A href=partner><bdi>{key.partner_name}</bdi></A></dd></div>
            <div><dt>"Environment"</dt><dd>{key.environment.into_str()}</dd></div>
            <div><dt>"Scopes"</dt><dd><span class="chips">{scopes.collect_view()}</span></dd></div>
            <div><dt>"Rate / min"</dt><dd>{move || number(key.rate_per_minute.into())}</dd></div>
            <div><dt>"Not before"</dt><dd>{time("key-begins", Some(key.not_before))}</dd></div>
            <div><dt>"Expires"</dt><dd>{expires}</dd></div>
            {due}
            <div><dt>"Created"</dt><dd>{time("key-created", Some(key.created_at))} " by " <bdi>{key.created_by}</bdi></dd></div>
            <div><dt>"Last used"</dt><dd>{time("key-used", key.last_used_at)} {address}</dd></div>
            {revoked}
        </dl>
    }
}
