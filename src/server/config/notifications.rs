//! Delivery of notifications: `WEBHOOK_ALLOWED_NETWORKS`, `SMTP_URL`, `MAIL_FROM`.

use ipnet::IpNet;
use zeroize::Zeroizing;

use super::{ConfigError, Source, fault, networks};

/// Configuration of deliveries.
#[derive(Clone, Debug, Default)]
pub struct NotificationConfig {
    /// Networks that webhooks may call although they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// `None` if no e-mail is sent.
    pub mail: Option<MailConfig>,
}

#[derive(Clone)]
pub struct MailConfig {
    /// URL of the SMTP server, with credentials.
    pub url: Zeroizing<String>,
    /// Sender address.
    pub from: String,
}

impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailConfig")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

pub fn read(source: &Source) -> Result<NotificationConfig, ConfigError> {
    let allowed_networks = networks(source, "WEBHOOK_ALLOWED_NETWORKS")?;
    let mail = match (source.get("SMTP_URL"), source.get("MAIL_FROM")) {
        (None, None) => None,
        (Some(url), Some(from)) => Some(MailConfig {
            url: Zeroizing::new(url),
            from,
        }),
        (Some(_), None) => {
            return fault(
                "MAIL_FROM",
                "is missing: with SMTP_URL set it names whom mail comes from, such as registry@example.org",
            );
        }
        (None, Some(_)) => {
            return fault(
                "SMTP_URL",
                "is missing: with MAIL_FROM set it names the mail server, such as smtps://USER:PASSWORD@HOST",
            );
        }
    };
    Ok(NotificationConfig {
        allowed_networks,
        mail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &'static [(&str, &str)]) -> Result<NotificationConfig, String> {
        let source = Source::new(|name| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        super::read(&source).map_err(|error| error.to_string())
    }

    #[test]
    fn mail_needs_both_of_its_settings() {
        assert!(read(&[]).unwrap().mail.is_none());
        let mail = read(&[("SMTP_URL", "smtp://u:hidden@h"), ("MAIL_FROM", "a@b.c")]);
        assert!(!format!("{:?}", mail.unwrap()).contains("hidden"));
        let error = read(&[("SMTP_URL", "smtp://u:hidden@h")]).unwrap_err();
        assert!(error.starts_with("MAIL_FROM is missing") && !error.contains("hidden"));
        assert!(
            read(&[("MAIL_FROM", "a@b.c")])
                .unwrap_err()
                .starts_with("SMTP_URL")
        );
        let error = read(&[("WEBHOOK_ALLOWED_NETWORKS", "everywhere")]).unwrap_err();
        assert!(
            error.starts_with("WEBHOOK_ALLOWED_NETWORKS must be CIDRs"),
            "{error}"
        );
    }
}
