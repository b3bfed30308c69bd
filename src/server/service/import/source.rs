//! Parsing and validation of rows of the Node version's tables. Rows are JSON objects, since columns differ
//! between its versions.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::key::{DEFAULT_RATE, Environment, MAX_RATE};
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;
use crate::domain::validate;
use crate::server::crypto::secret;

pub type Row = Map<String, Value>;

/// Required columns, each with its alternative names.
pub const PARTNER_REQUIRED: [&[&str]; 2] = [PARTNER_ID, &["name"]];
pub const KEY_REQUIRED: [&[&str]; 4] = [KEY_ID, &["partner_id"], &["secret_hash"], &["scopes"]];

const PARTNER_ID: &[&str] = &["partner_id", "id"];
const KEY_ID: &[&str] = &["key_id", "id"];
const EMAIL: &[&str] = &["contact_email", "email"];

/// Known columns of the partners.
pub const PARTNER_COLUMNS: &[&str] = &[
    "partner_id",
    "id",
    "name",
    "contact_email",
    "email",
    "active",
    "status",
    "created_at",
    "updated_at",
];
/// Known columns of the keys. Use data is not imported.
pub const KEY_COLUMNS: &[&str] = &[
    "key_id",
    "id",
    "partner_id",
    "secret_hash",
    "scopes",
    "name",
    "environment",
    "rate_per_minute",
    "not_before",
    "not_after",
    "created_at",
    "status",
    "active",
    "revoked_at",
    "last_used_at",
    "updated_at",
];

/// A validated partner.
pub struct SourcePartner {
    pub partner_id: Uuid,
    pub name: String,
    pub contact_email: Option<String>,
    pub active: bool,
    pub created_at: DateTime<Utc>,
}

/// A validated key.
pub struct SourceKey {
    pub key_id: KeyId,
    pub partner_id: Uuid,
    pub name: Option<String>,
    pub environment: Environment,
    pub scopes: Vec<Scope>,
    pub rate_per_minute: i32,
    pub secret_hash: String,
    pub not_before: DateTime<Utc>,
    pub not_after: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl SourcePartner {
    /// Parses a row, or returns the reason why it cannot be imported.
    pub fn read(row: &Row, now: DateTime<Utc>) -> Result<Self, String> {
        Ok(Self {
            partner_id: uuid(row, PARTNER_ID)?,
            name: text(row, &["name"])
                .ok_or_else(|| "it has no name".to_owned())
                .and_then(|name| with_name("name", validate::line(&name, 2, 200)))?,
            contact_email: text(row, EMAIL)
                .map(|email| with_name("contact_email", validate::email(&email)))
                .transpose()?,
            active: is_active(row)?,
            created_at: time(row, "created_at")?.unwrap_or(now),
        })
    }
}

impl SourceKey {
    /// Parses a row, or returns the reason why it cannot be imported.
    pub fn read(row: &Row, now: DateTime<Utc>) -> Result<Self, String> {
        let key_id = text(row, KEY_ID).and_then(|id| KeyId::parse(&id));
        let key_id = key_id.ok_or("its key_id is not of [A-Za-z0-9_-]{1,64}")?;
        let secret_hash = text(row, &["secret_hash"]).unwrap_or_default();
        if !secret::is_usable(&secret_hash) {
            return Err(
                "its secret_hash is not argon2id v19 within m ≤ 65536, t ≤ 10, p ≤ 4".into(),
            );
        }
        let created_at = time(row, "created_at")?.unwrap_or(now);
        let not_before = time(row, "not_before")?.unwrap_or(created_at);
        let not_after = time(row, "not_after")?;
        if not_after.is_some_and(|not_after| not_after <= not_before) {
            return Err("its not_after does not lie after its not_before".into());
        }
        let revoked_at = match (time(row, "revoked_at")?, is_active(row)?) {
            (Some(at), _) => Some(at),
            (None, true) => None,
            (None, false) => Some(now),
        };
        Ok(Self {
            key_id,
            partner_id: uuid(row, &["partner_id"])?,
            name: text(row, &["name"])
                .filter(|name| !name.trim().is_empty())
                .map(|name| with_name("name", validate::line(&name, 1, 100)))
                .transpose()?,
            environment: environment(row)?,
            scopes: scopes(row)?,
            rate_per_minute: rate(row)?,
            secret_hash,
            not_before,
            not_after,
            created_at,
            revoked_at,
        })
    }
}

/// Returns the label of a row in the report: its id without control characters.
pub fn label(what: &str, row: &Row) -> String {
    let names = if what == "key" { KEY_ID } else { PARTNER_ID };
    let id = text(row, names).unwrap_or_else(|| "without an id".to_owned());
    let id: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
    format!("{what} {id}")
}

fn value<'a>(row: &'a Row, names: &[&str]) -> Option<&'a Value> {
    let found = names.iter().find_map(|name| row.get(*name));
    found.filter(|value| !value.is_null())
}

fn text(row: &Row, names: &[&str]) -> Option<String> {
    match value(row, names)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn with_name<T>(name: &str, checked: Result<T, String>) -> Result<T, String> {
    checked.map_err(|why| format!("its {name} {why}"))
}

fn uuid(row: &Row, names: &[&str]) -> Result<Uuid, String> {
    let id = text(row, names).and_then(|id| Uuid::try_parse(&id).ok());
    id.ok_or_else(|| format!("its {} is no UUID", names[0]))
}

/// Parses a time; without a time zone it is UTC.
fn time(row: &Row, name: &str) -> Result<Option<DateTime<Utc>>, String> {
    let Some(found) = value(row, &[name]) else {
        return Ok(None);
    };
    let read = |text: &str| {
        let plain = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
        validate::time(text).or_else(|why| plain.map(|time| time.and_utc()).map_err(|_| why))
    };
    let time = found.as_str().ok_or("is no time".to_owned()).and_then(read);
    with_name(name, time).map(Some)
}

/// Returns true unless `active` or `status` says otherwise.
fn is_active(row: &Row) -> Result<bool, String> {
    let active = match value(row, &["active"]) {
        None => true,
        Some(Value::Bool(active)) => *active,
        Some(_) => return Err("its active is neither true nor false".into()),
    };
    match text(row, &["status"]).as_deref() {
        None | Some("active") => Ok(active),
        Some("revoked" | "inactive" | "disabled" | "expired") => Ok(false),
        Some(_) => Err("its status is none of active, revoked, inactive, disabled, expired".into()),
    }
}

fn environment(row: &Row) -> Result<Environment, String> {
    match text(row, &["environment"]) {
        None => Ok(Environment::default()),
        Some(name) => name
            .parse()
            .map_err(|_| "its environment is none of production, test, development".into()),
    }
}

/// Parses scopes from a comma-separated string or a list.
fn scopes(row: &Row) -> Result<Vec<Scope>, String> {
    let names: Vec<String> = match value(row, &["scopes"]) {
        Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().unwrap_or_default().to_owned())
            .collect(),
        _ => Vec::new(),
    };
    let mut scopes = Vec::new();
    for name in names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
    {
        let scope = name
            .parse()
            .map_err(|_| "it has a scope that is not known")?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        return Err("it has no scope".into());
    }
    Ok(scopes)
}

fn rate(row: &Row) -> Result<i32, String> {
    let Some(found) = value(row, &["rate_per_minute"]) else {
        return Ok(DEFAULT_RATE);
    };
    let number = found.as_i64().ok_or("is no whole number".to_owned());
    with_name(
        "rate_per_minute",
        number.and_then(|number| validate::number(number, 1, MAX_RATE)),
    )
}
