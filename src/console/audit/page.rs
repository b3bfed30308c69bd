//! The tab "Audit log".

use std::time::Duration;
use strum::VariantArray;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use uuid::Uuid;

use crate::console::audit::event_list::EventList;
use crate::console::audit::server_fns::{EventPage, list_events};
use crate::console::kit::filters::{
    ChoiceFilter, FilterForm, HistoryEntry, MomentFilter, SearchFilter,
};
use crate::console::partners::filter::PartnerFilter;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::list_page::{Answers, ListQuery, list_url};
use crate::console::shell::refresh::Refresh;
use crate::console::shell::remote::{self, Latest};
use crate::domain::audit::Action;
use crate::domain::list::{EventExportInput, EventListInput, ExportFormat};
use crate::domain::routes;

/// How often the first page looks for newer events.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// The most polls without an action of the reader: each one keeps the session from timing out.
const MAX_POLLS: u32 = 120;

/// The audit log.
#[component]
pub fn AuditPage() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    on_cleanup(move || host.leave_page());
    let query = ListQuery::<EventListInput>::new(routes::AUDIT);
    let wanted = Memo::new(move |_| with_full_times(query.memo().get()));
    let answers = Latest::new(wanted, list_events);
    let newest = RwSignal::new(None::<Uuid>);
    let show = Callback::new(move |page: ArcRwSignal<EventPage>| {
        (move || {
            let page = page.get();
            newest.set(page.page.items.first().map(|item| item.event.event_id));
            let pager = query.pager(&page.page, ("event", "events"));
            let filtered = query.get() != EventListInput::default();
            view! {
                <EventList page filtered/>
                {pager}
            }
        })
        .into_any()
    });
    view! {
        <Title text="Audit log"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Audit log"</h1>
                <p class="lead">"Who did what, when and from where. Nobody can change these events."</p>
            </div>
            <Exports wanted/>
        </div>
        <Filters query/>
        <Newer wanted newest/>
        <Answers answers show/>
    }
}

#[component]
fn Exports(wanted: Memo<EventListInput>) -> impl IntoView {
    let link = move |format: ExportFormat| {
        let wanted = wanted.get();
        let input = EventExportInput {
            format: Some(format.into_str().to_owned()),
            key_id: wanted.key_id,
            partner_id: wanted.partner_id,
            actor: wanted.actor,
            action: wanted.action,
            since: wanted.since,
            until: wanted.until,
        };
        list_url(routes::AUDIT_EXPORT, &input)
    };
    // Files of the server, not pages: the router must leave the links alone.
    view! {
        <div class="row">
            <a class="button" rel="external" download="" href=move || link(ExportFormat::Csv)>"Export CSV"</a>
            <a class="button" rel="external" download="" href=move || link(ExportFormat::Ndjson)>"Export NDJSON"</a>
        </div>
    }
}

#[component]
fn Filters(query: ListQuery<EventListInput>) -> impl IntoView {
    let typed = |text: RwSignal<String>| {
        Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
    };
    let start = query.get();
    let actor = RwSignal::new(start.actor.unwrap_or_default());
    let key = RwSignal::new(start.key_id.unwrap_or_default());
    // A choice includes what is typed, and starts at the first page.
    let now = move || EventListInput {
        actor: typed(actor),
        key_id: typed(key),
        cursor: None,
        ..query.get()
    };
    let choice = move |set: fn(&mut EventListInput, Option<String>)| {
        Callback::new(move |chosen| {
            let mut input = now();
            set(&mut input, chosen);
            query.go_to(&input, HistoryEntry::New);
        })
    };
    let on_search = Callback::new(move |(_, entry)| query.go_to(&now(), entry));
    let on_submit = Callback::new(move |()| query.go_to(&now(), HistoryEntry::New));
    let named = |action: Action| (action.into_str().to_owned(), action.into_str().to_owned());
    let actions: Vec<_> = [(String::new(), "Any action".to_owned())]
        .into_iter()
        .chain(Action::VARIANTS.iter().copied().map(named))
        .collect();
    view! {
        <FilterForm action=routes::AUDIT on_submit>
            <SearchFilter label="Actor" name="actor" value=query.field(|asked| asked.actor) text=actor on_search/>
            <SearchFilter label="Key ID" name="keyId" value=query.field(|asked| asked.key_id) text=key on_search/>
            <PartnerFilter value=query.field(|asked| asked.partner_id)
                on_choice=choice(|input, chosen| input.partner_id = chosen)/>
            <ChoiceFilter label="Action filter" name="action" value=query.field(|asked| asked.action)
                options=Signal::stored(actions) on_choice=choice(|input, chosen| input.action = chosen)/>
            <MomentFilter label="From (UTC)" name="since" value=query.field(|asked| asked.since)
                on_choice=choice(|input, chosen| input.since = chosen)/>
            <MomentFilter label="Before (UTC)" name="until" value=query.field(|asked| asked.until)
                on_choice=choice(|input, chosen| input.until = chosen)/>
        </FilterForm>
    }
}

/// Says that there are newer events than the first page shows. They appear on request: until then
/// everything keeps its place.
#[component]
fn Newer(wanted: Memo<EventListInput>, newest: RwSignal<Option<Uuid>>) -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let found = RwSignal::new(None::<Uuid>);
    let polls = StoredValue::new(0_u32);
    let poll = move || {
        let wanted = wanted.get_untracked();
        if wanted.cursor.is_some() || !browser::is_visible() || polls.get_value() >= MAX_POLLS {
            return;
        }
        polls.update_value(|polls| *polls += 1);
        let one = EventListInput {
            limit: Some("1".to_owned()),
            ..wanted
        };
        spawn_local(async move {
            if let Ok(answer) = remote::answer(list_events(one)).await {
                let first = answer.page.items.first().map(|item| item.event.event_id);
                found.try_set(first);
            }
        });
    };
    // Effects run in the browser only.
    Effect::new(move || {
        wanted.track();
        polls.set_value(0);
        found.set(None);
        let timer = set_interval_with_handle(poll, POLL_INTERVAL);
        on_cleanup(move || {
            if let Ok(timer) = timer {
                timer.clear();
            }
        });
    });
    let is_newer = move || found.get().is_some_and(|found| newest.get() != Some(found));
    let show = move |_| {
        polls.set_value(0);
        found.set(None);
        refresh.now();
    };
    view! {
        <div role="status">
            {move || is_newer().then(|| view! {
                <p class="newer">
                    <button class="button small" type="button" id="show-newer" on:click=show>"Show newer events"</button>
                </p>
            })}
        </div>
    }
}

/// Completes times to RFC 3339: the fields write them to the minute and without a zone.
fn with_full_times(asked: EventListInput) -> EventListInput {
    let full = |text: Option<String>| {
        text.map(|text| match text.len() {
            16 => text + ":00Z",
            19 => text + "Z",
            _ => text,
        })
    };
    EventListInput {
        since: full(asked.since),
        until: full(asked.until),
        ..asked
    }
}
