//! The tab "API Keys / Rotation".

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Form;
use leptos_router::hooks::use_query_map;

use crate::domain::error::AppError;
use crate::domain::key::{KeyStatus, KeyView};
use crate::domain::list::{KeyListInput, PartnerListInput};
use crate::domain::page::Page;
use crate::domain::partner::Partner;
use crate::rpc::keys::list_keys;
use crate::rpc::partners::list_partners;
use crate::ui::components::issue_dialog::IssueDialog;
use crate::ui::components::key_table::{KeyChoice, KeyTable};
use crate::ui::components::notice::ErrorNotice;
use crate::ui::components::revoke_dialog::RevokeDialog;
use crate::ui::components::rotate_dialog::RotateDialog;
use crate::ui::components::token_reveal::{Revealed, TokenReveal};
use crate::ui::hydration::Hydrated;
use crate::ui::links;
use crate::ui::session::may_change;

/// The one dialog that is open, if any. A token is here while it is shown, and nowhere else.
#[derive(Clone)]
enum OpenDialog {
    Closed,
    Issue,
    Rotate(KeyView),
    Revoke(KeyView),
    Reveal(Revealed),
}

/// The keys, and what can be done with them.
#[component]
pub fn KeysPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        // A form without WASM sends every field: an empty one chooses nothing.
        let value = |name: &str| query.read().get(name).filter(|text| !text.is_empty());
        KeyListInput {
            partner_id: value("partnerId"),
            q: value("q"),
            status: value("status"),
            environment: value("environment"),
            limit: None,
            cursor: value("cursor"),
        }
    });
    let version = RwSignal::new(0_u32);
    let keys = Resource::new_blocking(
        move || (asked.get(), version.get()),
        |(asked, _)| list_keys(asked),
    );
    let partners = Resource::new_blocking(
        || (),
        |()| {
            list_partners(PartnerListInput {
                limit: Some("200".to_owned()),
                ..PartnerListInput::default()
            })
        },
    );
    let dialog = RwSignal::new(OpenDialog::Closed);
    let choose = Callback::new(move |choice| {
        dialog.set(match choice {
            KeyChoice::Rotate(key) => OpenDialog::Rotate(key),
            KeyChoice::Revoke(key) => OpenDialog::Revoke(key),
        });
    });
    view! {
        <Title text="API Keys / Rotation"/>
        <div class="page-head">
            <h1>"API Keys / Rotation"</h1>
            <GenerateButton on_click=move || dialog.set(OpenDialog::Issue)/>
        </div>
        <SecurityNotes/>
        <Filters asked partners/>
        <Transition fallback=|| view! { <p class="empty">"Loading…"</p> }>
            {move || Suspend::new(async move {
                match keys.await {
                    Ok(page) => {
                        let asked = asked.get_untracked();
                        let filtered = asked != KeyListInput::default();
                        let next = page.page.next_cursor.clone();
                        view! {
                            <KeyTable page filtered on_choice=choose/>
                            <Pager asked next/>
                        }.into_any()
                    }
                    Err(error) => view! { <ErrorNotice error/> }.into_any(),
                }
            })}
        </Transition>
        <Dialogs dialog partners reload=move || version.update(|version| *version += 1)/>
    }
}

#[component]
fn GenerateButton(#[prop(into)] on_click: Callback<()>) -> impl IntoView {
    let hydrated = expect_context::<Hydrated>();
    let may_change = may_change();
    view! {
        <Suspense fallback=|| ()>
            <button
                class="button primary"
                type="button"
                disabled=move || !hydrated.done() || !may_change.get()
                on:click=move |_| on_click.run(())
            >
                "Generate New Key"
            </button>
        </Suspense>
    }
}

#[component]
fn SecurityNotes() -> impl IntoView {
    view! {
        <section class="notes" aria-labelledby="notes-heading">
            <h2 id="notes-heading">"Security Notes"</h2>
            <ul>
                <li>"A token is shown once, when its key is issued or rotated."</li>
                <li>"Secrets are peppered and Argon2id-hashed, never kept in plain text."</li>
                <li>"Use separate keys per environment, rotate them regularly, and revoke on exposure."</li>
                <li>"Give the least privilege: " <code>"assets:read"</code> " or " <code>"reverify"</code> " for partners who only consume."</li>
            </ul>
        </section>
    }
}

