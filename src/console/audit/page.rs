//! The tab "History".

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use strum::VariantArray;
use uuid::Uuid;

use crate::console::audit::event_list::EventList;
use crate::console::audit::server_fns::{EventPage, list_events};
use crate::console::kit::filters::{
    self, ChoiceFilter, FilterForm, MomentFilter, SearchFilter, use_go,
};
use crate::console::kit::pager::pager;
use crate::console::partners::filter::PartnerFilter;
use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::remote::{self, Latest};
use crate::domain::audit::Action;
use crate::domain::error::AppError;
use crate::domain::list::{EventListInput, ExportFormat};
use crate::domain::routes;

/// How often an open first page asks whether there is more.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it asks at most: looking keeps a session from timing out, and nobody may be there.
const MOST_LOOKS: u32 = 120;

/// What was done, by whom and when.
#[component]
pub fn AuditPage() -> impl IntoView {
    let desk = expect_context::<Desk>();
    on_cleanup(move || desk.leave_page());
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let value = |name| filters::chosen(&query.read(), name);
        EventListInput {
            key_id: value("keyId"),
            partner_id: value("partnerId"),
            actor: value("actor"),
            action: value("action"),
            since: value("since"),
            until: value("until"),
            limit: None,
            cursor: value("cursor"),
        }
    });
    let wanted = Memo::new(move |_| with_moments(asked.get()));
    let events = Latest::new(wanted, desk.changes(), list_events);
    let pending = events.pending();
    let newest = RwSignal::new(None::<Uuid>);
    let show = move |outcome: Result<EventPage, AppError>| match outcome {
        Ok(page) => {
            let asked = asked.get_untracked();
            newest.set(page.page.items.first().map(|told| told.event.event_id));
            let at = |cursor| {
                address(&EventListInput {
                    cursor,
                    ..asked.clone()
                })
            };
            let pager = pager(&page.page, asked.cursor.as_ref(), ("event", "events"), at);
            let filtered = asked != EventListInput::default();
            view! {
                <EventList page filtered/>
                {pager}
            }
            .into_any()
        }
        Err(error) => {
            let again = Callback::new(move |()| desk.changed());
            view! { <ErrorNotice error on_retry=again/> }.into_any()
        }
    };
    view! {
        <Title text="History"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"History"</h1>
                <p class="lead">"Who did what, when and from where. Nobody can change what stands here."</p>
            </div>
            <Exports wanted/>
        </div>
        <Filters asked/>
        <Newer wanted newest/>
        <div class="list" aria-busy=move || pending.get().to_string()>
            {events.view(show)}
        </div>
    }
}

#[component]
fn Exports(wanted: Memo<EventListInput>) -> impl IntoView {
    let link = move |format: ExportFormat| {
        let wanted = wanted.get();
        routes::address(
            routes::AUDIT_EXPORT,
            &[
                ("format", Some(format.into_str())),
                ("keyId", wanted.key_id.as_deref()),
                ("partnerId", wanted.partner_id.as_deref()),
                ("actor", wanted.actor.as_deref()),
                ("action", wanted.action.as_deref()),
                ("since", wanted.since.as_deref()),
                ("until", wanted.until.as_deref()),
            ],
        )
    };
    // Files of the server's, not pages: the router must leave them alone.
    view! {
        <div class="row">
            <a class="button" rel="external" download="" href=move || link(ExportFormat::Csv)>"Export CSV"</a>
            <a class="button" rel="external" download="" href=move || link(ExportFormat::Ndjson)>"Export NDJSON"</a>
        </div>
    }
}

