//! What orders about many keys take: the JSON as it is sent, and the checked command.

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
use super::validate::{self, Faults, one_of};

/// The shortest grace of a rotation of many keys: were its answer lost, nobody would be cut off
/// before somebody noticed.
pub const MIN_BULK_GRACE: i32 = 3_600;
/// The grace of a rotation of many keys that names none: a day.
const DEFAULT_GRACE: i32 = 86_400;
/// The highest age that can be asked for: a hundred years.
const MAX_DAYS: i32 = 36_500;

/// Which keys are meant: those listed, or the live ones that every other member names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(example = json!({"partnerId": "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e", "olderThanDays": 90}))]
pub struct SelectionInput {
    /// These keys, 1 to 500, none twice; not together with the other members.
    #[schema(value_type = Option<std::collections::BTreeSet<KeyId>>, min_items = 1, max_items = 500)]
    pub key_ids: Option<Vec<String>>,
    /// This partner's keys.
    #[schema(value_type = Option<Uuid>)]
    pub partner_id: Option<String>,
    /// Keys that were made more than so many days ago.
    #[schema(minimum = 1, maximum = 36500, example = 90)]
    pub older_than_days: Option<i64>,
    /// `true`: keys that are due for rotation by the policy.
    pub rotation_due: Option<bool>,
}

/// Which keys are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These.
    Listed(Vec<KeyId>),
    /// The live ones, oldest first, that fit.
    Fitting {
        /// Whose.
        partner_id: Option<Uuid>,
        /// Made before this moment.
        made_before: Option<DateTime<Utc>>,
        /// Only those that are due for rotation.
        rotation_due: bool,
    },
}