type PartnersResource = Resource<Result<Page<Partner>, AppError>>;

/// The filters, as a form that works without WASM.
#[component]
fn Filters(asked: Memo<KeyListInput>, partners: PartnersResource) -> impl IntoView {
    let is = move |wanted: &str, chosen: Option<String>| chosen.as_deref() == Some(wanted);
    view! {
        <Form method="get" action=links::KEYS attr:class="filters" attr:role="search">
            <label class="filter">
                <span>"Partner filter"</span>
                <select name="partnerId">
                    <option value="">"All partners"</option>
                    <Suspense fallback=|| ()>
                        {move || Suspend::new(async move {
                            let page = partners.await.ok()?;
                            Some(page.items.into_iter().map(|partner| {
                                let id = partner.partner_id.to_string();
                                let selected = { let id = id.clone(); move || is(&id, asked.get().partner_id) };
                                view! { <option value=id selected=selected>{partner.name}</option> }
                            }).collect_view())
                        })}
                    </Suspense>
                </select>
            </label>
            <label class="filter">
                <span>"Status filter"</span>
                <select name="status">
                    <option value="">"Any status"</option>
                    {KeyStatus::ALL.map(|status| view! {
                        <option value=status.as_str() selected=move || is(status.as_str(), asked.get().status)>{status.as_str()}</option>
                    })}
                </select>
            </label>
            <label class="filter grow">
                <span>"Search keyId or partner name"</span>
                <input type="search" name="q" value=move || asked.get().q/>
            </label>
            <button class="button" type="submit">"Apply"</button>
        </Form>
    }
}

/// The way to the next page, under the same filter.
#[component]
fn Pager(asked: KeyListInput, next: Option<String>) -> impl IntoView {
    let first = asked.cursor.is_some().then(|| {
        address(&KeyListInput {
            cursor: None,
            ..asked.clone()
        })
    });
    let next = next.map(|cursor| {
        address(&KeyListInput {
            cursor: Some(cursor),
            ..asked.clone()
        })
    });
    view! {
        <nav class="pager" aria-label="Pages">
            {first.map(|href| view! { <a class="button" href=href>"First page"</a> })}
            {next.map(|href| view! { <a class="button" href=href rel="next">"Next page"</a> })}
        </nav>
    }
}

/// The address of a view, under REST's names.
fn address(asked: &KeyListInput) -> String {
    let pairs = [
        ("partnerId", &asked.partner_id),
        ("q", &asked.q),
        ("status", &asked.status),
        ("environment", &asked.environment),
        ("cursor", &asked.cursor),
    ];
    let pairs: Vec<String> = pairs
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", links::encode(value.as_deref()?))))
        .collect();
    if pairs.is_empty() {
        links::KEYS.to_owned()
    } else {
        format!("{}?{}", links::KEYS, pairs.join("&"))
    }
}

#[component]
fn Dialogs(
    dialog: RwSignal<OpenDialog>,
    partners: PartnersResource,
    #[prop(into)] reload: Callback<()>,
) -> impl IntoView {
    let close = Callback::new(move |()| dialog.set(OpenDialog::Closed));
    let reveal = Callback::new(move |revealed| {
        dialog.set(OpenDialog::Reveal(revealed));
        reload.run(());
    });
    let revoked = Callback::new(move |()| {
        dialog.set(OpenDialog::Closed);
        reload.run(());
    });
    let known_partners = RwSignal::new(Vec::new());
    Effect::new(move || {
        if let Some(Ok(page)) = partners.get() {
            known_partners.set(page.items);
        }
    });
    move || match dialog.get() {
        OpenDialog::Closed => ().into_any(),
        OpenDialog::Issue => {
            view! { <IssueDialog partners=known_partners on_issued=reveal on_cancel=close/> }
                .into_any()
        }
        OpenDialog::Rotate(key) => {
            view! { <RotateDialog key on_rotated=reveal on_cancel=close/> }.into_any()
        }
        OpenDialog::Revoke(key) => {
            view! { <RevokeDialog key on_revoked=revoked on_cancel=close/> }.into_any()
        }
        OpenDialog::Reveal(revealed) => {
            view! { <TokenReveal revealed on_stored=close/> }.into_any()
        }
    }
}
