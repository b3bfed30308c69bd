//! Inputs for issuing, changing, revoking and restoring a key, and their checked forms.
//!
//! Each field of an input is a plain JSON type, so that the rules here, not the JSON parser, find
//! all errors at once. REST and the console send the same.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::AppResult;
use super::key::{DEFAULT_RATE, Environment, MAX_RATE, RevocationReason};
use super::patch::Patch;
use super::scope::Scope;
use super::validate::{self, FieldErrors, one_of};

/// The body of `POST /api/admin/api-keys/issue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "partnerId": "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e", "scopes": ["assets:read", "reverify"],
    "name": "Billing service", "environment": "production", "ratePerMinute": 300,
    "notAfter": "2031-01-31T12:00:00Z",
}))]
pub struct IssueInput {
    /// The partner's id.
    #[schema(value_type = Uuid)]
    pub partner_id: Option<String>,
    /// At least one known scope, without repetition.
    #[schema(value_type = BTreeSet<Scope>, min_items = 1)]
    pub scopes: Option<Vec<String>>,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, example = "Billing service")]
    pub name: Option<String>,
    /// `production` (the default), `test` or `development`.
    #[schema(value_type = Option<Environment>)]
    pub environment: Option<String>,
    /// 1 to 10000, 300 by default.
    #[schema(minimum = 1, maximum = 10000, example = 300)]
    pub rate_per_minute: Option<i64>,
    /// RFC 3339; may be in the past; now by default.
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub not_before: Option<String>,
    /// RFC 3339; in the future and after `notBefore`; never by default.
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub not_after: Option<String>,
}

/// A checked request to issue a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueKey {
    pub partner_id: Uuid,
    /// At least one, without repetition.
    pub scopes: Vec<Scope>,
    pub name: Option<String>,
    pub environment: Environment,
    pub rate_per_minute: i32,
    pub not_before: DateTime<Utc>,
    pub not_after: Option<DateTime<Utc>>,
}

impl IssueInput {
    pub fn check(self, now: DateTime<Utc>) -> AppResult<IssueKey> {
        let mut errors = FieldErrors::default();
        let partner_id = errors.check("partnerId", partner_id(self.partner_id.as_deref()));
        let scopes = check_scopes(&mut errors, self.scopes.as_deref());
        let name = errors.check_optional("name", self.name, |name| validate::line(&name, 1, 100));
        let environment = errors.check_optional("environment", self.environment, one_of);
        let rate = errors.check_optional("ratePerMinute", self.rate_per_minute, rate);
        let not_before = errors
            .check_optional("notBefore", self.not_before, |text| validate::time(&text))
            .unwrap_or(now);
        let not_after = errors.check_optional("notAfter", self.not_after, |text| {
            end_of_window(&text, not_before, now)
        });
        let command = partner_id.zip(scopes).map(|(partner_id, scopes)| IssueKey {
            partner_id,
            scopes,
            name,
            environment: environment.unwrap_or_default(),
            rate_per_minute: rate.unwrap_or(DEFAULT_RATE),
            not_before,
            not_after,
        });
        errors.finish(command)
    }
}

/// The body of `PATCH /api/admin/api-keys/{keyId}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateInput {
    /// 1 to 100 characters; `null` removes the name.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "Billing service")]
    pub name: Patch<String>,
    /// `production`, `test` or `development`; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Environment, required = false)]
    pub environment: Patch<String>,
    /// 1 to 10000; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 10000, example = 300)]
    pub rate_per_minute: Patch<i64>,
    /// RFC 3339; in the future; `null` removes the end.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub not_after: Patch<String>,
}

/// A checked request to change a key. Scopes and partner never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateKey {
    pub name: Patch<String>,
    pub environment: Option<Environment>,
    pub rate_per_minute: Option<i32>,
    /// The service checks that it is after the key's notBefore.
    pub not_after: Patch<DateTime<Utc>>,
}

