//! What a partner is told of its keys: its webhooks, and how the telling went.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use strum::VariantArray;
use uuid::Uuid;

use crate::console::kit::filters::{self, ChoiceFilter, FilterForm, use_go};
use crate::console::kit::pager::pager;
use crate::console::partners::notifications::delivery_table::DeliveryTable;
use crate::console::partners::notifications::server_fns::{NoticesPage as Answer, list_notices};
use crate::console::partners::notifications::webhook_table::WebhookTable;
use crate::console::shell::alert::{DoneNotice, ErrorNotice};
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::remote::Latest;
use crate::domain::error::{AppError, Missing};
use crate::domain::notification::DeliveryStatus;
use crate::domain::routes;
use crate::domain::webhook::DeliveryListInput;

/// A partner's webhooks and deliveries.
#[component]
pub fn NoticesPage() -> impl IntoView {
    let desk = expect_context::<Desk>();
    on_cleanup(move || desk.leave_page());
    let (params, query) = (use_params_map(), use_query_map());
    let partner_id = Memo::new(move |_| params.read().get("partner_id").unwrap_or_default());
    let asked = Memo::new(move |_| {
        let value = |name| filters::chosen(&query.read(), name);
        DeliveryListInput {
            webhook_id: value("webhookId"),
            status: value("status"),
            limit: None,
            cursor: value("cursor"),
        }
    });
    let wanted = Memo::new(move |_| (partner_id.get(), asked.get()));
    let answer = Latest::new(wanted, desk.changes(), |(partner_id, query)| async move {
        match Uuid::try_parse(&partner_id) {
            Ok(partner_id) => list_notices(partner_id, query).await,
            Err(_) => Err(Missing::PartnerNotFound.into()),
        }
    });
    let pending = answer.pending();
    let show = move |outcome: Result<Answer, AppError>| match outcome {
        Ok(answer) => {
            desk.restore_focus();
            let (partner_id, asked) = wanted.get_untracked();
            let at = |cursor| {
                address(
                    &partner_id,
                    &DeliveryListInput {
                        cursor,
                        ..asked.clone()
                    },
                )
            };
            let cursor = asked.cursor.as_ref();
            let pager = pager(&answer.page, cursor, ("delivery", "deliveries"), at);
            let filtered = asked != DeliveryListInput::default();
            let deliveries = answer.clone();
            view! {
                <WebhookTable answer/>
                <h2 class="section">"Deliveries"</h2>
                <Filters partner_id asked/>
                <DeliveryTable answer=deliveries filtered/>
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
        <Title text="Notices"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Notices"</h1>
                <p class="lead">
                    "What a partner is told of its keys, by webhook and by mail. "
                    <a href=routes::PARTNERS>"All partners"</a>
                </p>
            </div>
        </div>
        <DoneNotice/>
        <div class="list" aria-busy=move || pending.get().to_string()>
            {answer.view(show)}
        </div>
    }
}

#[component]
fn Filters(partner_id: String, asked: DeliveryListInput) -> impl IntoView {
    let go = use_go();
    let chosen = asked.status.clone();
    let action = address(&partner_id, &DeliveryListInput::default());
    let to = StoredValue::new((go, partner_id, asked));
    let choose = move |status: Option<String>| {
        to.with_value(|(go, partner_id, asked)| {
            let input = DeliveryListInput {
                status,
                cursor: None,
                ..asked.clone()
            };
            go(address(partner_id, &input), false);
        });
    };
    let submit = Callback::new(|()| ());
    let named =
        |status: DeliveryStatus| (status.into_str().to_owned(), status.into_str().to_owned());
    let statuses: Vec<_> = [(String::new(), "Any status".to_owned())]
        .into_iter()
        .chain(DeliveryStatus::VARIANTS.iter().copied().map(named))
        .collect();
    view! {
        <FilterForm action on_submit=submit>
            <ChoiceFilter
                label="Status filter" name="status" value=Signal::stored(chosen)
                options=Signal::stored(statuses) on_choice=Callback::new(choose)
            />
        </FilterForm>
    }
}

/// The address of a view, under REST's names.
fn address(partner_id: &str, asked: &DeliveryListInput) -> String {
    routes::address(
        &routes::notices(partner_id),
        &[
            ("webhookId", asked.webhook_id.as_deref()),
            ("status", asked.status.as_deref()),
            ("cursor", asked.cursor.as_deref()),
        ],
    )
}
