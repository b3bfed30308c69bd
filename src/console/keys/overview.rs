//! The overview of keys: how many there are of each kind, each number with a link to them.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::number::number;
use crate::console::shell::list_page::list_url;
use crate::domain::key::KeyStatus;
use crate::domain::key_list::KeyListInput;
use crate::domain::overview::{Count, Overview};
use crate::domain::routes;

/// A number of the overview.
struct TileOf {
    label: &'static str,
    glyph: Glyph,
    /// True if keys of this kind need attention.
    warns: bool,
    count: fn(&Overview) -> Option<Count>,
    /// Selects the counted keys.
    filter: fn(&mut KeyListInput),
}

const TILES: [TileOf; 6] = [
    TileOf {
        label: "Active",
        glyph: Glyph::Tick,
        warns: false,
        count: |overview| overview.of(KeyStatus::Active),
        filter: |input| input.status = Some(KeyStatus::Active.into_str().to_owned()),
    },
    TileOf {
        label: "Expiring in 14 days",
        glyph: Glyph::Clock,
        warns: true,
        count: |overview| Some(overview.expiring),
        filter: |input| input.expiring = yes(),
    },
    TileOf {
        label: "Rotation due",
        glyph: Glyph::Rotate,
        warns: true,
        count: |overview| Some(overview.rotation_due),
        filter: |input| input.rotation_due = yes(),
    },
    TileOf {
        label: "Old key still in use",
        glyph: Glyph::Half,
        warns: true,
        count: |overview| Some(overview.still_used),
        filter: |input| input.still_used = yes(),
    },
    TileOf {
        label: "Refused (1 h)",
        glyph: Glyph::Alert,
        warns: true,
        count: |overview| Some(overview.refused),
        filter: |input| input.refused = yes(),
    },
    TileOf {
        label: "Stale",
        glyph: Glyph::Ended,
        warns: true,
        count: |overview| Some(overview.stale),
        filter: |input| input.stale = yes(),
    },
];

fn yes() -> Option<String> {
    Some("true".to_owned())
}

/// The numbers with their links.
#[component]
pub fn OverviewBar(
    /// The latest numbers.
    overview: ArcRwSignal<Overview>,
    /// The query of the list.
    asked: Memo<KeyListInput>,
) -> impl IntoView {
    let overview = RwSignal::from(overview);
    view! {
        <nav aria-label="Keys at a glance">
            <ul class="tiles">
                {TILES.map(|tile| view! { <Tile tile overview asked/> }).into_iter().collect_view()}
            </ul>
        </nav>
    }
}

#[component]
fn Tile(tile: TileOf, overview: RwSignal<Overview>, asked: Memo<KeyListInput>) -> impl IntoView {
    let TileOf {
        label,
        glyph,
        warns,
        count,
        filter,
    } = tile;
    let count = Memo::new(move |_| count(&overview.read()));
    let mut input = KeyListInput::default();
    filter(&mut input);
    let url = list_url(routes::KEYS, &input);
    let is_shown = Memo::new(move |_| {
        let mut asked = asked.get();
        asked.cursor = None;
        asked.sort = None;
        asked == input
    });
    let href = move || {
        if is_shown.get() {
            routes::KEYS.to_owned()
        } else {
            url.clone()
        }
    };
    view! {
        <li>
            <a
                href=href class="tile" class:asks=move || warns && count.get().is_some_and(|count| !count.is_none())
                aria-current=move || is_shown.get().then_some("true")
            >
                <span class="tile-label"><Icon glyph/>{label}</span>
                <strong>{move || count.get().map(format_count)}</strong>
                {move || is_shown.get().then_some(view! { <span class="tile-end">"Show all"</span> })}
            </a>
        </li>
    }
}

/// Formats a count as far as it is known: "12", "about 812,000", "1,000+", "not counted".
pub fn format_count(count: Count) -> String {
    match count {
        Count::Exactly(count) => number(count),
        Count::About(count) => format!("about {}", number(count)),
        Count::AtLeast(count) => format!("{}+", number(count)),
        Count::Unknown => "not counted".to_owned(),
    }
}
