//! The tab "API Keys / Rotation".

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use strum::VariantArray;

use crate::console::keys::bulk::dialog::BulkStart;
use crate::console::keys::overview::{OverviewBar, words as count_words};
use crate::console::keys::server_fns::{KeyPage, keys_overview, list_keys};
use crate::console::keys::table::KeyTable;
use crate::console::kit::filters::{self, ChoiceFilter, FilterForm, SearchFilter, use_go};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::pager::pager;
use crate::console::partners::filter::PartnerFilter;
use crate::console::shell::alert::{DoneNotice, ErrorNotice, NeedsScript};
use crate::console::shell::dialog_host::{Desk, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::live;
use crate::console::shell::remote::Latest;
use crate::console::shell::session::may_change;
use crate::domain::key::KeyStatus;
use crate::domain::key_list::{KeyListInput, KeyOrder};
use crate::domain::overview::{Overview, OverviewInput};
use crate::domain::routes;

/// The keys, and what can be done with them.
#[component]
pub fn KeysPage() -> impl IntoView {
    let desk = expect_context::<Desk>();
    on_cleanup(move || desk.leave_page());
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let value = |name| filters::chosen(&query.read(), name);
        KeyListInput {
            partner_id: value("partnerId"),
            q: value("q"),
            status: value("status"),
            environment: value("environment"),
            rotation_due: value("rotationDue"),
            stale: value("stale"),
            expiring: value("expiring"),
            still_used: value("stillUsed"),
            refused: value("refused"),
            never_used: value("neverUsed"),
            sort: value("sort"),
            limit: None,
            cursor: value("cursor"),
        }
    });
    let keys = Latest::new(asked, desk.changes(), list_keys);
    let pending = keys.pending();
    let partner = Memo::new(move |_| OverviewInput {
        partner_id: asked.get().partner_id,
    });
    let overview = Latest::new(partner, desk.changes(), keys_overview);
    // What others do is shown as it happens, with every row that stays as it is left in its place.
    live::follow(move || desk.changed());
    let show = move |page: ArcRwSignal<KeyPage>| {
        let answer = RwSignal::from(page.clone());
        // The pager leads on from the page that is shown, not from the one that is asked for.
        let pages = move || {
            let asked = asked.get_untracked();
            answer.with(|answer| {
                pager(
                    &answer.page,
                    asked.cursor.as_ref(),
                    ("key", "keys"),
                    |cursor| {
                        routes::keys(&KeyListInput {
                            cursor,
                            ..asked.clone()
                        })
                    },
                )
            })
        };
        view! {
            <KeyTable page asked/>
            {pages}
        }
        .into_any()
    };
    let fail = move |error| {
        let again = Callback::new(move |()| desk.changed());
        view! { <ErrorNotice error on_retry=again/> }.into_any()
    };
    view! {
        <Title text="API Keys / Rotation"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"API Keys / Rotation"</h1>
                <p class="lead">"Issue, rotate and revoke the keys that partners call the registry with."</p>
            </div>
            <PageActions asked/>
        </div>
        <NeedsScript what="Issuing and rotating a key"/>
        <DoneNotice/>
        {overview.view_kept(
            move |overview| view! { <OverviewBar overview asked/> }.into_any(),
            // The list below says what is wrong.
            |_| ().into_any(),
        )}
        <Filters asked overview/>
        <div class="list" aria-busy=move || pending.get().to_string()>
            {keys.view_kept(show, fail)}
        </div>
        <SecurityNotes/>
    }
}

#[component]
fn PageActions(asked: Memo<KeyListInput>) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let hydrated = expect_context::<Hydrated>();
    let may_change = may_change();
    view! {
        <Suspense fallback=|| ()>
            {move || may_change.get().then(|| view! {
                <div class="row">
                <button
                    class="button"
                    type="button"
                    id="bulk-keys"
                    disabled=move || !hydrated.done()
                    on:click=move |_| {
                        let partner_id = asked.get_untracked().partner_id;
                        let due = asked.get_untracked().rotation_due.is_some();
                        desk.open(OpenDialog::Bulk(BulkStart::Form(partner_id, due)));
                    }
                >
                    <Icon glyph=Glyph::Layers/> "Many keys"
                </button>
                <button
                    class="button primary"
                    type="button"
                    id="generate-key"
                    disabled=move || !hydrated.done()
                    on:click=move |_| desk.open(OpenDialog::Issue(asked.get_untracked().partner_id))
                >
                    <Icon glyph=Glyph::Plus/> "Generate New Key"
                </button>
                </div>
            })}
        </Suspense>
    }
}

