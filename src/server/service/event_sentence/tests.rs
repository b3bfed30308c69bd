//! Sentences and formatted details of events.

use chrono::DateTime;
use serde_json::json;
use strum::VariantArray;
use uuid::Uuid;

use super::*;
use crate::domain::audit::Actor;
use crate::domain::token::KeyId;

fn described(kind: ActorKind, id: &str, action: Action, details: Value) -> DescribedEvent {
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
    describe(event, Some("Acme".to_owned()))
}

fn sentence(kind: ActorKind, id: &str, action: Action, details: Value) -> String {
    let described = described(kind, id, action, details);
    described.sentence.iter().map(Segment::text).collect()
}

#[test]
fn events_are_described_in_a_sentence() {
    let by_operator = |action, details| sentence(ActorKind::Operator, "o@e.org", action, details);
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
            "o@e.org rotated the key mpk_1 of Acme; mpk_2 replaced it immediately",
        ),
        (
            Action::KeyRotated,
            json!({"replacedBy": "mpk_2", "graceSeconds": 86400, "graceStarts": "first_use"}),
            "o@e.org rotated the key mpk_1 of Acme; mpk_2 replaces it 24 hours after its first use",
        ),
        (
            Action::KeyRotated,
            json!({"replacedBy": "mpk_2", "graceSeconds": 60, "graceStarts": "now", "retiresAt": "2030-01-31T12:00:00Z"}),
            "o@e.org rotated the key mpk_1 of Acme; mpk_2 replaces it, and the old key ends at 2030-01-31 12:00:00 UTC",
        ),
        (
            Action::KeyRevoked,
            json!({"reason": "key_compromise", "previousReason": null}),
            "o@e.org revoked the key mpk_1 of Acme: key compromise",
        ),
        (
            Action::KeyRevoked,
            json!({"reason": "key_compromise", "previousReason": "superseded"}),
            "o@e.org changed the revocation reason of the key mpk_1 of Acme to key compromise",
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
            "o@e.org was denied 2 actions that their role does not allow",
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
        "38 sign-in attempts failed: 3 on a@e.org, 5 on b@e.org, 30 on unknown accounts"
    );
    assert_eq!(
        failed(json!({"attempts": 1, "accounts": {}, "unknownAccounts": 1})),
        "1 sign-in attempt failed, on an unknown account"
    );
    assert_eq!(
        sentence(
            ActorKind::Cli,
            "root",
            Action::OperatorCreated,
            json!({"email": "n@e.org", "role": "auditor"})
        ),
        "root at the command line created the operator n@e.org, auditor"
    );
}

#[test]
fn every_action_is_described_whatever_its_details_hold() {
    for action in Action::VARIANTS {
        for details in [
            Value::Null,
            json!([]),
            json!({"reason": 7, "email": {}, "accounts": []}),
        ] {
            let text = sentence(ActorKind::Key, "mpk_9", *action, details);
            assert!(text.len() > 15, "{text}");
        }
    }
}

#[test]
fn details_are_formatted() {
    let described = described(
        ActorKind::Operator,
        "o@e.org",
        Action::KeyUpdated,
        json!({"ratePerMinute": {"from": 300, "to": 500}, "notAfter": {"from": null, "to": "2030-01-31T12:00:00Z"},
            "scopes": ["assets:read", "reverify"], "note": null, "active": true, "accounts": {"a": 1}}),
    );
    let details: Vec<String> = described
        .details
        .iter()
        .map(|detail| format!("{}={}", detail.label, detail.value))
        .collect();
    assert_eq!(
        details,
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
