//! The tab "Partners".

use leptos::prelude::*;
use leptos_meta::Title;

use crate::console::kit::filters::{ChoiceFilter, FilterForm, HistoryEntry, SearchFilter};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::partners::server_fns::{PartnerPage, list_partners};
use crate::console::partners::table::PartnerTable;
use crate::console::shell::alert::StatusLine;
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::list_page::{Answers, ListQuery};
use crate::console::shell::remote::Latest;
use crate::console::shell::session::may_change;
use crate::domain::list::PartnerListInput;
use crate::domain::routes;

/// The list of partners.
#[component]
pub fn PartnersPage() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    on_cleanup(move || host.leave_page());
    let query = ListQuery::<PartnerListInput>::new(routes::PARTNERS);
    let answers = Latest::new(query.memo(), list_partners);
    let show = Callback::new(move |page: ArcRwSignal<PartnerPage>| {
        (move || {
            let page = page.get();
            host.restore_focus();
            let pager = query.pager(&page.page, ("partner", "partners"));
            let filtered = query.get() != PartnerListInput::default();
            view! {
                <PartnerTable page filtered/>
                {pager}
            }
        })
        .into_any()
    });
    view! {
        <Title text="Partners"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Partners"</h1>
                <p class="lead">"The organisations that call the registry. Deactivating one stops all its keys immediately."</p>
            </div>
            <NewButton/>
        </div>
        <StatusLine/>
        <Filters query/>
        <Answers answers show/>
    }
}

#[component]
fn NewButton() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    let may_change = may_change();
    view! {
        <Suspense fallback=|| ()>
            {move || may_change.get().then(|| view! {
                <button
                    class="button primary" type="button" id="new-partner"
                    disabled=move || !hydrated.done()
                    on:click=move |_| host.open(OpenDialog::EditPartner(None))
                >
                    <Icon glyph=Glyph::Plus/> "New partner"
                </button>
            })}
        </Suspense>
    }
}

#[component]
fn Filters(query: ListQuery<PartnerListInput>) -> impl IntoView {
    let text = RwSignal::new(query.get().q.unwrap_or_default());
    let now = move || PartnerListInput {
        q: Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty()),
        cursor: None,
        ..query.get()
    };
    let on_active = Callback::new(move |active| {
        query.go_to(&PartnerListInput { active, ..now() }, HistoryEntry::New);
    });
    let on_search =
        Callback::new(move |(q, entry)| query.go_to(&PartnerListInput { q, ..now() }, entry));
    let on_submit = Callback::new(move |()| query.go_to(&now(), HistoryEntry::New));
    let options = [
        ("", "Any status"),
        ("true", "active"),
        ("false", "deactivated"),
    ]
    .map(|(value, label)| (value.to_owned(), label.to_owned()));
    view! {
        <FilterForm action=routes::PARTNERS on_submit>
            <SearchFilter label="Search partner name" value=query.field(|asked| asked.q) text on_search/>
            <ChoiceFilter
                label="Status filter" name="active" value=query.field(|asked| asked.active)
                options=Signal::stored(options.to_vec()) on_choice=on_active
            />
        </FilterForm>
    }
}
