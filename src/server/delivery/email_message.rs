//! Text of notification e-mails.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::notification::NotificationKind;
use crate::server::store::deliveries::DueRow;

pub struct EmailMessage {
    pub subject: String,
    pub text: String,
}

/// Writes the e-mail of a notification. It can't contain a token, since notifications don't.
pub fn email_message(due: &DueRow) -> EmailMessage {
    let key = &due.key_id;
    let (event, advice) = describe(due);
    let name = match text(&due.data, "name") {
        "" => String::new(),
        name => format!("\nName:        {name}"),
    };
    let environment = match text(&due.data, "environment") {
        "" => String::new(),
        environment => format!("\nEnvironment: {environment}"),
    };
    EmailMessage {
        subject: format!("API key {key} {event}"),
        text: format!(
            "Your API key {key} {event}.\n\n\
             Partner:     {}\nKey:         {key}{name}{environment}\nTime:        {}\n\n\
             {advice}\n\n\
             This e-mail never contains a token: tokens are shown only once, to the person who issues or\n\
             rotates a key. Contact the registry's staff if you did not expect this.\n",
            due.partner_name,
            moment(due.at)
        ),
    }
}

/// Returns what happened, to follow the key's id, and what to do about it.
fn describe(due: &DueRow) -> (String, String) {
    let data = &due.data;
    match due.kind.parse::<NotificationKind>().ok() {
        Some(NotificationKind::Issued) => (
            "was issued".to_owned(),
            "Its token was handed over by the registry's staff.".to_owned(),
        ),
        Some(NotificationKind::Rotated) => (
            "was rotated".to_owned(),
            format!(
                "Its successor is {}: deploy the new token. The old key expires at {} at the latest.",
                text(data, "replacedBy"),
                time(data, "retiresAt")
            ),
        ),
        Some(NotificationKind::Revoked) => (
            "was revoked".to_owned(),
            format!(
                "Requests with it are rejected from now on. Reason: {}.",
                text(data, "reason").replace('_', " ")
            ),
        ),
        Some(NotificationKind::Restored) => (
            "was restored".to_owned(),
            "Its revocation was undone: requests with it are accepted again.".to_owned(),
        ),
        Some(NotificationKind::Expiring) => {
            let days = data["daysLeft"].as_i64().unwrap_or_default();
            let plural = if days == 1 { "" } else { "s" };
            (
                format!("expires in {days} day{plural}"),
                format!(
                    "It expires at {}. Ask for a successor before that.",
                    time(data, "notAfter")
                ),
            )
        }
        Some(NotificationKind::RotationDue) => (
            "is due for rotation".to_owned(),
            format!(
                "It was created at {} and keeps working. Arrange its rotation with the registry's staff.",
                time(data, "createdAt")
            ),
        ),
        Some(NotificationKind::FirstUsed) => (
            "was used for the first time".to_owned(),
            "If it was not you, have it revoked immediately.".to_owned(),
        ),
        None => ("was changed".to_owned(), String::new()),
    }
}

fn text<'a>(data: &'a Value, name: &str) -> &'a str {
    data[name].as_str().unwrap_or_default()
}

fn time(data: &Value, name: &str) -> String {
    let at: Option<DateTime<Utc>> = text(data, name).parse().ok();
    at.map(moment).unwrap_or_else(|| "no set time".to_owned())
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
