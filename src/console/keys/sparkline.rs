//! A sparkline: a key's uses of the last hours, as a small plot in the table of keys.

use leptos::prelude::*;

use crate::domain::usage::SPARKLINE_HOURS;

/// Each hour is two units wide.
const HEIGHT: i64 = 20;

/// Shows the SVG path that [`path`] made.
#[component]
pub fn Sparkline(path: String) -> impl IntoView {
    let size = format!("0 0 {} {HEIGHT}", 2 * SPARKLINE_HOURS);
    view! {
        <svg class="spark" viewBox=size role="img" aria-label="Use in the last 36 hours"><path d=path></path></svg>
    }
}

/// Draws a vertical line for each hour with a use, the tallest of full height. `None` without any
/// use.
pub fn path(hours: &[i64]) -> Option<String> {
    let max = hours.iter().copied().max().filter(|max| *max > 0)?;
    let mut path = String::new();
    for (n, uses) in hours.iter().enumerate() {
        if *uses > 0 {
            // A single use stays visible.
            let height = (uses * HEIGHT / max).max(2);
            let x = 2 * n + 1;
            path.push_str(&format!("M{x} {HEIGHT}v-{height}"));
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn every_hour_with_a_use_is_a_line() {
        assert_eq!(path(&[0, 0]), None);
        assert_eq!(path(&[0, 100, 1]).unwrap(), "M3 20v-20M5 20v-2");
        assert_eq!(path(&[i64::MAX / 64, 1]).unwrap(), "M1 20v-20M3 20v-2");
    }
}
