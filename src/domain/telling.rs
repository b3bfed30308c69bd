//! An event of the history in words: one sentence, and its details as a list of facts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::audit::{Action, ActorKind, Event};

/// An event with the words for it, as the console shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DescribedEvent {
    /// The event.
    pub event: Event,
    /// The name that its partner has now.
    pub partner_name: Option<String>,
    /// What happened.
    pub sentence: Vec<Segment>,
    /// What changed.
    pub facts: Vec<Fact>,
}

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Segment {
    /// Words.
    Words(String),
    /// What somebody or something is called; its script may run the other way.
    Name(String),
}

impl Segment {
    /// The text of it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Words(text) | Self::Name(text) => text,
        }
    }
}

/// A detail of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub about: String,
    /// What it is.
    pub is: String,
}

/// Tells an event whose partner is called `partner_name` now.
#[must_use]
pub fn tell(event: Event, partner_name: Option<String>) -> DescribedEvent {
    let facts = facts(&event.details);
    let mut sentence = Sentence::default();
    sentence.tell(&event, partner_name.as_deref());
    DescribedEvent {
        event,
        partner_name,
        sentence: sentence.0,
        facts,
    }
}

/// The details of an event, each in words.
fn facts(details: &Value) -> Vec<Fact> {
    let members = details.as_object().into_iter().flatten();
    members
        .map(|(name, value)| Fact {
            about: words(name),
            is: plain(value),
        })
        .collect()
}

