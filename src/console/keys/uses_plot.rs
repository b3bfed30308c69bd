//! The uses of a key over time, as bars and as a table.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::console::kit::number::number;
use crate::domain::usage::{Uses, UsesOverTime};

const WIDTH: usize = 720;
const HEIGHT: i64 = 120;

/// One plot: stacked bars of accepted, rate-limited and refused uses, one per span.
#[component]
pub fn UsesPlot(
    heading: &'static str,
    uses: UsesOverTime,
    /// The label of a span, as a format of `chrono`.
    format: &'static str,
    /// The heading of the spans' column.
    span: &'static str,
) -> impl IntoView {
    let Some(sum) = uses.sum().filter(|sum| sum.total() > 0) else {
        return view! {
            <section class="plot">
                <h3>{heading}</h3>
                <p class="none">"No call."</p>
            </section>
        }
        .into_any();
    };
    let ends = uses.0.first().zip(uses.0.last());
    let axis = ends.map(|(first, last)| {
        let (first, last) = (label(first.at, format), label(last.at, format));
        view! { <p class="axis" aria-hidden="true"><span>{first}</span><span>{last}</span></p> }
    });
    let summary = move || format!("{heading}: {}.", in_words(&sum));
    view! {
        <section class="plot">
            <h3>{heading}</h3>
            <p class="legend">
                <span class="accepted">{move || number(sum.accepted)} " accepted"</span>
                <span class="rate-limited">{move || number(sum.rate_limited)} " rate-limited"</span>
                <span class="refused">{move || number(sum.refused)} " refused"</span>
            </p>
            <svg class="uses" viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=summary preserveAspectRatio="none">
                {bars(&uses, format)}
            </svg>
            {axis}
            <UsesTable heading uses format span/>
        </section>
    }
    .into_any()
}

fn bars(uses: &UsesOverTime, format: &'static str) -> impl IntoView + use<> {
    let most = uses.0.iter().map(Uses::total).max().unwrap_or_default();
    let width = WIDTH / uses.0.len().max(1);
    let bars = uses.0.iter().copied().enumerate().map(|(n, uses)| {
        // A small number is still visible.
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
                <title>{move || format!("{}: {}", label(uses.at, format), in_words(&uses))}</title>
                // The tooltip covers the whole height.
                <rect class="span" x=n * width y="0" width=width height=HEIGHT></rect>
                {rects}
            </g>
        }
    });
    bars.collect_view()
}

#[component]
fn UsesTable(
    heading: &'static str,
    uses: UsesOverTime,
    format: &'static str,
    span: &'static str,
) -> impl IntoView {
    let used = uses.0.into_iter().rev().filter(|uses| uses.total() > 0);
    let rows = used.map(|uses| {
        view! {
            <tr>
                <th scope="row">{label(uses.at, format)}</th>
                <td>{move || number(uses.accepted)}</td>
                <td>{move || number(uses.rate_limited)}</td>
                <td>{move || number(uses.refused)}</td>
            </tr>
        }
    });
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
}

fn label(at: DateTime<Utc>, format: &str) -> String {
    at.format(format).to_string()
}

fn in_words(uses: &Uses) -> String {
    format!(
        "{} accepted, {} rate-limited, {} refused",
        number(uses.accepted),
        number(uses.rate_limited),
        number(uses.refused)
    )
}
