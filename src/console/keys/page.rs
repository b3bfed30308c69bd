//! The tab "API Keys / Rotation".

use leptos::prelude::*;
use leptos_meta::Title;
use strum::VariantArray;

use crate::console::keys::bulk::dialog::BulkStart;
use crate::console::keys::overview::{OverviewBar, format_count};
use crate::console::keys::server_fns::{KeyPage, keys_overview, list_keys};
use crate::console::keys::table::KeyTable;
use crate::console::kit::filters::{ChoiceFilter, FilterForm, HistoryEntry, SearchFilter};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::partners::filter::PartnerFilter;
use crate::console::shell::alert::{NeedsScript, StatusLine};
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::list_page::{Answers, ListQuery};
use crate::console::shell::live;
use crate::console::shell::refresh::Refresh;
use crate::console::shell::remote::Latest;
use crate::console::shell::session::may_change;
use crate::domain::key::KeyStatus;
use crate::domain::key_list::{KeyListInput, KeyOrder};
use crate::domain::overview::{Overview, OverviewInput};
use crate::domain::routes;

/// The list of keys.
#[component]
pub fn KeysPage() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    on_cleanup(move || host.leave_page());
    let query = ListQuery::<KeyListInput>::new(routes::KEYS);
    let asked = query.memo();
    let keys = Latest::new(asked, list_keys);
    let partner = Memo::new(move |_| OverviewInput {
        partner_id: asked.get().partner_id,
    });
    let overview = Latest::new(partner, keys_overview);
    live::follow(expect_context::<Refresh>());
    let show = Callback::new(move |page: ArcRwSignal<KeyPage>| {
        let answer = RwSignal::from(page.clone());
        // The pager continues from the page that is shown, not from the one that is loading.
        let pager = move || answer.with(|answer| query.pager(&answer.page, ("key", "keys")));
        view! {
            <KeyTable page asked/>
            {pager}
        }
        .into_any()
    });
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
        <StatusLine/>
        {overview.view_or(
            move |overview| view! { <OverviewBar overview asked/> }.into_any(),
            // The list below shows the error.
            |_| ().into_any(),
        )}
        <Filters query overview/>
        <Answers answers=keys show/>
        <SecurityNotes/>
    }
}

#[component]
fn PageActions(asked: Memo<KeyListInput>) -> impl IntoView {
    let host = expect_context::<DialogHost>();
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
                        let asked = asked.get_untracked();
                        host.open(OpenDialog::Bulk(BulkStart::Form {
                            rotation_due: asked.rotation_due.is_some(),
                            partner_id: asked.partner_id,
                        }));
                    }
                >
                    <Icon glyph=Glyph::Layers/> "Bulk actions"
                </button>
                <button
                    class="button primary"
                    type="button"
                    id="generate-key"
                    disabled=move || !hydrated.done()
                    on:click=move |_| host.open(OpenDialog::Issue(asked.get_untracked().partner_id))
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
                <li><Icon glyph=Glyph::Lock/><span>"Secrets are peppered and Argon2id-hashed, never stored in plain text."</span></li>
                <li><Icon glyph=Glyph::Rotate/><span>"Use separate keys per environment, rotate them regularly, and revoke on exposure."</span></li>
                <li><Icon glyph=Glyph::Shield/><span>"Give the least privilege: " <code>"assets:read"</code> " or " <code>"reverify"</code> " for partners who only consume."</span></li>
            </ul>
        </section>
    }
}

#[component]
fn Filters(query: ListQuery<KeyListInput>, overview: Latest<Overview>) -> impl IntoView {
    let text = RwSignal::new(query.get().q.unwrap_or_default());
    // A choice includes the typed search, and starts at the first page.
    let now = move || KeyListInput {
        q: Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty()),
        cursor: None,
        ..query.get()
    };
    let go_to = move |input: KeyListInput| query.go_to(&input, HistoryEntry::New);
    let on_partner = Callback::new(move |partner_id| {
        go_to(KeyListInput {
            partner_id,
            ..now()
        })
    });
    let on_status = Callback::new(move |status| go_to(KeyListInput { status, ..now() }));
    let on_sort = Callback::new(move |sort| go_to(KeyListInput { sort, ..now() }));
    let on_search =
        Callback::new(move |(q, entry)| query.go_to(&KeyListInput { q, ..now() }, entry));
    let on_submit = Callback::new(move |()| go_to(now()));
    let orders = KeyOrder::VARIANTS.iter().copied().map(|order| {
        let value = match order {
            KeyOrder::Newest => String::new(),
            _ => order.into_str().to_owned(),
        };
        (value, order_label(order).to_owned())
    });
    let orders: Vec<_> = orders.collect();
    view! {
        <FilterForm action=routes::KEYS on_submit>
            <SearchFilter label="Search keyId or partner name" value=query.field(|asked| asked.q) text on_search/>
            <PartnerFilter value=query.field(|asked| asked.partner_id) on_choice=on_partner/>
            <ChoiceFilter
                label="Status filter" name="status" value=query.field(|asked| asked.status)
                options=statuses(query.memo(), overview) on_choice=on_status
            />
            <ChoiceFilter
                label="Sort by" name="sort" value=query.field(|asked| asked.sort)
                options=Signal::stored(orders) on_choice=on_sort
            />
        </FilterForm>
    }
}

/// The statuses to filter by, with their counts. Beside a filter other than the partner, counts of all keys
/// would promise more than the list then shows.
fn statuses(
    asked: Memo<KeyListInput>,
    overview: Latest<Overview>,
) -> Signal<Vec<(String, String)>> {
    let counts = RwSignal::new(None::<Overview>);
    Effect::new(move || {
        if let Some(latest) = overview.latest() {
            counts.set(Some(latest));
        }
    });
    Signal::derive(move || {
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
                Some(count) => format!("{name} ({})", format_count(count)),
                None => name.to_owned(),
            };
            (name.to_owned(), label)
        };
        let any = (String::new(), "Any status".to_owned());
        std::iter::once(any)
            .chain(KeyStatus::VARIANTS.iter().copied().map(option))
            .collect()
    })
}

const fn order_label(order: KeyOrder) -> &'static str {
    match order {
        KeyOrder::Newest => "Newest first",
        KeyOrder::Oldest => "Oldest first",
        KeyOrder::UsedLast => "Recently used",
        KeyOrder::UnusedLongest => "Longest unused",
        KeyOrder::EndsLast => "Expiry (latest)",
        KeyOrder::EndsFirst => "Expiry (soonest)",
    }
}