fn check_selection(
    faults: &mut Faults,
    input: Option<SelectionInput>,
    now: DateTime<Utc>,
) -> Option<Selection> {
    let input = input.unwrap_or_default();
    if let Some(key_ids) = &input.key_ids {
        if input.partner_id.is_some()
            || input.older_than_days.is_some()
            || input.rotation_due.is_some()
        {
            faults.add(
                "select.keyIds",
                "can't be given together with partnerId, olderThanDays or rotationDue",
            );
        }
        return check_ids(faults, key_ids).map(Selection::Listed);
    }
    let partner_id =
        faults.check_optional("select.partnerId", input.partner_id, |text| uuid(&text));
    let days = faults.check_optional("select.olderThanDays", input.older_than_days, |days| {
        validate::number(days, 1, MAX_DAYS)
    });
    let rotation_due = input.rotation_due == Some(true);
    if input.rotation_due == Some(false) {
        faults.add("select.rotationDue", "must be true where it is given");
    }
    if partner_id.is_none() && days.is_none() && !rotation_due {
        // Where one was given and is wrong, that is told already.
        if input.older_than_days.is_none() && faults.is_empty() {
            faults.add(
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

fn check_ids(faults: &mut Faults, texts: &[String]) -> Option<Vec<KeyId>> {
    if texts.is_empty() || texts.len() > MAX_KEYS {
        faults.add(
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
            Some(_) => faults.add(&path, "is named twice"),
            None => faults.add(&path, "must be a key's id"),
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
    /// Which keys.
    #[schema(value_type = SelectionInput)]
    pub select: Option<SelectionInput>,
}

impl BulkPreviewInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self, now: DateTime<Utc>) -> AppResult<(BulkAction, Selection)> {
        let mut faults = Faults::default();
        let named = self.action.as_deref().and_then(BulkAction::parse);
        let allowed = || one_of(BulkAction::ALL.map(BulkAction::as_str));
        let action = faults.check("action", named.ok_or_else(allowed));
        let selection = check_selection(&mut faults, self.select, now);
        faults.finish(action.zip(selection))
    }
}

/// The body of `POST /api/admin/bulk/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BulkRotateInput {
    /// Which keys.
    #[schema(value_type = SelectionInput)]
    pub select: Option<SelectionInput>,
    /// How long each old key goes on, 3600 to 2592000 s; 86400 by default.
    #[schema(minimum = 3600, maximum = 2592000, example = 86400)]
    pub grace_seconds: Option<i64>,
    /// What the grace runs from; `first_use`, the successor's, by default.
    #[schema(value_type = Option<GraceStart>)]
    pub grace_starts: Option<String>,
}

/// A checked order to rotate many keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateMany {
    /// Which keys.
    pub selection: Selection,
    /// How.
    pub rotation: RotateKey,
}

impl BulkRotateInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self, now: DateTime<Utc>) -> AppResult<RotateMany> {
        let mut faults = Faults::default();
        let selection = check_selection(&mut faults, self.select, now);
        let grace = faults.check_optional("graceSeconds", self.grace_seconds, |seconds| {
            validate::number(seconds, MIN_BULK_GRACE, MAX_GRACE_SECONDS)
        });
        let starts = faults.check_optional("graceStarts", self.grace_starts, |text| {
            GraceStart::parse(&text).ok_or_else(|| one_of(GraceStart::ALL.map(GraceStart::as_str)))
        });
        faults.finish(selection.map(|selection| RotateMany {
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
    /// Which keys.
    #[schema(value_type = SelectionInput)]
    pub select: Option<SelectionInput>,
    /// One of [`super::key::RevocationReason`]; `unspecified` by default.
    #[schema(value_type = Option<super::key::RevocationReason>)]
    pub reason: Option<String>,
    /// At most 200 characters.
    #[schema(max_length = 200, example = "the partner's repository was public")]
    pub note: Option<String>,
}

/// A checked order to revoke many keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeMany {
    /// Which keys.
    pub selection: Selection,
    /// Why.
    pub revocation: RevokeKey,
}

impl BulkRevokeInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self, now: DateTime<Utc>) -> AppResult<RevokeMany> {
        let mut faults = Faults::default();
        let selection = check_selection(&mut faults, self.select, now);
        let revocation = RevokeInput {
            reason: self.reason,
            note: self.note,
        };
        let revocation = faults.take(revocation.check());
        let order = selection.zip(revocation);
        faults.finish(order.map(|(selection, revocation)| RevokeMany {
            selection,
            revocation,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::AppError;

    fn faults(error: AppError) -> Vec<String> {
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
        assert_eq!(faults(nothing.unwrap_err()), ["select"]);
        assert_eq!(faults(check(ids(&[])).unwrap_err()), ["select.keyIds"]);
        let twice = check(ids(&["mpk_1", " mpk_1", "no id"]));
        assert_eq!(
            faults(twice.unwrap_err()),
            ["select.keyIds[1]", "select.keyIds[2]"]
        );
        let many = vec!["mpk_1"; MAX_KEYS + 1];
        assert_eq!(faults(check(ids(&many)).unwrap_err()), ["select.keyIds"]);
        let both = SelectionInput {
            older_than_days: Some(3),
            ..ids(&["mpk_1"])
        };
        assert_eq!(faults(check(both).unwrap_err()), ["select.keyIds"]);
        let old = SelectionInput {
            older_than_days: Some(0),
            ..SelectionInput::default()
        };
        assert_eq!(faults(check(old).unwrap_err()), ["select.olderThanDays"]);
        let old = SelectionInput {
            older_than_days: Some(2),
            ..SelectionInput::default()
        };
        let fitting = Selection::Matching {
            partner_id: None,
            made_before: Some(now - TimeDelta::days(2)),
            rotation_due: false,
        };
        assert_eq!(check(old), Ok(fitting));
    }

    #[test]
    fn a_rotation_of_many_keys_waits_for_their_first_uses() {
        let select = Some(SelectionInput {
            older_than_days: Some(1),
            ..SelectionInput::default()
        });
        let order = BulkRotateInput {
            select: select.clone(),
            ..BulkRotateInput::default()
        };
        let rotation = order.check(DateTime::UNIX_EPOCH).unwrap().rotation;
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
        assert_eq!(faults(short), ["graceSeconds", "graceStarts"]);
    }
}
