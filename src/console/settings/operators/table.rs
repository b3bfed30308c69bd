//! The operators, with their actions.

use leptos::prelude::*;

use crate::console::keys::status::PartnerBadge;
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::settings::operators::server_fns::OperatorsPage;
use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::domain::operator::{Operator, Role};

/// All operators.
#[component]
pub fn OperatorTable(page: OperatorsPage) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    let OperatorsPage {
        viewer,
        operators,
        with_factor,
    } = page;
    let may_change = viewer.role == Role::Admin;
    let row = move |operator: Operator| {
        let is_own = operator.operator_id == viewer.operator_id;
        let email = operator.email.clone();
        let button = |label: &'static str, dialog: OpenDialog| {
            let id = format!("{}-{email}", label.to_lowercase().replace(' ', "-"));
            view! {
                <button
                    class="button small" type="button" id=id aria-label=format!("{label} {email}")
                    disabled=move || !hydrated.done()
                    on:click=move |_| host.open(dialog.clone())
                >{label}</button>
                " "
            }
        };
        let edit = may_change.then(|| button("Edit", OpenDialog::EditOperator(operator.clone())));
        // The operator's own password is changed with the current one, not reset.
        let reset = (may_change && !is_own).then(|| {
            button(
                "Reset password",
                OpenDialog::ResetPassword(operator.clone()),
            )
        });
        let has_factor = with_factor.contains(&operator.operator_id);
        let remove = (may_change && !is_own && has_factor).then(|| {
            button(
                "Remove second factor",
                OpenDialog::RemoveFactorOf(operator.clone()),
            )
        });
        view! {
            <tr>
                <td data-label="E-mail"><bdi class="strong">{email.clone()}</bdi> {is_own.then_some(" (you)")}</td>
                <td data-label="Role"><span class="chip">{operator.role.into_str()}</span></td>
                <td data-label="Status"><PartnerBadge active=operator.active/></td>
                <td data-label="Second factor">{if has_factor { "yes" } else { "none" }}</td>
                <td data-label="Actions" class="row-actions">{edit} {reset} {remove}</td>
            </tr>
        }
    };
    view! {
        <section class="panel" aria-labelledby="operators-heading">
            <div class="panel-head">
                <div>
                    <h2 id="operators-heading">"Operators"</h2>
                    <p class="lead">"An admin does everything; an auditor reads everything and changes nothing."</p>
                </div>
                {may_change.then(|| view! {
                    <button
                        class="button" type="button" id="new-operator" disabled=move || !hydrated.done()
                        on:click=move |_| host.open(OpenDialog::NewOperator)
                    ><Icon glyph=Glyph::Plus/> "New operator"</button>
                })}
            </div>
            <table class="keys" aria-labelledby="operators-heading">
                <thead>
                    <tr>
                        <th scope="col">"E-mail"</th>
                        <th scope="col">"Role"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Second factor"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>{operators.into_iter().map(row).collect_view()}</tbody>
            </table>
        </section>
    }
}
