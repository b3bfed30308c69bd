//! The `details` of an audit event: typed access, and formatting for reading.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::domain::event_description::Detail;

/// The members of an event's `details`. A missing member reads as empty, so that events of every
/// earlier version can be described.
pub struct Details<'a>(Option<&'a Map<String, Value>>);

impl<'a> Details<'a> {
    pub fn of(details: &'a Value) -> Self {
        Self(details.as_object())
    }

    fn member(&self, name: &str) -> Option<&'a Value> {
        self.0?.get(name)
    }

    pub fn text(&self, name: &str) -> &'a str {
        self.member(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> u64 {
        self.member(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    pub fn object(&self, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        let object = self.member(name).and_then(Value::as_object);
        object.into_iter().flatten()
    }

    /// The new value of a changed field.
    pub fn changed_to(&self, name: &str) -> Option<&'a Value> {
        self.member(name)?.get("to")
    }

    /// The labels of the changed fields.
    pub fn changed_fields(&self) -> String {
        list(self.0.into_iter().flatten().map(|(name, _)| label(name)))
    }

    pub fn formatted(&self) -> Vec<Detail> {
        let members = self.0.into_iter().flatten();
        members
            .map(|(name, value)| Detail {
                label: label(name),
                value: format_value(value),
            })
            .collect()
    }
}

/// Turns `ratePerMinute` into `rate per minute`.
fn label(name: &str) -> String {
    let mut label = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            label.push(' ');
        }
        label.push(character.to_ascii_lowercase());
    }
    label
}

pub fn format_value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format_time(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => list(items.iter().map(format_value)),
        Value::Object(members) => match (members.get("from"), members.get("to"), members.len()) {
            (Some(from), Some(to), 2) => format!("{} → {}", format_value(from), format_value(to)),
            _ => list(
                members
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", format_value(value))),
            ),
        },
    }
}

/// Formats a time to the second; `None` for other text.
pub fn format_time(text: &str) -> Option<String> {
    let at: DateTime<Utc> = text.parse().ok()?;
    Some(at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}
