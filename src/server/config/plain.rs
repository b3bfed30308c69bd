//! Detection of unencrypted connections over a network (OWASP ASVS 5.0, 12.3.1). A production instance only
//! logs them, since the network may be trusted.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::notifications::NotificationConfig;

/// True if the database is remote and the connection may be unencrypted or the server unverified.
pub fn database_is_exposed(database: &PgConnectOptions) -> bool {
    let is_remote = database.get_socket().is_none() && !is_local(database.get_host());
    let is_verified = matches!(
        database.get_ssl_mode(),
        PgSslMode::VerifyCa | PgSslMode::VerifyFull
    );
    is_remote && !is_verified
}

/// True if the SMTP server is remote and the connection may be unencrypted.
pub fn mail_is_exposed(notifications: &NotificationConfig) -> bool {
    let Some(mail) = &notifications.mail else {
        return false;
    };
    let Some(rest) = mail.url.strip_prefix("smtp://") else {
        return false;
    };
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let server = authority.rsplit('@').next().unwrap_or_default();
    let server = server.split('/').next().unwrap_or_default();
    let host = match server.split_once(']') {
        Some((v6, _)) => v6,
        None => server.split(':').next().unwrap_or_default(),
    };
    !is_local(host) && query != "tls=required"
}

fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.starts_with('/')
        || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::notifications::MailConfig;
    use super::super::postgres;
    use super::*;

    #[test]
    fn a_database_elsewhere_is_exposed_without_a_certificate_that_is_checked() {
        for (url, exposed) in [
            ("postgres://u:p@db.example/r", true),
            ("postgres://u:p@192.0.2.7/r?sslmode=require", true),
            ("postgres://u:p@db.example/r?sslmode=verify-full", false),
            ("postgres://u:p@127.0.0.1/r", false),
            ("postgres://u:p@[::1]/r?sslmode=disable", false),
            ("postgres://u@localhost/r?host=/run/postgresql", false),
        ] {
            assert_eq!(
                database_is_exposed(&postgres(url).unwrap()),
                exposed,
                "{url}"
            );
        }
    }

    #[test]
    fn mail_elsewhere_is_exposed_where_it_may_go_plainly() {
        for (url, exposed) in [
            ("smtp://mail.example", true),
            ("smtp://u:p@192.0.2.7:25/", true),
            ("smtp://u:p@mail.example:587?tls=opportunistic", true),
            ("smtp://u:p@mail.example:587?tls=required", false),
            ("smtps://u:p@mail.example", false),
            ("smtp://127.0.0.1:2525", false),
            ("smtp://[::1]:2525", false),
            ("smtp://localhost", false),
        ] {
            let notices = NotificationConfig {
                mail: Some(MailConfig {
                    url: Zeroizing::new(url.to_owned()),
                    from: "registry@example.org".to_owned(),
                }),
                ..NotificationConfig::default()
            };
            assert_eq!(mail_is_exposed(&notices), exposed, "{url}");
        }
        assert!(!mail_is_exposed(&NotificationConfig::default()));
    }
}
