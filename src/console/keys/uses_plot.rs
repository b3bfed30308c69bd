//! Uses of a key over time, as bars and as a table.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::console::kit::number::number;
use crate::domain::usage::{Uses, UsesOverTime};

const WIDTH: usize = 720;
const HEIGHT: i64 = 120;

/// One plot: accepted, rate-limited and refused uses stand on each other, span by span.
#[component]
pub fn UsesPlot(
    /// Its heading.
    heading: &'static str,
    /// The uses.
    uses: UsesOverTime,
    /// How a span is named, as `chrono` formats it.
    format: &'static str,
    /// What a span is, in a word.
    span: &'static str,
) -> impl IntoView {
    let named = move |at: DateTime<Utc>| at.format(format).to_string();
    let sum = uses.sum();
    let total = sum.map_or(0, |sum| sum.total());
    let words = move || sum.map(|sum| format!("{heading}: {}.", in_words(&sum)));
    let most = uses.0.iter().map(Uses::total).max().unwrap_or_default();
    let plot = (total > 0).then(|| {
        let width = WIDTH / uses.0.len().max(1);
        let bars = uses.0.iter().copied().enumerate().map(|(n, uses)| {
            // What happened at all is seen.
            let scaled = |part: i64| match part {
                0 => 0,
                _ => (part * HEIGHT / most).max(2),
            };
            let parts = [
                ("accepted", scaled(uses.accepted)),
                ("rate-limited", scaled(uses.rate_limited)),
                ("refused", scaled(uses.refused)),
            ];
            let mut top = HEIGHT;
            let rects = parts.map(|(class, height)| {
                top -= height;
                (height > 0).then(|| view! {
                    <rect class=class x=n * width y=top.max(0) width=width.saturating_sub(2).max(1) height=height></rect>
                })
            });
            view! {
                <g>
                    <title>{move || format!("{}: {}", named(uses.at), in_words(&uses))}</title>
                    // The whole height tells, also where nothing was.
                    <rect class="span" x=n * width y="0" width=width height=HEIGHT></rect>
                    {rects}
                </g>
            }
        });
        view! {
            <svg class="uses" viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=words preserveAspectRatio="none">
                {bars.collect_view()}
            </svg>
        }
    });
    let ends = uses.0.first().zip(uses.0.last());
    let ends = ends.filter(|_| total > 0).map(|(first, last)| {
        view! { <p class="axis" aria-hidden="true"><span>{named(first.at)}</span><span>{named(last.at)}</span></p> }
    });
    let rows = uses.0.iter().copied().rev().filter(|uses| uses.total() > 0);
    let rows = rows.map(|uses| {
        view! {
            <tr>
                <th scope="row">{named(uses.at)}</th>
                <td>{move || number(uses.accepted)}</td>
                <td>{move || number(uses.rate_limited)}</td>
                <td>{move || number(uses.refused)}</td>
            </tr>
        }
    });
    let table = (total > 0).then(|| {
        view! {
            <details>
                <summary>"As a table"</summary>
                <table class="numbers" aria-label=heading>
                    <thead>
                        <tr>
                            <th scope="col">{span}</th>
                            <th scope="col">"Accepted"</th>
                            <th scope="col">"Rate-limited"</th>
                            <th scope="col">"Refused"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </details>
        }
    });
    view! {
        <section class="plot">
            <h3>{heading}</h3>
            {match sum.filter(|_| total > 0) {
                None => view! { <p class="none">"No call."</p> }.into_any(),
                Some(sum) => view! {
                    <p class="legend">
                        <span class="accepted">{move || number(sum.accepted)} " accepted"</span>
                        <span class="rate-limited">{move || number(sum.rate_limited)} " rate-limited"</span>
                        <span class="refused">{move || number(sum.refused)} " refused"</span>
                    </p>
                }.into_any(),
            }}
            {plot}
            {ends}
            {table}
        </section>
    }
}

fn in_words(uses: &Uses) -> String {
    format!(
        "{} accepted, {} rate-limited, {} refused",
        number(uses.accepted),
        number(uses.rate_limited),
        number(uses.refused)
    )
}
