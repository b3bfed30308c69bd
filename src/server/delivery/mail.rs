//! Notifications by e-mail (SMTP).

use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error as SmtpError;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::email_message::email_message;
use super::{millis, not_sent};
use crate::server::config::notifications::MailConfig;
use crate::server::service::notifications::{Ended, Outcome};
use crate::server::store::deliveries::DueRow;

/// Time limit of one step of an attempt.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends mail.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mail {
    /// An error is one line that says what is wrong, without the password.
    pub fn new(config: &MailConfig) -> Result<Self, String> {
        let from = config
            .from
            .parse()
            .map_err(|_| "MAIL_FROM must be an address such as registry@example.org".to_owned())?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.url).map_err(|_| {
            "SMTP_URL must be of the form smtps://USER:PASSWORD@HOST, or smtp://USER:PASSWORD@HOST:PORT?tls=required"
                .to_owned()
        })?;
        Ok(Self {
            transport: transport.timeout(Some(TIMEOUT)).build(),
            from,
        })
    }

    pub async fn send(&self, due: &DueRow, email: &str, now: DateTime<Utc>) -> Outcome {
        let Ok(to) = email.parse::<Mailbox>() else {
            return Outcome {
                ended: Ended::Never,
                ..not_sent("the contact's address is no address")
            };
        };
        let content = email_message(due);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .date(SystemTime::from(now))
            .message_id(Some(format!(
                "<{}@{}>",
                due.delivery_id,
                self.from.email.domain()
            )))
            .subject(content.subject)
            .header(ContentType::TEXT_PLAIN)
            .body(content.text);
        let Ok(message) = message else {
            return Outcome {
                ended: Ended::Never,
                ..not_sent("the mail can't be written")
            };
        };
        let started = Instant::now();
        let (ended, code, error) = match self.transport.send(message).await {
            Ok(answer) => (Ended::Arrived, Some(code(answer.code())), None),
            Err(error) => refused(&error),
        };
        Outcome {
            ended,
            code,
            error,
            millis: millis(started),
        }
    }
}

fn refused(error: &SmtpError) -> (Ended, Option<i32>, Option<&'static str>) {
    let code = error.status().map(code);
    if error.is_permanent() {
        return (Ended::Never, code, Some("the mail server refused the mail"));
    }
    let why = if error.is_transient() {
        "the mail server put the mail off"
    } else if error.is_timeout() {
        "the mail server did not answer in time"
    } else if error.is_tls() {
        "the mail server's certificate can't be trusted, or TLS failed"
    } else {
        "the mail server can't be reached"
    };
    (Ended::NotNow, code, Some(why))
}

fn code(code: lettre::transport::smtp::response::Code) -> i32 {
    u16::from(code).into()
}
