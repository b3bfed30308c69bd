//! Every component in every state, for work on the styles. Development builds only.

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;
use leptos_meta::Title;
use strum::VariantArray;
use uuid::Uuid;

use crate::console::keys::lineage::Lineage;
use crate::console::keys::overview::OverviewBar;
use crate::console::keys::server_fns::KeyPage;
use crate::console::keys::sparkline;
use crate::console::keys::status::{DeliveryBadge, PartnerBadge};
use crate::console::keys::table::KeyTable;
use crate::console::keys::uses_plot::UsesPlot;
use crate::console::kit::combobox::{Combobox, Suggestions};
use crate::console::kit::dialog::Actions;
use crate::console::kit::field::{ChoiceField, TextField};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::pager::pager;
use crate::console::shell::alert::ErrorAlert;
use crate::domain::error::AppError;
use crate::domain::grace::{Grace, GraceStart};
use crate::domain::key::{Environment, KeyStatus, KeyView};
use crate::domain::key_list::KeyListInput;
use crate::domain::notification::DeliveryStatus;
use crate::domain::operator::{Operator, Role};
use crate::domain::overview::{Count, Overview};
use crate::domain::page::Page;
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;
use crate::domain::usage::{SPARKLINE_HOURS, Uses, UsesOverTime};

/// The page.
#[component]
pub fn StyleguidePage() -> impl IntoView {
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let keys: Vec<KeyView> = KeyStatus::VARIANTS
        .iter()
        .map(|status| key(*status, now))
        .collect();
    let plots = (0..keys.len())
        .map(|n| sparkline::path(&hours(n as i64)))
        .collect();
    let table = move |items: Vec<KeyView>, sparklines| {
        ArcRwSignal::new(KeyPage {
            now,
            viewer: viewer(),
            page: Page {
                items,
                next_cursor: Some("next".to_owned()),
                previous_cursor: None,
            },
            sparklines,
        })
    };
    let asked = Memo::new(|_| KeyListInput::default());
    let filtered = KeyListInput {
        q: Some("nothing".to_owned()),
        ..KeyListInput::default()
    };
    let overview = ArcRwSignal::new(Overview {
        statuses: vec![(KeyStatus::Active, Count::About(812_000))],
        expiring: Count::Exactly(12),
        rotation_due: Count::AtLeast(1_000),
        still_used: Count::Exactly(1),
        refused: Count::Exactly(0),
        stale: Count::Exactly(7),
    });
    let full = table(keys.clone(), plots);
    let links = pager(&full.get_untracked().page, None, ("key", "keys"), |_| {
        "#".to_owned()
    });
    let lineage = vec![
        key(KeyStatus::Revoked, now),
        key(KeyStatus::Retiring, now),
        key(KeyStatus::Active, now),
    ];
    let current = lineage[2].key_id.clone();
    view! {
        <Title text="Style guide"/>
        <div class="page-head">
            <div>
                <h1 tabindex="-1">"Style guide"</h1>
                <p class="lead">"Every component in every state. Only development builds have this page."</p>
            </div>
        </div>
        <Part heading="Buttons"><Buttons/></Part>
        <Part heading="Badges"><Badges/></Part>
        <Part heading="Fields"><Fields/></Part>
        <Part heading="Alerts"><Alerts/></Part>
        <Part heading="Numbers at a glance"><OverviewBar overview asked/></Part>
        <Part heading="Table, full"><KeyTable page=full asked/> {links}</Part>
        <Part heading="Table, empty"><KeyTable page=table(Vec::new(), Vec::new()) asked/></Part>
        <Part heading="Table, nothing found"><KeyTable page=table(Vec::new(), Vec::new()) asked=Signal::stored(filtered)/></Part>
        <Part heading="Table, at work">
            <div class="list" aria-busy="true"><KeyTable page=table(keys, vec![None; 5]) asked/></div>
        </Part>
        <Part heading="Loading"><p class="loading" role="status">"Loading…"</p></Part>
        <Part heading="Uses">
            <div class="plots">
                <UsesPlot heading="With uses" uses=uses(now, 48) format="%e %b, %H:00" span="Hour (UTC)"/>
                <UsesPlot heading="Without" uses=UsesOverTime::default() format="%e %b" span="Day (UTC)"/>
            </div>
        </Part>
        <Part heading="Lineage"><Lineage keys=lineage current now/></Part>
    }
}

#[component]
fn Part(heading: &'static str, children: Children) -> impl IntoView {
    view! { <section class="styleguide-part"><h2>{heading}</h2>{children()}</section> }
}

#[component]
fn Buttons() -> impl IntoView {
    view! {
        <div class="row">
            <button class="button primary" type="button"><Icon glyph=Glyph::Plus/> "Primary"</button>
            <button class="button" type="button">"Plain"</button>
            <button class="button quiet" type="button">"Quiet"</button>
            <button class="button danger" type="button">"Danger"</button>
            <button class="button small" type="button">"Small"</button>
            <button class="button small danger-quiet" type="button">"Small danger"</button>
            <button class="button" type="button" disabled=true>"Disabled"</button>
            <button class="button primary" type="button" aria-busy="true">"At work"</button>
        </div>
    }
}

