//! The keys at a glance: how many there are of each kind, each number a way to them.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::console::kit::number::number;
use crate::domain::key::KeyStatus;
use crate::domain::key_list::KeyListInput;
use crate::domain::overview::{Count, Overview};
use crate::domain::routes;

/// The numbers, with the ways to the keys and back.
#[component]
pub fn OverviewBar(
    /// The numbers, answer after answer.
    overview: ArcRwSignal<Overview>,
    /// Which keys are shown.
    asked: Memo<KeyListInput>,
) -> impl IntoView {
    let only = |set: fn(&mut KeyListInput)| {
        let mut input = KeyListInput::default();
        set(&mut input);
        input
    };
    let overview = RwSignal::from(overview);
    let of =
        move |count: fn(&Overview) -> Option<Count>| Memo::new(move |_| count(&overview.read()));
    let tiles = [
        (
            "Active",
            Glyph::Tick,
            false,
            of(|overview| overview.of(KeyStatus::Active)),
            only(|input| input.status = Some(KeyStatus::Active.into_str().to_owned())),
        ),
        (
            "Expiring in 14 days",
            Glyph::Clock,
            true,
            of(|overview| Some(overview.expiring)),
            only(|input| input.expiring = Some(YES.to_owned())),
        ),
        (
            "Rotation due",
            Glyph::Rotate,
            true,
            of(|overview| Some(overview.rotation_due)),
            only(|input| input.rotation_due = Some(YES.to_owned())),
        ),
        (
            "Retiring, still used",
            Glyph::Half,
            true,
            of(|overview| Some(overview.still_used)),
            only(|input| input.still_used = Some(YES.to_owned())),
        ),
        (
            "Refused in the last hour",
            Glyph::Alert,
            true,
            of(|overview| Some(overview.refused)),
            only(|input| input.refused = Some(YES.to_owned())),
        ),
        (
            "Stale",
            Glyph::Ended,
            true,
            of(|overview| Some(overview.stale)),
            only(|input| input.stale = Some(YES.to_owned())),
        ),
    ];
    let tile = move |(label, glyph, asks, count, input): (
        _,
        _,
        bool,
        Memo<Option<Count>>,
        KeyListInput,
    )| {
        let shown = {
            let input = input.clone();
            Memo::new(move |_| {
                let mut asked = asked.get();
                asked.cursor = None;
                asked.sort = None;
                asked == input
            })
        };
        let href = move || {
            let all = KeyListInput::default();
            routes::keys(if shown.get() { &all } else { &input })
        };
        view! {
            <li>
                <a
                    href=href class="tile" class:asks=move || asks && count.get().is_some_and(|count| !count.is_none())
                    aria-current=move || shown.get().then_some("true")
                >
                    <span class="tile-label"><Icon glyph/>{label}</span>
                    <strong>{move || count.get().map(words)}</strong>
                    {move || shown.get().then_some(view! { <span class="tile-end">"Show all"</span> })}
                </a>
            </li>
        }
    };
    view! {
        <nav aria-label="Keys at a glance">
            <ul class="tiles">{tiles.into_iter().map(tile).collect_view()}</ul>
        </nav>
    }
}

/// What a filter that is on says.
const YES: &str = "true";

/// A count, as far as it is known: "12", "about 812,000", "1,000+", "not counted".
#[must_use]
pub fn words(count: Count) -> String {
    match count {
        Count::Exactly(count) => number(count),
        Count::About(count) => format!("about {}", number(count)),
        Count::AtLeast(count) => format!("{}+", number(count)),
        Count::Unknown => "not counted".to_owned(),
    }
}