impl UpdateInput {
    pub fn check(self, now: DateTime<Utc>) -> AppResult<UpdateKey> {
        let mut errors = FieldErrors::default();
        let name = self.name.try_map(|name| validate::line(&name, 1, 100));
        let environment = required("environment", self.environment, &mut errors)
            .and_then(|text| errors.check("environment", one_of(text)));
        let rate_per_minute = required("ratePerMinute", self.rate_per_minute, &mut errors)
            .and_then(|value| errors.check("ratePerMinute", rate(value)));
        let not_after = self
            .not_after
            .try_map(|text| end_of_window(&text, DateTime::<Utc>::MIN_UTC, now));
        let name = errors.check("name", name);
        let not_after = errors.check("notAfter", not_after);
        let command = name.zip(not_after).map(|(name, not_after)| UpdateKey {
            name,
            environment,
            rate_per_minute,
            not_after,
        });
        errors.finish(command)
    }
}

/// Returns the new value of a mandatory field; clearing it is an error.
pub(super) fn required<T>(path: &str, patch: Patch<T>, errors: &mut FieldErrors) -> Option<T> {
    if matches!(patch, Patch::Clear) {
        errors.add(path, "can't be cleared: leave it out to keep it");
    }
    patch.apply(None)
}

/// The body of `POST /api/admin/api-keys/{keyId}/revoke`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeInput {
    /// One of [`RevocationReason`]; `unspecified` by default.
    #[schema(value_type = Option<RevocationReason>)]
    pub reason: Option<String>,
    /// At most 200 characters.
    #[schema(max_length = 200, example = "found in a public repository")]
    pub note: Option<String>,
}

/// A checked request to revoke a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeKey {
    pub reason: RevocationReason,
    pub note: Option<String>,
}

impl RevokeInput {
    pub fn check(self) -> AppResult<RevokeKey> {
        let mut errors = FieldErrors::default();
        let reason = errors.check_optional("reason", self.reason, one_of);
        let note = check_note(&mut errors, self.note);
        errors.finish(Some(RevokeKey {
            reason: reason.unwrap_or_default(),
            note,
        }))
    }
}

/// The body of `POST /api/admin/api-keys/{keyId}/restore`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreInput {
    /// For the audit log; at most 200 characters.
    #[schema(max_length = 200, example = "the wrong key was revoked")]
    pub note: Option<String>,
}

impl RestoreInput {
    /// Returns the note.
    pub fn check(self) -> AppResult<Option<String>> {
        let mut errors = FieldErrors::default();
        let note = check_note(&mut errors, self.note);
        errors.finish(Some(note))
    }
}

fn check_note(errors: &mut FieldErrors, note: Option<String>) -> Option<String> {
    errors
        .check_optional("note", note, |note| validate::line(&note, 0, 200))
        .filter(|note| !note.is_empty())
}

fn partner_id(text: Option<&str>) -> Result<Uuid, String> {
    let text = text.ok_or("must name the partner that gets the key")?;
    Uuid::try_parse(text).map_err(|_| "must be a partner's id (a UUID)".to_owned())
}

fn check_scopes(errors: &mut FieldErrors, names: Option<&[String]>) -> Option<Vec<Scope>> {
    let names = names.unwrap_or_default();
    if names.is_empty() {
        errors.add("scopes", "must name at least one scope");
        return None;
    }
    let mut scopes = Vec::with_capacity(names.len().min(Scope::VARIANTS.len()));
    for (index, name) in names.iter().enumerate().take(Scope::VARIANTS.len() + 1) {
        let path = format!("scopes[{index}]");
        match one_of(name) {
            Err(message) => errors.add(&path, message),
            Ok(scope) if scopes.contains(&scope) => errors.add(&path, "repeats a scope"),
            Ok(scope) => scopes.push(scope),
        }
    }
    Some(scopes)
}

fn rate(value: i64) -> Result<i32, String> {
    validate::number(value, 1, MAX_RATE)
}

