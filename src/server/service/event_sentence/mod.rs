//! The English sentence that describes an audit event, for the console and the CSV export.

mod details;

use serde_json::Value;

use self::details::{Details, format_time, format_value};
use crate::domain::audit::{Action, ActorKind, Event};
use crate::domain::event_description::{DescribedEvent, Segment};

/// Describes an event; `partner_name` is the current name of its partner.
pub fn describe(event: Event, partner_name: Option<String>) -> DescribedEvent {
    let mut sentence = Sentence::default();
    sentence.write(&event, partner_name.as_deref());
    DescribedEvent {
        details: Details::of(&event.details).formatted(),
        event,
        partner_name,
        sentence: sentence.0,
    }
}

#[derive(Default)]
struct Sentence(Vec<Segment>);

impl Sentence {
    fn say(&mut self, text: impl Into<String>) -> &mut Self {
        self.0.push(Segment::Text(text.into()));
        self
    }

    fn name(&mut self, name: impl Into<String>) -> &mut Self {
        self.0.push(Segment::Name(name.into()));
        self
    }

    fn write(&mut self, event: &Event, partner: Option<&str>) {
        let details = Details::of(&event.details);
        if event.action == Action::OperatorSignInFailed {
            self.failed_sign_ins(&details);
            return;
        }
        self.actor(event);
        match event.action {
            Action::PartnerCreated => self.say(" created the partner ").partner(event, partner),
            Action::PartnerUpdated => match details.changed_to("active").and_then(Value::as_bool) {
                Some(true) => self.say(" activated the partner ").partner(event, partner),
                Some(false) => self
                    .say(" deactivated the partner ")
                    .partner(event, partner),
                None => {
                    let changed = format!(" changed {} of the partner ", details.changed_fields());
                    self.say(changed).partner(event, partner)
                }
            },
            Action::PartnerImported => {
                let named = self.say(" imported the partner ").partner(event, partner);
                named.say(" from the Node pack")
            }
            Action::KeyImported => {
                let named = self.say(" imported the key ").key(event, partner);
                named.say(" from the Node pack")
            }
            Action::KeyIssued => self.say(" issued the key ").key(event, partner),
            Action::KeyUpdated => {
                let changed = format!(" changed {} of the key ", details.changed_fields());
                self.say(changed).key(event, partner)
            }
            Action::KeyRotated => self.rotation(event, partner, &details),
            Action::KeyGraceChanged => {
                let end = details
                    .changed_to("retiresAt")
                    .map(format_value)
                    .unwrap_or_default();
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
                    self.say(" changed the revocation reason of the key ")
                        .key(event, partner)
                        .say(format!(" to {reason}"))
                }
            }
            Action::KeyRestored => self
                .say(" undid the revocation of the key ")
                .key(event, partner),
            Action::PolicyChanged => self.say(format!(
                " changed the key age policy: {}",
                details.changed_fields()
            )),
            Action::WebhookCreated => self.say(" created a webhook").receiver(partner, &details),
            Action::WebhookUpdated => self.say(" changed a webhook").receiver(partner, &details),
            Action::WebhookDeleted => self.say(" deleted a webhook").receiver(partner, &details),
            Action::NotificationResent => {
                let kind = details.text("kind");
                let named = self.say(format!(" resent the notification {kind} of the key "));
                named.key(event, partner)
            }
            Action::AssetMinted => self.say(" recorded the asset ").asset(event),
            Action::AssetStatusChanged => {
                let status = details
                    .changed_to("status")
                    .map(format_value)
                    .unwrap_or_default();
                let named = self.say(" set the asset ").asset(event);
                named.say(format!(" to {status}"))
            }
            Action::AssetTransferred => {
                let named = self.say(" transferred the asset ").asset(event);
                named.say(" of ").partner(event, partner)
            }
            Action::AssetReceived => {
                let named = self.say(" transferred the asset ").asset(event);
                named.say(" to ").partner(event, partner)
            }
            Action::OperatorCreated => {
                let role = details.text("role").to_owned();
                let named = self
                    .say(" created the operator ")
                    .name(details.text("email"));
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
            Action::OperatorRecoveryCodesRenewed => self.say(" generated new recovery codes"),
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
                let actions = counted(details.number("attempts"), "action");
                self.say(format!(
                    " was denied {actions} that their role does not allow"
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
        let end = format_time(details.text("retiresAt")).unwrap_or_default();
        self.say(
            if grace == 0 && details.text("graceStarts") != "first_use" {
                " replaced it immediately".to_owned()
            } else if details.text("graceStarts") == "first_use" {
                format!(" replaces it {} after its first use", duration(grace))
            } else {
                format!(" replaces it, and the old key ends at {end}")
            },
        )
    }

    fn failed_sign_ins(&mut self, details: &Details<'_>) {
        let attempts = details.number("attempts");
        self.say(format!("{} failed", counted(attempts, "sign-in attempt")));
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
            (1, true) => {
                self.say(", on an unknown account");
            }
            (_, true) => {
                self.say(", on unknown accounts");
            }
            (unknown, false) => {
                self.say(format!(", {unknown} on unknown accounts"));
            }
        }
    }
}

/// Formats `86400` as `24 hours`.
fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(3_600, "hour"), (60, "minute"), (1, "second")];
    let fitting = UNITS.iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, name) = fitting.copied().unwrap_or((1, "second"));
    counted(seconds / unit, name)
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests;
