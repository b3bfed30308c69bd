//! What goes over a network that others may read: said at the start of a production instance, and left to who
//! runs it, as a network may be trusted (OWASP ASVS 5.0, 12.3.1).

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::notices::NoticeConfig;

/// Whether the database is elsewhere, and its connections may be plain, or with whoever answers there.
#[must_use]
pub fn database_is_exposed(database: &PgConnectOptions) -> bool {
    let is_elsewhere = database.get_socket().is_none() && !is_here(database.get_host());
    let is_sure = matches!(
        database.get_ssl_mode(),
        PgSslMode::VerifyCa | PgSslMode::VerifyFull
    );
    is_elsewhere && !is_sure
}

/// Whether mail goes to another machine, and may go plainly.
#[must_use]
pub fn mail_is_exposed(notices: &NoticeConfig) -> bool {
    let Some(mail) = &notices.mail else {
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
    !is_here(host) && query != "tls=required"
}

fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.starts_with('/')
        || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::notices::MailConfig;
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
            let notices = NoticeConfig {
                mail: Some(MailConfig {
                    url: Zeroizing::new(url.to_owned()),
                    from: "registry@example.org".to_owned(),
                }),
                ..NoticeConfig::default()
            };
            assert_eq!(mail_is_exposed(&notices), exposed, "{url}");
        }
        assert!(!mail_is_exposed(&NoticeConfig::default()));
    }
}
