//! Icons beside text. They add nothing to it, so they are hidden from screen readers.

use leptos::prelude::*;

/// An icon of 16 by 16 units, in the colour of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// A plus.
    Plus,
    /// A lens.
    Search,
    /// A key.
    Key,
    /// A shield.
    Shield,
    /// Layers, one per environment.
    Layers,
    /// An eye.
    Eye,
    /// A lock.
    Lock,
    /// Two arrows in a circle.
    Rotate,
    /// A tick in a circle.
    Tick,
    /// A half-filled circle.
    Half,
    /// A clock.
    Clock,
    /// A stop sign.
    Stop,
    /// An hourglass that has run out.
    Ended,
    /// A triangle with a mark.
    Alert,
    /// Two sheets.
    Copy,
    /// An arrow upwards.
    Up,
    /// An arrow downwards.
    Down,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Up => "M8 13V3M4 7l4-4 4 4",
            Self::Down => "M8 3v10M4 9l4 4 4-4",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Search => "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM10.7 10.7 14 14",
            Self::Key => {
                "M10.5 9A3.5 3.5 0 1 0 7.2 6.7L2 12v2h2.5v-1.5H6V11h1.5l1-1c.6-.6 1.2-1 2-1ZM11 5h.01"
            }
            Self::Shield => {
                "M8 1.8 13 3.6v4c0 3.2-2.1 5.5-5 6.6-2.9-1.1-5-3.4-5-6.6v-4L8 1.8ZM5.8 7.9l1.6 1.6 2.9-3"
            }
            Self::Layers => "M8 2 14 5 8 8 2 5l6-3ZM2 8l6 3 6-3M2 11l6 3 6-3",
            Self::Eye => {
                "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z"
            }
            Self::Lock => {
                "M4 7h8a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1ZM5 7V5a3 3 0 0 1 6 0v2"
            }
            Self::Rotate => {
                "M13.5 6A6 6 0 0 0 3 4.5L2 6M2 2.5V6h3.5M2.5 10A6 6 0 0 0 13 11.5l1-1.5M14 13.5V10h-3.5"
            }
            Self::Tick => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.5 8.2l1.8 1.8 3.3-3.7",
            Self::Half => {
                "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5.5l4.5-1M8 9l5.8-1.2M8 12.3l4-.9"
            }
            Self::Clock => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6",
            Self::Stop => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
            Self::Ended => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5 8h6",
            Self::Alert => "M8 2.2 14.5 13.5h-13L8 2.2ZM8 6.5v3M8 11.6h.01",
            Self::Copy => {
                "M6 6h7a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V6ZM10 6V3a1 1 0 0 0-1-1H3a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h3"
            }
        }
    }
}

/// An icon.
#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg
            class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor"
            stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"
        >
            <path d=glyph.path()></path>
        </svg>
    }
}
