//! Inputs of bulk actions and their checked forms.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bulk::{BulkAction, MAX_KEYS};
use super::error::AppResult;
use super::grace::{GraceStart, MAX_GRACE_SECONDS};
use super::key_input::{RevokeInput, RevokeKey};
use super::list::uuid;
use super::rotation::RotateKey;
use super::token::KeyId;
use super::validate::{self, FieldErrors, one_of};

/// Minimum grace period of a bulk rotation, in seconds. If the answer with the tokens is lost, the
/// old keys go on until an operator notices.
pub const MIN_BULK_GRACE: i32 = 3_600;
/// Default grace period of a bulk rotation, in seconds.
const DEFAULT_GRACE: i32 = 86_400;
/// A hundred years.
const MAX_DAYS: i32 = 36_500;

/// The selected keys: those listed, or the live ones that match all other members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(example = json!({"partnerId": "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e", "olderThanDays": 90}))]
pub struct SelectionInput {
    /// The ids of 1 to 500 keys, without repetition; not together with the other members.
    #[schema(value_type = Option<std::collections::BTreeSet<KeyId>>, min_items = 1, max_items = 500)]
    pub key_ids: Option<Vec<String>>,
    /// Keys of this partner.
    #[schema(value_type = Option<Uuid>)]
    pub partner_id: Option<String>,
    /// Keys created more than this many days ago.
    #[schema(minimum = 1, maximum = 36500, example = 90)]
    pub older_than_days: Option<i64>,
    /// `true` selects keys that are due for rotation by the policy.
    pub rotation_due: Option<bool>,
}

/// The keys that a bulk request applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    Listed(Vec<KeyId>),
    /// Matching live keys, oldest first.
    Matching {
        partner_id: Option<Uuid>,
        made_before: Option<DateTime<Utc>>,
        rotation_due: bool,
    },
}

fn check_selection(
    errors: &mut FieldErrors,
    input: Option<SelectionInput>,
    now: DateTime<Utc>,
) -> Option<Selection> {
    let input = input.unwrap_or_default();
    if let Some(key_ids) = &input.key_ids {
        if input.partner_id.is_some()
            || input.older_than_days.is_some()
            || input.rotation_due.is_some()
        {
            errors.add(
                "select.keyIds",
                "can't be given together with partnerId, olderThanDays or rotationDue",
            );
        }
        return check_ids(errors, key_ids).map(Selection::Listed);
    }
    let partner_id =
        errors.check_optional("select.partnerId", input.partner_id, |text| uuid(&text));
    let days = errors.check_optional("select.olderThanDays", input.older_than_days, |days| {
        validate::number(days, 1, MAX_DAYS)
    });
    let rotation_due = input.rotation_due == Some(true);
    if input.rotation_due == Some(false) {
        errors.add("select.rotationDue", "must be true where it is given");
    }
    if partner_id.is_none() && days.is_none() && !rotation_due {
        // An invalid member is already reported.
        if input.older_than_days.is_none() && errors.is_empty() {
            errors.add(
                "select",
                "must name keyIds, or some of partnerId, olderThanDays and rotationDue",
            );
        }
        return None;
    }
    Some(Selection::Matching {
        partner_id,
        made_before: days.map(|days| now - TimeDelta::days(days.into())),
        rotation_due,
    })
}

fn check_ids(errors: &mut FieldErrors, texts: &[String]) -> Option<Vec<KeyId>> {
    if texts.is_empty() || texts.len() > MAX_KEYS {
        errors.add(
            "select.keyIds",
            format!("must name 1 to {MAX_KEYS} keys, not {}", texts.len()),
        );
        return None;
    }
    let mut ids = Vec::with_capacity(texts.len());
    let mut seen = std::collections::HashSet::new();
    for (place, text) in texts.iter().enumerate() {
        let path = format!("select.keyIds[{place}]");
        match KeyId::parse(text.trim()) {
            Some(id) if seen.insert(id.clone()) => ids.push(id),
            Some(_) => errors.add(&path, "is named twice"),
            None => errors.add(&path, "must be a key's id"),
        }
    }
    Some(ids)
}

/// The body of `POST /api/admin/bulk/preview`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkPreviewInput {
    /// `rotate` or `revoke`.
    #[schema(value_type = BulkAction)]
    pub action: Option<String>,
    /// The selected keys.
    #[schema(value_type = SelectionInput)]
    pub select: Option<SelectionInput>,
}

impl BulkPreviewInput {
    pub fn check(self, now: DateTime<Utc>) -> AppResult<(BulkAction, Selection)> {
        let mut errors = FieldErrors::default();
        let action = errors.check("action", one_of(self.action.as_deref().unwrap_or_default()));
        let selection = check_selection(&mut errors, self.select, now);
        errors.finish(action.zip(selection))
    }
}

/// The body of `POST /api/admin/bulk/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkRotateInput {
    /// The selected keys.
    #[schema(value_type = SelectionInput)]
    pub select: Option<SelectionInput>,
    /// The grace period of each old key, 3600 to 2592000 s; 86400 by default.
    #[schema(minimum = 3600, maximum = 2592000, example = 86400)]
    pub grace_seconds: Option<i64>,
    /// The start of the grace period; `first_use` (of the successor) by default.
    #[schema(value_type = Option<GraceStart>)]
    pub grace_starts: Option<String>,
}