#[component]
fn SecurityNotes() -> impl IntoView {
    view! {
        <section class="notes" aria-labelledby="notes-heading">
            <h2 id="notes-heading">"Security Notes"</h2>
            <ul>
                <li><Icon glyph=Glyph::Eye/><span>"A token is shown once, when its key is issued or rotated."</span></li>
                <li><Icon glyph=Glyph::Lock/><span>"Secrets are peppered and Argon2id-hashed, never kept in plain text."</span></li>
                <li><Icon glyph=Glyph::Rotate/><span>"Use separate keys per environment, rotate them regularly, and revoke on exposure."</span></li>
                <li><Icon glyph=Glyph::Shield/><span>"Give the least privilege: " <code>"assets:read"</code> " or " <code>"reverify"</code> " for partners who only consume."</span></li>
            </ul>
        </section>
    }
}

#[component]
fn Filters(asked: Memo<KeyListInput>, overview: Latest<Overview>) -> impl IntoView {
    let text = RwSignal::new(asked.get_untracked().q.unwrap_or_default());
    let go = StoredValue::new(use_go());
    let to =
        move |input: KeyListInput, replace| go.with_value(|go| go(routes::keys(&input), replace));
    // A choice takes along what is typed in the search field, and begins at the first page.
    let now = move || KeyListInput {
        q: Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty()),
        cursor: None,
        ..asked.get_untracked()
    };
    let on_partner = Callback::new(move |partner_id| {
        to(
            KeyListInput {
                partner_id,
                ..now()
            },
            false,
        )
    });
    let on_status = Callback::new(move |status| to(KeyListInput { status, ..now() }, false));
    let on_sort = Callback::new(move |sort| to(KeyListInput { sort, ..now() }, false));
    let on_search = Callback::new(move |(q, goes_on)| to(KeyListInput { q, ..now() }, goes_on));
    let submit = Callback::new(move |()| to(now(), false));
    let counts = RwSignal::new(None::<Overview>);
    Effect::new(move || {
        if let Some(latest) = overview.latest() {
            counts.set(Some(latest));
        }
    });
    // The numbers are those of the whole list, or of one partner's: beside another filter they would
    // promise more than the list then shows.
    let statuses = Signal::derive(move || {
        let is_counted = asked.with(|asked| {
            let plain = KeyListInput {
                partner_id: asked.partner_id.clone(),
                status: asked.status.clone(),
                sort: asked.sort.clone(),
                cursor: asked.cursor.clone(),
                ..KeyListInput::default()
            };
            *asked == plain
        });
        let counts = counts.get().filter(|_| is_counted);
        let option = |status: KeyStatus| {
            let name = status.into_str();
            let count = counts.as_ref().and_then(|counts| counts.of(status));
            let label = match count {
                Some(count) => format!("{name} ({})", count_words(count)),
                None => name.to_owned(),
            };
            (name.to_owned(), label)
        };
        let any = (String::new(), "Any status".to_owned());
        std::iter::once(any)
            .chain(KeyStatus::VARIANTS.iter().copied().map(option))
            .collect::<Vec<_>>()
    });
    let orders = KeyOrder::VARIANTS.iter().copied().map(|order| {
        let value = match order {
            KeyOrder::Newest => String::new(),
            _ => order.into_str().to_owned(),
        };
        (value, words(order).to_owned())
    });
    let orders = Vec::from_iter(orders);
    view! {
        <FilterForm action=routes::KEYS on_submit=submit>
            <SearchFilter label="Search keyId or partner name" value=Signal::derive(move || asked.get().q) text on_search/>
            <PartnerFilter value=Signal::derive(move || asked.get().partner_id) on_choice=on_partner/>
            <ChoiceFilter
                label="Status filter" name="status" value=Signal::derive(move || asked.get().status)
                options=statuses on_choice=on_status
            />
            <ChoiceFilter
                label="Sort by" name="sort" value=Signal::derive(move || asked.get().sort)
                options=Signal::stored(orders) on_choice=on_sort
            />
        </FilterForm>
    }
}

/// What an order is called.
const fn words(order: KeyOrder) -> &'static str {
    match order {
        KeyOrder::Newest => "Newest first",
        KeyOrder::Oldest => "Oldest first",
        KeyOrder::UsedLast => "Used last",
        KeyOrder::UnusedLongest => "Unused for longest",
        KeyOrder::EndsLast => "Ends last",
        KeyOrder::EndsFirst => "Ends first",
    }
}
