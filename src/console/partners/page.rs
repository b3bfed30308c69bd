//! The tab "Partners".

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::console::kit::filters::{self, ChoiceFilter, FilterForm, SearchFilter, use_go};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::pager::pager;
use crate::console::partners::server_fns::{PartnerPage, list_partners};
use crate::console::partners::table::PartnerTable;
use crate::console::shell::alert::{DoneNotice, ErrorNotice};
use crate::console::shell::dialog_host::{Desk, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote::Latest;
use crate::console::shell::session::may_change;
use crate::domain::error::AppError;
use crate::domain::list::PartnerListInput;
use crate::domain::routes;

/// The partners, and what can be done with them.
#[component]
pub fn PartnersPage() -> impl IntoView {
    let desk = expect_context::<Desk>();
    on_cleanup(move || desk.leave_page());
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let value = |name| filters::chosen(&query.read(), name);
        PartnerListInput {
            q: value("q"),
            active: value("active"),
            limit: None,
            cursor: value("cursor"),
        }
    });
    let partners = Latest::new(asked, desk.changes(), list_partners);
    let pending = partners.pending();
    let show = move |outcome: Result<PartnerPage, AppError>| match outcome {
        Ok(page) => {
            desk.restore_focus();
            let asked = asked.get_untracked();
            let pager = pager(
                &page.page,
                asked.cursor.as_ref(),
                ("partner", "partners"),
                |cursor| {
                    address(&PartnerListInput {
                        cursor,
                        ..asked.clone()
                    })
                },
            );
            let filtered = asked != PartnerListInput::default();
            view! {
                <PartnerTable page filtered/>
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
        <Title text="Partners"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Partners"</h1>
                <p class="lead">"The organisations that call the registry. Deactivating one stops all its keys at once."</p>
            </div>
            <NewButton/>
        </div>
        <DoneNotice/>
        <Filters asked/>
        <div class="list" aria-busy=move || pending.get().to_string()>
            {partners.view(show)}
        </div>
    }
}

#[component]
fn NewButton() -> impl IntoView {
    let desk = expect_context::<Desk>();
    let hydrated = expect_context::<Hydrated>();
    let may_change = may_change();
    view! {
        <Suspense fallback=|| ()>
            {move || may_change.get().then(|| view! {
                <button
                    class="button primary" type="button" id="new-partner"
                    disabled=move || !hydrated.done()
                    on:click=move |_| desk.open(OpenDialog::EditPartner(None))
                >
                    <Icon glyph=Glyph::Plus/> "New partner"
                </button>
            })}
        </Suspense>
    }
}

#[component]
fn Filters(asked: Memo<PartnerListInput>) -> impl IntoView {
    let text = RwSignal::new(asked.get_untracked().q.unwrap_or_default());
    let go = StoredValue::new(use_go());
    let to =
        move |input: PartnerListInput, replace| go.with_value(|go| go(address(&input), replace));
    let now = move || PartnerListInput {
        q: Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty()),
        cursor: None,
        ..asked.get_untracked()
    };
    let on_active = Callback::new(move |active| to(PartnerListInput { active, ..now() }, false));
    let on_search = Callback::new(move |(q, goes_on)| to(PartnerListInput { q, ..now() }, goes_on));
    let submit = Callback::new(move |()| to(now(), false));
    let options = [
        ("", "Any status"),
        ("true", "active"),
        ("false", "deactivated"),
    ]
    .map(|(value, label)| (value.to_owned(), label.to_owned()));
    view! {
        <FilterForm action=routes::PARTNERS on_submit=submit>
            <SearchFilter label="Search partner name" value=Signal::derive(move || asked.get().q) text on_search/>
            <ChoiceFilter
                label="Status filter" name="active" value=Signal::derive(move || asked.get().active)
                options=Signal::stored(options.to_vec()) on_choice=on_active
            />
        </FilterForm>
    }
}

/// The address of a view, under REST's names.
fn address(asked: &PartnerListInput) -> String {
    routes::address(
        routes::PARTNERS,
        &[
            ("q", asked.q.as_deref()),
            ("active", asked.active.as_deref()),
            ("cursor", asked.cursor.as_deref()),
        ],
    )
}
