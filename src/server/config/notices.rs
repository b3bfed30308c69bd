//! How notices leave: `WEBHOOK_ALLOWED_NETWORKS`, `SMTP_URL`, `MAIL_FROM`.

use ipnet::IpNet;
use zeroize::Zeroizing;

use super::{ConfigError, Source, fault, networks};

/// How notices leave.
#[derive(Clone, Debug, Default)]
pub struct NoticeConfig {
    /// Networks whose addresses webhooks may name although they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// How mail is sent; `None` where it isn't.
    pub mail: Option<MailConfig>,
}

/// How mail is sent.
#[derive(Clone)]
pub struct MailConfig {
    /// The server with its credentials.
    pub url: Zeroizing<String>,
    /// Whom mail comes from.
    pub from: String,
}

impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailConfig")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Reads how notices leave.
///
/// # Errors
/// A value outside its form, or one of the two of mail without the other.
pub fn notices(source: &Source) -> Result<NoticeConfig, ConfigError> {
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
    Ok(NoticeConfig {
        allowed_networks,
        mail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &'static [(&str, &str)]) -> Result<NoticeConfig, String> {
        let source = Source::new(|name| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        notices(&source).map_err(|error| error.to_string())
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
