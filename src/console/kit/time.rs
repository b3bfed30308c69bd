//! Times: relative, with the exact time on hover and focus, in the reader's zone and in UTC.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use leptos::prelude::*;

use crate::console::shell::browser;
use crate::console::shell::hydration::Hydrated;

/// A time relative to `now`, or `—`.
#[component]
pub fn RelativeTime(
    /// The id of the exact time, unique in the document.
    id: String,
    at: Option<DateTime<Utc>>,
    /// The server's time at the answer.
    #[prop(into)]
    now: Signal<DateTime<Utc>>,
) -> impl IntoView {
    match at {
        None => view! { <span class="none">"—"</span> }.into_any(),
        Some(at) => {
            let machine = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let hydrated = expect_context::<Hydrated>();
            // The server does not know the reader's zone, and hydration takes its markup as it is.
            let here = move || {
                hydrated
                    .done()
                    .then(|| browser::locale::local_time(at))
                    .flatten()
            };
            view! {
                <span class="when">
                    <time datetime=machine tabindex="0" aria-describedby=id.clone()>{move || relative(at - now.get())}</time>
                    <span class="tip" role="tooltip" id=id>
                        {move || here().map(|here| format!("{here} · "))} {exact(at)}
                    </span>
                </span>
            }
            .into_any()
        }
    }
}

/// Formats a time to the second, in UTC.
pub fn exact(at: DateTime<Utc>) -> String {
    // Not `DateTime::format`, which adds all of strftime to the first chunk.
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
        .replace('T', " ")
        .replace('Z', " UTC")
}

/// Formats a time in the reader's zone and in UTC, for what only the browser renders.
pub fn local_and_utc(at: DateTime<Utc>) -> String {
    match browser::locale::local_time(at) {
        Some(here) => format!("{here} ({})", exact(at)),
        None => exact(at),
    }
}

/// Formats a duration from now: "3 minutes ago", "in 2 days".
pub fn relative(distance: TimeDelta) -> String {
    const UNITS: [(i64, &str); 6] = [
        (365 * 86_400, "year"),
        (30 * 86_400, "month"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let seconds = distance.num_seconds();
    let size = seconds.abs();
    let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| size >= *unit) else {
        return "just now".to_owned();
    };
    let count = size / unit;
    let plural = if count == 1 { "" } else { "s" };
    if seconds < 0 {
        format!("{count} {name}{plural} ago")
    } else {
        format!("in {count} {name}{plural}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_time_is_to_the_second_and_says_its_zone() {
        let at = DateTime::from_timestamp(1_767_225_599, 987_654_321).unwrap_or_default();
        assert_eq!(exact(at), "2025-12-31 23:59:59 UTC");
    }

    #[test]
    fn distances_in_words() {
        for (seconds, words) in [
            (0, "just now"),
            (-1, "1 second ago"),
            (-180, "3 minutes ago"),
            (-3_600, "1 hour ago"),
            (172_800, "in 2 days"),
            (40 * 86_400, "in 1 month"),
            (-800 * 86_400, "2 years ago"),
        ] {
            assert_eq!(relative(TimeDelta::seconds(seconds)), words);
        }
    }
}