/// `ratePerMinute` as `rate per minute`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(character.to_ascii_lowercase());
    }
    words
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => time(text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => list(items.iter().map(plain)),
        Value::Object(members) => match (members.get("from"), members.get("to"), members.len()) {
            (Some(from), Some(to), 2) => format!("{} → {}", plain(from), plain(to)),
            _ => list(
                members
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", plain(value))),
            ),
        },
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

/// A moment to the second; `None` for text that is none.
fn time(text: &str) -> Option<String> {
    let at: DateTime<Utc> = text.parse().ok()?;
    Some(at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[derive(Default)]
struct Sentence(Vec<Segment>);

impl Sentence {
    fn say(&mut self, words: impl Into<String>) -> &mut Self {
        self.0.push(Segment::Text(words.into()));
        self
    }

    fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.0.push(Segment::Name(name.into()));
        self
    }

    fn tell(&mut self, event: &Event, partner: Option<&str>) {
        let details = Details(event.details.as_object());
        if event.action == Action::OperatorSignInFailed {
            self.failed_sign_ins(&details);
            return;
        }
        self.actor(event);
        match event.action {
            Action::PartnerCreated => self.say(" created the partner ").partner(event, partner),
            Action::PartnerUpdated => match details.after("active").and_then(Value::as_bool) {
                Some(true) => self.say(" activated the partner ").partner(event, partner),
                Some(false) => self
                    .say(" deactivated the partner ")
                    .partner(event, partner),
                None => {
                    let changed = format!(" changed {} of the partner ", details.changed());
                    self.say(changed).partner(event, partner)
                }
            },
            Action::PartnerImported => {
                let named = self.say(" took over the partner ").partner(event, partner);
                named.say(" from the Node pack")
            }
            Action::KeyImported => {
                let named = self.say(" took over the key ").key(event, partner);
                named.say(" from the Node pack")
            }
            Action::KeyIssued => self.say(" issued the key ").key(event, partner),
            Action::KeyUpdated => {
                let changed = format!(" changed {} of the key ", details.changed());
                self.say(changed).key(event, partner)
            }
            Action::KeyRotated => self.rotation(event, partner, &details),
            Action::KeyGraceChanged => {
                let end = details.after("retiresAt").map(plain).unwrap_or_default();
                let named = self.say(" changed the grace of the key ");
                named.key(event, partner).say(format!(": it ends at {end}"))
            }
            Action::KeyRevoked => {
                let reason = match details.text("reason") {
                    "" | "unspecified" => "no reason given".to_owned(),
                    reason => reason.replace('_', " "),
                };
                if details.text("previousReason").is_empty() {
                    let named = self.say(" revoked the key ").key(event, partner);
                    named.say(format!(": {reason}"))
                } else {
                    let named = self.say(" changed why the key ").key(event, partner);
                    named.say(format!(" is revoked: {reason}"))
                }
            }
            Action::KeyRestored => self
                .say(" undid the revocation of the key ")
                .key(event, partner),
            Action::PolicyChanged => self.say(format!(
                " changed the policy of key ages: {}",
                details.changed()
            )),
            Action::WebhookCreated => self.say(" made a webhook").receiver(partner, &details),
            Action::WebhookUpdated => self.say(" changed a webhook").receiver(partner, &details),
            Action::WebhookDeleted => self.say(" deleted a webhook").receiver(partner, &details),
            Action::NotificationResent => {
                let kind = details.text("kind");
                let named = self.say(format!(" had the notice {kind} sent again, of the key "));
                named.key(event, partner)
            }
            Action::AssetMinted => self.say(" recorded the asset ").asset(event),
            Action::AssetStatusChanged => {
                let status = details.after("status").map(plain).unwrap_or_default();
                let named = self.say(" set the asset ").asset(event);
                named.say(format!(" to {status}"))
            }
            Action::AssetTransferred => {
                let named = self.say(" handed on the asset ").asset(event);
                named.say(" of ").partner(event, partner)
            }
            Action::AssetReceived => {
                let named = self.say(" handed the asset ").asset(event);
                named.say(" to ").partner(event, partner)
            }
            Action::OperatorCreated => {
                let role = details.text("role").to_owned();
                let named = self.say(" made the operator ").name(details.text("email"));
                named.say(format!(", {role}"))
            }
            Action::OperatorPasswordSet if details.text("email") == event.actor.id => {
                self.say(" changed their own password")
            }
            Action::OperatorPasswordSet => self
                .say(" set the password of ")
                .name(details.text("email")),
            Action::OperatorFactorAdded => self.say(" set up a second factor"),
            Action::OperatorFactorRemoved if details.text("email") == event.actor.id => {
                self.say(" removed their second factor")
            }
            Action::OperatorFactorRemoved => self
                .say(" removed the second factor of ")
                .name(details.text("email")),
            Action::OperatorRecoveryCodesRenewed => self.say(" made new recovery codes"),
            Action::OperatorDisabled => self
                .say(" disabled the operator ")
                .name(details.text("email")),
            Action::OperatorChanged => self
                .say(" changed the operator ")
                .name(details.text("email")),
            Action::OperatorSignedIn => self.say(" signed in"),
            Action::OperatorSignedOut if details.text("email").is_empty() => {
                self.say(" signed out")
            }
            Action::OperatorSignedOut => self
                .say(" ended the sessions of ")
                .name(details.text("email")),
            Action::OperatorRefused => {
                let times = times(details.number("attempts"));
                self.say(format!(
                    " was refused {times} what their role does not allow"
                ))
            }
            Action::OperatorSignInFailed => self,
        };
    }

    fn actor(&mut self, event: &Event) -> &mut Self {
        let id = event.actor.id.as_str();
        match event.actor.kind {
            ActorKind::Operator => self.name(id),
            ActorKind::Key => self.say("The key ").name(id),
            ActorKind::Cli => self.name(id).say(" at the command line"),
            ActorKind::System => self.say("The server"),
        }
    }

    fn key(&mut self, event: &Event, partner: Option<&str>) -> &mut Self {
        let id = event.key_id.as_ref().map(|id| id.as_str().to_owned());
        self.name(id.unwrap_or_default());
        match partner {
            Some(partner) => self.say(" of ").name(partner),
            None => self,
        }
    }

    fn partner(&mut self, event: &Event, name: Option<&str>) -> &mut Self {
        let id = || event.partner_id.map(|id| id.to_string());
        let name = name.map(str::to_owned).or_else(id);
        self.name(name.unwrap_or_default())
    }

    fn receiver(&mut self, partner: Option<&str>, details: &Details<'_>) -> &mut Self {
        if let Some(partner) = partner {
            self.say(" of ").name(partner);
        }
        self.say(": ").name(details.text("host"))
    }

    fn asset(&mut self, event: &Event) -> &mut Self {
        self.name(event.asset_id.map(|id| id.to_string()).unwrap_or_default())
    }

    fn rotation(
        &mut self,
        event: &Event,
        partner: Option<&str>,
        details: &Details<'_>,
    ) -> &mut Self {
        self.say(" rotated the key ").key(event, partner);
        self.say("; ").name(details.text("replacedBy"));
        let grace = details.number("graceSeconds");
        let end = time(details.text("retiresAt")).unwrap_or_default();
        self.say(
            if grace == 0 && details.text("graceStarts") != "first_use" {
                " took its place at once".to_owned()
            } else if details.text("graceStarts") == "first_use" {
                format!(" takes its place, {} after its first use", span(grace))
            } else {
                format!(" takes its place, and the old one ends at {end}")
            },
        )
    }

    fn failed_sign_ins(&mut self, details: &Details<'_>) {
        let attempts = details.number("attempts");
        let plural = if attempts == 1 { "" } else { "s" };
        self.say(format!("{attempts} attempt{plural} to sign in failed"));
        let accounts: Vec<(&String, u64)> = details
            .object("accounts")
            .map(|(email, count)| (email, count.as_u64().unwrap_or_default()))
            .collect();
        for (place, (email, count)) in accounts.iter().enumerate() {
            let before = if place == 0 { ": " } else { ", " };
            self.say(format!("{before}{count} on "))
                .name(email.as_str());
        }
        match (details.number("unknownAccounts"), accounts.is_empty()) {
            (0, _) => {}
            (unknown, true) => {
                let which = if unknown == 1 {
                    "an account"
                } else {
                    "accounts"
                };
                self.say(format!(", on {which} that nobody has"));
            }
            (unknown, false) => {
                self.say(format!(", {unknown} on accounts that nobody has"));
            }
        }
    }
}

/// `86400` as `24 hours`.
fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(3_600, "hour"), (60, "minute"), (1, "second")];
    let fitting = UNITS.iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, name) = fitting.copied().unwrap_or((1, "second"));
    match seconds / unit {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// What an event tells beside its columns. A member that is missing reads as nothing: what was
/// written years ago is told too.
struct Details<'a>(Option<&'a Map<String, Value>>);

