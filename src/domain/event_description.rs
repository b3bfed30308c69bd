//! An audit event with its description, as the console and the CSV export show it.

use serde::{Deserialize, Serialize};

use super::audit::Event;

/// An event with the sentence and the details that describe it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DescribedEvent {
    pub event: Event,
    /// The partner's current name.
    pub partner_name: Option<String>,
    pub sentence: Vec<Segment>,
    pub details: Vec<Detail>,
}

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Segment {
    Text(String),
    /// The name of a person or thing, whose script may run the other way.
    Name(String),
}

impl Segment {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Name(text) => text,
        }
    }
}

/// A member of the event's `details`, formatted for reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    pub label: String,
    pub value: String,
}
