//! How many keys ask for attention, each count a way to them.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::domain::key::Attention;
use crate::domain::key_list::KeyListInput;
use crate::ui::links;

/// The counts, with the ways to the keys and back. Nothing where none asks for attention.
#[component]
pub fn AttentionBar(
    /// The counts.
    attention: Attention,
    /// Which keys are shown.
    asked: KeyListInput,
) -> impl IntoView {
    let count = |count: i64| {
        if count >= attention.most {
            format!("{count} and more")
        } else {
            count.to_string()
        }
    };
    let bar = |name, asked: &Option<String>, number: i64, words| {
        let is_shown = asked.as_deref() == Some("true");
        if number == 0 && !is_shown {
            return None;
        }
        let href = if is_shown {
            links::KEYS.to_owned()
        } else {
            links::address(links::KEYS, &[(name, Some("true"))])
        };
        Some(view! {
            <a class="pill" href=href aria-current=is_shown.then_some("true")>
                <Icon glyph=Glyph::Clock/>
                {count(number)} " " {words}
                {is_shown.then_some(view! { <span class="pill-end">"Show all"</span> })}
            </a>
        })
    };
    let due = bar(
        "rotationDue",
        &asked.rotation_due,
        attention.rotation_due,
        "due for rotation",
    );
    let stale = bar("stale", &asked.stale, attention.stale, "stale");
    (due.is_some() || stale.is_some()).then(|| {
        view! { <nav class="pills" aria-label="Keys that ask for attention">{due} {stale}</nav> }
    })
}