impl<'a> Details<'a> {
    fn member(&self, name: &str) -> Option<&'a Value> {
        self.0?.get(name)
    }

    fn text(&self, name: &str) -> &'a str {
        self.member(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        self.member(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    fn object(&self, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        let object = self.member(name).and_then(Value::as_object);
        object.into_iter().flatten()
    }

    /// What a field was changed to.
    fn after(&self, name: &str) -> Option<&'a Value> {
        self.member(name)?.get("to")
    }

    /// The fields that were changed, in words.
    fn changed(&self) -> String {
        let names = self.0.into_iter().flatten().map(|(name, _)| words(name));
        list(names)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::audit::Actor;
    use crate::domain::token::KeyId;

    fn told(kind: ActorKind, id: &str, action: Action, details: Value) -> DescribedEvent {
        let event = Event {
            event_id: Uuid::nil(),
            at: DateTime::UNIX_EPOCH,
            actor: Actor::new(kind, id),
            action,
            key_id: KeyId::parse("mpk_1"),
            partner_id: Some(Uuid::nil()),
            asset_id: Some(Uuid::nil()),
            ip: None,
            request_id: None,
            details,
        };
        tell(event, Some("Acme".to_owned()))
    }

    fn sentence(kind: ActorKind, id: &str, action: Action, details: Value) -> String {
        let told = told(kind, id, action, details);
        told.sentence.iter().map(Segment::text).collect()
    }

    #[test]
    fn events_are_told_in_a_sentence() {
        let by_operator =
            |action, details| sentence(ActorKind::Operator, "o@e.org", action, details);
        for (action, details, expected) in [
            (
                Action::PartnerUpdated,
                json!({"active": {"from": true, "to": false}}),
                "o@e.org deactivated the partner Acme",
            ),
            (
                Action::PartnerUpdated,
                json!({"contactEmail": {"from": null, "to": "a@b.c"}}),
                "o@e.org changed contact email of the partner Acme",
            ),
            (
                Action::KeyRotated,
                json!({"replacedBy": "mpk_2", "graceSeconds": 0, "graceStarts": "now"}),
                "o@e.org rotated the key mpk_1 of Acme; mpk_2 took its place at once",
            ),
            (
                Action::KeyRotated,
                json!({"replacedBy": "mpk_2", "graceSeconds": 86400, "graceStarts": "first_use"}),
                "o@e.org rotated the key mpk_1 of Acme; mpk_2 takes its place, 24 hours after its first use",
            ),
            (
                Action::KeyRotated,
                json!({"replacedBy": "mpk_2", "graceSeconds": 60, "graceStarts": "now", "retiresAt": "2030-01-31T12:00:00Z"}),
                "o@e.org rotated the key mpk_1 of Acme; mpk_2 takes its place, and the old one ends at 2030-01-31 12:00:00 UTC",
            ),
            (
                Action::KeyRevoked,
                json!({"reason": "key_compromise", "previousReason": null}),
                "o@e.org revoked the key mpk_1 of Acme: key compromise",
            ),
            (
                Action::KeyRevoked,
                json!({"reason": "key_compromise", "previousReason": "superseded"}),
                "o@e.org changed why the key mpk_1 of Acme is revoked: key compromise",
            ),
            (
                Action::OperatorPasswordSet,
                json!({"email": "o@e.org"}),
                "o@e.org changed their own password",
            ),
            (
                Action::OperatorFactorRemoved,
                json!({"email": "a@e.org"}),
                "o@e.org removed the second factor of a@e.org",
            ),
            (Action::OperatorSignedOut, json!({}), "o@e.org signed out"),
            (
                Action::OperatorSignedOut,
                json!({"email": "a@e.org"}),
                "o@e.org ended the sessions of a@e.org",
            ),
            (
                Action::OperatorRefused,
                json!({"attempts": 2}),
                "o@e.org was refused twice what their role does not allow",
            ),
        ] {
            assert_eq!(by_operator(action, details), expected);
        }
        let failed = |details| {
            sentence(
                ActorKind::System,
                "s",
                Action::OperatorSignInFailed,
                details,
            )
        };
        assert_eq!(
            failed(
                json!({"attempts": 38, "accounts": {"a@e.org": 3, "b@e.org": 5}, "unknownAccounts": 30})
            ),
            "38 attempts to sign in failed: 3 on a@e.org, 5 on b@e.org, 30 on accounts that nobody has"
        );
        assert_eq!(
            failed(json!({"attempts": 1, "accounts": {}, "unknownAccounts": 1})),
            "1 attempt to sign in failed, on an account that nobody has"
        );
        assert_eq!(
            sentence(
                ActorKind::Cli,
                "root",
                Action::OperatorCreated,
                json!({"email": "n@e.org", "role": "auditor"})
            ),
            "root at the command line made the operator n@e.org, auditor"
        );
    }

    #[test]
    fn every_action_is_told_whatever_its_details_hold() {
        for action in Action::ALL {
            for details in [
                Value::Null,
                json!([]),
                json!({"reason": 7, "email": {}, "accounts": []}),
            ] {
                let text = sentence(ActorKind::Key, "mpk_9", action, details);
                assert!(text.len() > 15, "{text}");
            }
        }
    }

    #[test]
    fn details_become_facts() {
        let told = told(
            ActorKind::Operator,
            "o@e.org",
            Action::KeyUpdated,
            json!({"ratePerMinute": {"from": 300, "to": 500}, "notAfter": {"from": null, "to": "2030-01-31T12:00:00Z"},
                "scopes": ["assets:read", "reverify"], "note": null, "active": true, "accounts": {"a": 1}}),
        );
        let facts: Vec<String> = told
            .facts
            .iter()
            .map(|fact| format!("{}={}", fact.about, fact.is))
            .collect();
        assert_eq!(
            facts,
            [
                "accounts=a: 1",
                "active=yes",
                "not after=none → 2030-01-31 12:00:00 UTC",
                "note=none",
                "rate per minute=300 → 500",
                "scopes=assets:read, reverify"
            ]
        );
    }
}