#[component]
fn Filters(asked: Memo<EventListInput>) -> impl IntoView {
    let typed = |text: RwSignal<String>| {
        Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
    };
    let start = asked.get_untracked();
    let actor = RwSignal::new(start.actor.unwrap_or_default());
    let key = RwSignal::new(start.key_id.unwrap_or_default());
    let go = StoredValue::new(use_go());
    let to = move |input: EventListInput, replace| go.with_value(|go| go(address(&input), replace));
    // A choice takes along what is typed, and begins at the first page.
    let now = move || EventListInput {
        actor: typed(actor),
        key_id: typed(key),
        cursor: None,
        ..asked.get_untracked()
    };
    let choice = move |set: fn(&mut EventListInput, Option<String>)| {
        Callback::new(move |chosen| {
            let mut input = now();
            set(&mut input, chosen);
            to(input, false);
        })
    };
    let on_typed = Callback::new(move |(_, goes_on)| to(now(), goes_on));
    let submit = Callback::new(move |()| to(now(), false));
    let named = |action: Action| (action.into_str().to_owned(), action.into_str().to_owned());
    let actions: Vec<_> = [(String::new(), "Any action".to_owned())]
        .into_iter()
        .chain(Action::VARIANTS.iter().copied().map(named))
        .collect();
    let url =
        move |read: fn(EventListInput) -> Option<String>| Signal::derive(move || read(asked.get()));
    view! {
        <FilterForm action=routes::AUDIT on_submit=submit>
            <SearchFilter label="Actor" name="actor" value=url(|asked| asked.actor) text=actor on_search=on_typed/>
            <SearchFilter label="Key ID" name="keyId" value=url(|asked| asked.key_id) text=key on_search=on_typed/>
            <PartnerFilter value=url(|asked| asked.partner_id)
                on_choice=choice(|input, chosen| input.partner_id = chosen)/>
            <ChoiceFilter label="Action filter" name="action" value=url(|asked| asked.action)
                options=Signal::stored(actions) on_choice=choice(|input, chosen| input.action = chosen)/>
            <MomentFilter label="From (UTC)" name="since" value=url(|asked| asked.since)
                on_choice=choice(|input, chosen| input.since = chosen)/>
            <MomentFilter label="Before (UTC)" name="until" value=url(|asked| asked.until)
                on_choice=choice(|input, chosen| input.until = chosen)/>
        </FilterForm>
    }
}

/// Says that there are newer events than the first page shows. They are shown when the reader asks
/// for them: until then everything keeps its place.
#[component]
fn Newer(wanted: Memo<EventListInput>, newest: RwSignal<Option<Uuid>>) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let found = RwSignal::new(None::<Uuid>);
    let looks = StoredValue::new(0_u32);
    let look = move || {
        let wanted = wanted.get_untracked();
        if wanted.cursor.is_some() || !browser::is_visible() || looks.get_value() >= MOST_LOOKS {
            return;
        }
        looks.update_value(|looks| *looks += 1);
        let one = EventListInput {
            limit: Some("1".to_owned()),
            ..wanted
        };
        spawn_local(async move {
            if let Ok(answer) = remote::answer(list_events(one)).await {
                let first = answer.page.items.first().map(|told| told.event.event_id);
                found.try_set(first);
            }
        });
    };
    // Effects run in the browser alone.
    Effect::new(move || {
        wanted.track();
        looks.set_value(0);
        found.set(None);
        let timer = set_interval_with_handle(look, LOOK_EVERY);
        on_cleanup(move || {
            if let Ok(timer) = timer {
                timer.clear();
            }
        });
    });
    let is_newer = move || found.get().is_some_and(|found| newest.get() != Some(found));
    let show = move |_| {
        looks.set_value(0);
        found.set(None);
        desk.changed();
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

/// The moments in RFC 3339: the fields write them to the minute and without a zone.
fn with_moments(asked: EventListInput) -> EventListInput {
    let moment = |text: Option<String>| {
        text.map(|text| match text.len() {
            16 => text + ":00Z",
            19 => text + "Z",
            _ => text,
        })
    };
    EventListInput {
        since: moment(asked.since),
        until: moment(asked.until),
        ..asked
    }
}

/// The address of a view, under REST's names.
fn address(asked: &EventListInput) -> String {
    routes::address(
        routes::AUDIT,
        &[
            ("keyId", asked.key_id.as_deref()),
            ("partnerId", asked.partner_id.as_deref()),
            ("actor", asked.actor.as_deref()),
            ("action", asked.action.as_deref()),
            ("since", asked.since.as_deref()),
            ("until", asked.until.as_deref()),
            ("cursor", asked.cursor.as_deref()),
        ],
    )
}