#[component]
fn Badges() -> impl IntoView {
    view! {
        <p class="chips">
            {KeyStatus::VARIANTS.iter().copied().map(|status| view! { <crate::console::keys::status::StatusBadge status/> " " }).collect_view()}
            <PartnerBadge active=true/> " " <PartnerBadge active=false/> " "
            {DeliveryStatus::VARIANTS.iter().copied().map(|status| view! { <DeliveryBadge status/> " " }).collect_view()}
            <span class="badge due"><Icon glyph=Glyph::Clock/>"rotation due"</span> " "
            <span class="badge"><Icon glyph=Glyph::Clock/>"never used"</span> " "
            <span class="chip">"assets:read"</span>
        </p>
    }
}

#[component]
fn Fields() -> impl IntoView {
    let text = |text: &str| RwSignal::new(text.to_owned());
    let options = vec![
        ("a".to_owned(), "The first".to_owned()),
        ("b".to_owned(), "The second".to_owned()),
    ];
    let suggestions = Suggestions {
        text: String::new(),
        choices: options.clone(),
        more: true,
    };
    let wrong = Signal::stored(Some("must be a whole number from 1 to 10000".to_owned()));
    let nothing = Callback::new(|_: String| ());
    view! {
        <div class="columns">
            <TextField id="guide-text" label="With a hint" value=text("Some text") error=Signal::stored(None::<String>) hint="A hint."/>
            <TextField id="guide-wrong" label="At fault" value=text("0") error=wrong/>
        </div>
        <div class="columns">
            <ChoiceField id="guide-choice" label="A choice" value=text("a") options/>
            <div class="field">
                <label for="guide-combobox">"A choice among many"</label>
                <Combobox
                    id="guide-combobox" chosen=Signal::stored("The first".to_owned())
                    suggestions=Signal::stored(suggestions) on_text=nothing on_choice=nothing
                />
            </div>
        </div>
        <Actions label="Do it" working="Doing it…" pending=RwSignal::new(false) on_cancel=Callback::new(|()| ())/>
        <Actions label="Do it" working="Doing it…" pending=RwSignal::new(true) on_cancel=Callback::new(|()| ())/>
    }
}

#[component]
fn Alerts() -> impl IntoView {
    let again = Callback::new(|()| ());
    view! {
        <p class="alert done">"mpk_0f1e2d3c4b5a is saved."</p>
        <ErrorAlert error=AppError::UNAVAILABLE on_retry=again/>
        <ErrorAlert error=AppError::field("rate", "must be a whole number")/>
    }
}

fn viewer() -> Operator {
    Operator {
        operator_id: Uuid::nil(),
        email: "ops@example.com".to_owned(),
        role: Role::Admin,
        active: true,
    }
}

/// A key with a status, and with badges.
fn key(status: KeyStatus, now: DateTime<Utc>) -> KeyView {
    let random = [status as u8, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a];
    let is_retiring = status == KeyStatus::Retiring;
    KeyView {
        key_id: KeyId::from_random("mpk_", random),
        partner_id: Uuid::nil(),
        partner_name: "شركة الأمانة للحفظ".to_owned(),
        name: Some(
            "A name that goes on and on and does not fit into one line of a narrow column"
                .to_owned(),
        ),
        environment: Environment::Test,
        scopes: Scope::VARIANTS.to_vec(),
        status,
        rate_per_minute: 300,
        not_before: now - TimeDelta::days(80),
        not_after: Some(now + TimeDelta::days(9)),
        created_at: now - TimeDelta::days(80),
        created_by: "operator:ops@example.com".to_owned(),
        last_used_at: (status != KeyStatus::Scheduled).then(|| now - TimeDelta::minutes(3)),
        last_used_ip: None,
        rotated_from: None,
        replaced_by: None,
        retires_at: is_retiring.then(|| now + TimeDelta::hours(5)),
        grace: is_retiring.then(|| Grace {
            seconds: 86_400,
            starts: GraceStart::Now,
            rotated_at: now - TimeDelta::hours(19),
            started_at: Some(now - TimeDelta::hours(19)),
        }),
        revoked_at: (status == KeyStatus::Revoked).then(|| now - TimeDelta::minutes(9)),
        revoked_reason: None,
        rotation_due_at: None,
        rotation_due: status == KeyStatus::Active,
        stale: false,
    }
}

fn hours(seed: i64) -> [i64; SPARKLINE_HOURS] {
    std::array::from_fn(|n| (n as i64 * 7 + seed * 13) % 17)
}

fn uses(now: DateTime<Utc>, spans: i32) -> UsesOverTime {
    let counted: Vec<Uses> = (0..spans)
        .map(|n| Uses {
            at: now - TimeDelta::hours(n.into()),
            accepted: i64::from(n * 7 % 23),
            rate_limited: i64::from(n % 5),
            refused: i64::from(n % 11 / 9),
        })
        .collect();
    UsesOverTime::fill(&counted, now, TimeDelta::hours(1), spans)
}
