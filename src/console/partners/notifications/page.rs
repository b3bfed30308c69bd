//! The notifications of a partner: its webhooks and their deliveries.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use strum::VariantArray;
use uuid::Uuid;

use crate::console::kit::filters::{ChoiceFilter, FilterForm, HistoryEntry};
use crate::console::partners::notifications::delivery_table::DeliveryTable;
use crate::console::partners::notifications::server_fns::{NotificationsData, list_notifications};
use crate::console::partners::notifications::webhook_table::WebhookTable;
use crate::console::shell::alert::StatusLine;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::list_page::{Answers, ListQuery};
use crate::console::shell::remote::Latest;
use crate::domain::error::Missing;
use crate::domain::notification::DeliveryStatus;
use crate::domain::routes;
use crate::domain::webhook::DeliveryListInput;

/// A partner's webhooks and deliveries.
#[component]
pub fn NotificationsPage() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    on_cleanup(move || host.leave_page());
    let params = use_params_map();
    let partner_id = Memo::new(move |_| params.read().get("partner_id").unwrap_or_default());
    let path = Signal::derive(move || routes::notices(&partner_id.get()));
    let query = ListQuery::<DeliveryListInput>::new(path);
    let wanted = Memo::new(move |_| (partner_id.get(), query.memo().get()));
    let answers = Latest::new(wanted, |(partner_id, query)| async move {
        match Uuid::try_parse(&partner_id) {
            Ok(partner_id) => list_notifications(partner_id, query).await,
            Err(_) => Err(Missing::PartnerNotFound.into()),
        }
    });
    let show = Callback::new(move |answer: ArcRwSignal<NotificationsData>| {
        (move || {
            let answer = answer.get();
            host.restore_focus();
            let pager = query.pager(&answer.page, ("delivery", "deliveries"));
            let filtered = query.get() != DeliveryListInput::default();
            let deliveries = answer.clone();
            view! {
                <WebhookTable answer/>
                <h2 class="section">"Deliveries"</h2>
                <Filters path=path.get_untracked() query/>
                <DeliveryTable answer=deliveries filtered/>
                {pager}
            }
        })
        .into_any()
    });
    view! {
        <Title text="Notifications"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Notifications"</h1>
                <p class="lead">
                    "What a partner is notified of about its keys, by webhook and by e-mail. "
                    <a href=routes::PARTNERS>"All partners"</a>
                </p>
            </div>
        </div>
        <StatusLine/>
        <Answers answers show/>
    }
}

#[component]
fn Filters(path: String, query: ListQuery<DeliveryListInput>) -> impl IntoView {
    let on_choice = Callback::new(move |status| {
        let input = DeliveryListInput {
            status,
            cursor: None,
            ..query.get()
        };
        query.go_to(&input, HistoryEntry::New);
    });
    let named =
        |status: DeliveryStatus| (status.into_str().to_owned(), status.into_str().to_owned());
    let statuses: Vec<_> = [(String::new(), "Any status".to_owned())]
        .into_iter()
        .chain(DeliveryStatus::VARIANTS.iter().copied().map(named))
        .collect();
    view! {
        <FilterForm action=path on_submit=Callback::new(|()| ())>
            <ChoiceFilter
                label="Status filter" name="status" value=query.field(|asked| asked.status)
                options=Signal::stored(statuses) on_choice
            />
        </FilterForm>
    }
}