/// A checked request to rotate many keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateMany {
    pub selection: Selection,
    pub rotation: RotateKey,
}

impl BulkRotateInput {
    pub fn check(self, now: DateTime<Utc>) -> AppResult<RotateMany> {
        let mut errors = FieldErrors::default();
        let selection = check_selection(&mut errors, self.select, now);
        let grace = errors.check_optional("graceSeconds", self.grace_seconds, |seconds| {
            validate::number(seconds, MIN_BULK_GRACE, MAX_GRACE_SECONDS)
        });
        let starts = errors.check_optional("graceStarts", self.grace_starts, one_of);
        errors.finish(selection.map(|selection| RotateMany {
            selection,
            rotation: RotateKey {
                grace: grace.unwrap_or(DEFAULT_GRACE),
                starts: starts.unwrap_or(GraceStart::FirstUse),
                not_after: None,
            },
        }))
    }
}

/// The body of `POST /api/admin/bulk/revoke`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkRevokeInput {
    /// The selected keys.
    #[schema(value_type = SelectionInput)]
    pub select: Option<SelectionInput>,
    /// One of [`super::key::RevocationReason`]; `unspecified` by default.
    #[schema(value_type = Option<super::key::RevocationReason>)]
    pub reason: Option<String>,
    /// At most 200 characters.
    #[schema(max_length = 200, example = "the partner's repository was public")]
    pub note: Option<String>,
}

/// A checked request to revoke many keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeMany {
    pub selection: Selection,
    pub revocation: RevokeKey,
}

impl BulkRevokeInput {
    pub fn check(self, now: DateTime<Utc>) -> AppResult<RevokeMany> {
        let mut errors = FieldErrors::default();
        let selection = check_selection(&mut errors, self.select, now);
        let revocation = RevokeInput {
            reason: self.reason,
            note: self.note,
        };
        let revocation = errors.take(revocation.check());
        let command = selection.zip(revocation);
        errors.finish(command.map(|(selection, revocation)| RevokeMany {
            selection,
            revocation,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::AppError;

    fn errors(error: AppError) -> Vec<String> {
        match error {
            AppError::Invalid { fields } => fields.into_iter().map(|field| field.path).collect(),
            other => panic!("not an input error: {other:?}"),
        }
    }

    #[test]
    fn a_selection_says_whom_it_means() {
        let now = DateTime::UNIX_EPOCH;
        let check = |select: SelectionInput| {
            let input = BulkPreviewInput {
                action: Some("rotate".into()),
                select: Some(select),
            };
            input.check(now).map(|(_, selection)| selection)
        };
        let ids = |texts: &[&str]| SelectionInput {
            key_ids: Some(texts.iter().map(|text| (*text).to_owned()).collect()),
            ..SelectionInput::default()
        };
        let nothing = check(SelectionInput::default());
        assert_eq!(errors(nothing.unwrap_err()), ["select"]);
        assert_eq!(errors(check(ids(&[])).unwrap_err()), ["select.keyIds"]);
        let twice = check(ids(&["mpk_1", " mpk_1", "no id"]));
        assert_eq!(
            errors(twice.unwrap_err()),
            ["select.keyIds[1]", "select.keyIds[2]"]
        );
        let many = vec!["mpk_1"; MAX_KEYS + 1];
        assert_eq!(errors(check(ids(&many)).unwrap_err()), ["select.keyIds"]);
        let both = SelectionInput {
            older_than_days: Some(3),
            ..ids(&["mpk_1"])
        };
        assert_eq!(errors(check(both).unwrap_err()), ["select.keyIds"]);
        let old = SelectionInput {
            older_than_days: Some(0),
            ..SelectionInput::default()
        };
        assert_eq!(errors(check(old).unwrap_err()), ["select.olderThanDays"]);
        let old = SelectionInput {
            older_than_days: Some(2),
            ..SelectionInput::default()
        };
        let matching = Selection::Matching {
            partner_id: None,
            made_before: Some(now - TimeDelta::days(2)),
            rotation_due: false,
        };
        assert_eq!(check(old), Ok(matching));
    }

    #[test]
    fn a_rotation_of_many_keys_waits_for_their_first_uses() {
        let select = Some(SelectionInput {
            older_than_days: Some(1),
            ..SelectionInput::default()
        });
        let input = BulkRotateInput {
            select: select.clone(),
            ..BulkRotateInput::default()
        };
        let rotation = input.check(DateTime::UNIX_EPOCH).unwrap().rotation;
        assert_eq!(
            (rotation.grace, rotation.starts),
            (DEFAULT_GRACE, GraceStart::FirstUse)
        );
        let short = BulkRotateInput {
            select,
            grace_seconds: Some(3_599),
            grace_starts: Some("never".into()),
        };
        let short = short.check(DateTime::UNIX_EPOCH).unwrap_err();
        assert_eq!(errors(short), ["graceSeconds", "graceStarts"]);
    }
}