/// Parses an end of validity after `not_before` and `now`.
pub(super) fn end_of_window(
    text: &str,
    not_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, String> {
    let time = validate::time(text)?;
    if time <= now {
        return Err("must lie in the future".to_owned());
    }
    if time <= not_before {
        return Err("must lie after notBefore".to_owned());
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::AppError;

    fn now() -> DateTime<Utc> {
        "2027-01-01T00:00:00Z".parse().unwrap()
    }

    fn input(json: &str) -> IssueInput {
        serde_json::from_str(json).unwrap()
    }

    fn paths(error: AppError) -> Vec<String> {
        match error {
            AppError::Invalid { fields } => fields.into_iter().map(|f| f.path).collect(),
            other => panic!("not an input error: {other:?}"),
        }
    }

    #[test]
    fn defaults() {
        let key = input(
            r#"{"partnerId":"00000000-0000-4000-8000-000000000001","scopes":["assets:read"],"name":null}"#,
        )
        .check(now())
        .unwrap();
        assert_eq!(key.scopes, [Scope::AssetsRead]);
        assert_eq!(key.environment, Environment::Production);
        assert_eq!(
            (key.rate_per_minute, key.not_before, key.not_after),
            (300, now(), None)
        );
    }

    #[test]
    fn every_error_names_its_field() {
        let error = input(
            r#"{"partnerId":"nope","scopes":["assets:read","assets:read","assets:read,admin:*"],
                "name":" ","environment":"prod","ratePerMinute":0,"notBefore":"x","notAfter":"2026-12-31T23:59:59Z"}"#,
        )
        .check(now())
        .unwrap_err();
        assert_eq!(
            paths(error),
            [
                "partnerId",
                "scopes[1]",
                "scopes[2]",
                "name",
                "environment",
                "ratePerMinute",
                "notBefore",
                "notAfter"
            ]
        );
        assert_eq!(
            paths(input("{}").check(now()).unwrap_err()),
            ["partnerId", "scopes"]
        );
        assert_eq!(
            paths(input(r#"{"scopes":[]}"#).check(now()).unwrap_err()),
            ["partnerId", "scopes"]
        );
    }

    #[test]
    fn windows_end_in_the_future_and_after_they_begin() {
        let begin = "2027-03-01T00:00:00Z".parse().unwrap();
        assert!(end_of_window("2027-01-01T00:00:00Z", DateTime::<Utc>::MIN_UTC, now()).is_err());
        assert!(end_of_window("2027-02-01T00:00:00Z", begin, now()).is_err());
        assert!(end_of_window("2027-03-01T00:00:00.000001Z", begin, now()).is_ok());
    }

    #[test]
    fn rates_have_bounds() {
        for (value, fine) in [
            (0, false),
            (1, true),
            (10_000, true),
            (10_001, false),
            (-1, false),
            (1 << 40, false),
        ] {
            assert_eq!(rate(value).is_ok(), fine, "{value}");
        }
    }

    #[test]
    fn a_patch_may_clear_what_is_optional_and_nothing_else() {
        let update: UpdateInput = serde_json::from_str(r#"{"name":null,"notAfter":null}"#).unwrap();
        let update = update.check(now()).unwrap();
        assert_eq!(
            (update.name, update.not_after),
            (Patch::Clear, Patch::Clear)
        );
        let update: UpdateInput =
            serde_json::from_str(r#"{"environment":null,"ratePerMinute":null}"#).unwrap();
        assert_eq!(
            paths(update.check(now()).unwrap_err()),
            ["environment", "ratePerMinute"]
        );
    }

    #[test]
    fn revocations() {
        assert_eq!(
            RevokeInput::default().check().unwrap().reason,
            RevocationReason::Unspecified
        );
        let input = RevokeInput {
            reason: Some("stolen".into()),
            note: Some("x".repeat(201)),
        };
        assert_eq!(paths(input.check().unwrap_err()), ["reason", "note"]);
    }
}
