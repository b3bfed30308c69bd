//! The table of partners.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use leptos_router::components::A;

use crate::console::keys::bulk::dialog::BulkStart;
use crate::console::keys::status::PartnerBadge;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::number::number;
use crate::console::kit::time::RelativeTime;
use crate::console::partners::server_fns::PartnerPage;
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::domain::operator::Role;
use crate::domain::partner::Partner;
use crate::domain::routes;

/// One page of partners.
#[component]
pub fn PartnerTable(
    page: PartnerPage,
    /// True if the list is filtered.
    filtered: bool,
) -> impl IntoView {
    let PartnerPage { now, viewer, page } = page;
    let may_change = viewer.role == Role::Admin;
    let empty = page.items.is_empty().then(|| {
        let (title, hint) = if filtered {
            (
                "No partner matches this filter.",
                "Choose another status, or shorten the search.",
            )
        } else {
            (
                "No partners yet.",
                "A partner is an organisation that calls the registry with API keys.",
            )
        };
        view! {
            <div class="empty">
                <Icon glyph=Glyph::Layers/>
                <p><strong>{title}</strong></p>
                <p>{hint}</p>
            </div>
        }
    });
    view! {
        <div class="table-frame">
            <table class="keys partners" aria-label="Partners" class:bare=empty.is_some()>
                <thead>
                    <tr>
                        <th scope="col">"Partner"</th>
                        <th scope="col">"Contact"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Active keys"</th>
                        <th scope="col">"Created"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>
                    {page.items.into_iter().map(|partner| view! { <PartnerRow partner now may_change/> }).collect_view()}
                </tbody>
            </table>
            {empty}
        </div>
    }
}

#[component]
fn PartnerRow(partner: Partner, now: DateTime<Utc>, may_change: bool) -> impl IntoView {
    let id = partner.partner_id;
    let keys = routes::address(routes::KEYS, &[("partnerId", Some(&id.to_string()))]);
    let contact = match partner.contact_email.clone() {
        Some(email) => view! { <span>{email}</span> }.into_any(),
        None => view! { <span class="none">"—"</span> }.into_any(),
    };
    let actions = may_change.then(|| {
        let (switch, class) = if partner.active {
            ("Deactivate", "button small danger-quiet")
        } else {
            ("Activate", "button small")
        };
        let (to_edit, to_switch) = (partner.clone(), partner.clone());
        let to_revoke = BulkStart::RevokeAllOf {
            partner_id: id.to_string(),
            name: partner.name.clone(),
        };
        view! {
            <RowButton label="Edit" class="button small" id=format!("edit-{id}") name=partner.name.clone()
                dialog=OpenDialog::EditPartner(Some(to_edit))/>
            {(partner.active_keys > 0).then(|| view! {
                <RowButton label="Revoke keys" class="button small danger-quiet" id=format!("revoke-keys-{id}")
                    name=partner.name.clone() dialog=OpenDialog::Bulk(to_revoke)/>
            })}
            <RowButton label=switch class id=format!("switch-{id}") name=partner.name.clone()
                dialog=OpenDialog::SwitchPartner(to_switch)/>
        }
    });
    let active_keys = partner.active_keys;
    let name = partner.name.clone();
    let label = move || format!("{} active keys of {name}", number(active_keys));
    view! {
        <tr>
            <td data-label="Partner"><bdi class="strong">{partner.name.clone()}</bdi></td>
            <td data-label="Contact">{contact}</td>
            <td data-label="Status"><PartnerBadge active=partner.active/></td>
            <td data-label="Active keys">
                <A href=keys attr:aria-label=label>
                    {move || number(active_keys)}
                </A>
            </td>
            <td data-label="Created"><RelativeTime id=format!("created-{id}") at=Some(partner.created_at) now/></td>
            <td data-label="Actions" class="row-actions">
                <a class="button small" href=routes::notices(&id.to_string()) aria-label=format!("Notifications of {}", partner.name)>
                    "Notifications"
                </a>
                {actions}
            </td>
        </tr>
    }
}

#[component]
fn RowButton(
    label: &'static str,
    class: &'static str,
    id: String,
    name: String,
    dialog: OpenDialog,
) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    view! {
        <button
            class=class type="button" id=id aria-label=format!("{label} {name}")
            disabled=move || !hydrated.done()
            on:click=move |_| host.open(dialog.clone())
        >{label}</button>
    }
}
