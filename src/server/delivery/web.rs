//! Webhook calls, signed according to Standard Webhooks (standardwebhooks.com, version 1).

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use sha2::Sha256;

use super::millis;
use super::resolver::{AddressScope, CheckedResolver, NoAddress};
use crate::server::service::delivery_targets::DeliveryTargets;
use crate::server::service::notifications::{Ended, Outcome, payload};
use crate::server::store::deliveries::DueRow;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit of a whole attempt.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Calls webhooks.
pub struct Web {
    secure: Client,
    plain: Client,
}

impl Web {
    /// An error is one line that says why TLS can't be used.
    pub fn new(targets: &Arc<DeliveryTargets>) -> Result<Self, String> {
        // Installs the process-wide provider of cryptography, unless there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |scope| {
            Client::builder()
                .user_agent(concat!("myproof-registry/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(CheckedResolver::new(Arc::clone(targets), scope))
                .redirect(Policy::none())
                .no_proxy()
                .retry(reqwest::retry::never())
                .referer(false)
                .http1_only()
                // No connection reuse: each attempt resolves and checks its address again.
                .pool_max_idle_per_host(0)
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .https_only(scope == AddressScope::Public)
                .build()
                .map_err(|error| format!("webhooks can't be called: {error}"))
        };
        Ok(Self {
            secure: client(AddressScope::Public)?,
            plain: client(AddressScope::AllowedOnly)?,
        })
    }

    /// Sends a notification. `url` must have been checked.
    pub async fn send(&self, due: &DueRow, url: Url, secret: &[u8], now: DateTime<Utc>) -> Outcome {
        let body = payload(due).to_string();
        let id = due.notice_id.to_string();
        let timestamp = now.timestamp().to_string();
        let client = match url.scheme() {
            "http" => &self.plain,
            _ => &self.secure,
        };
        let started = Instant::now();
        let sent = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", &timestamp)
            .header(
                "webhook-signature",
                signature(secret, &id, &timestamp, &body),
            )
            .body(body)
            .send()
            .await;
        let (ended, code, error) = match sent {
            Ok(answer) => answered(answer.status()),
            Err(error) => (Ended::NotNow, None, Some(why(&error))),
        };
        Outcome {
            ended,
            code,
            error,
            millis: millis(started),
        }
    }
}

fn answered(status: StatusCode) -> (Ended, Option<i32>, Option<&'static str>) {
    let code = Some(i32::from(status.as_u16()));
    match status {
        StatusCode::GONE => (
            Ended::Gone,
            code,
            Some("the receiver is gone: the webhook is switched off"),
        ),
        status if status.is_success() => (Ended::Arrived, code, None),
        status if status.is_redirection() => {
            (Ended::NotNow, code, Some("redirects are not followed"))
        }
        _ => (Ended::NotNow, code, None),
    }
}

/// `v1,` and base64 of HMAC-SHA256 of id, time and body.
fn signature(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    // HMAC takes keys of any length (RFC 2104 §2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    for part in [id, ".", timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

/// Reason why an attempt got no answer.
fn why(error: &reqwest::Error) -> &'static str {
    match cause(error) {
        Some(Cause::Address(NoAddress::Refused)) => "its address is not allowed",
        Some(Cause::Address(NoAddress::Unknown)) => "the receiver's name can't be resolved",
        Some(Cause::Tls) => "the receiver's certificate can't be trusted, or TLS failed",
        None if error.is_timeout() => "the receiver did not answer in time",
        None if error.is_connect() => "the receiver can't be reached",
        None => "the connection broke off",
    }
}

enum Cause {
    Address(NoAddress),
    Tls,
}

/// Finds our own resolver's error or a TLS error among the sources.
fn cause(error: &(dyn Error + 'static)) -> Option<Cause> {
    if let Some(no_address) = error.downcast_ref::<NoAddress>() {
        return Some(Cause::Address(*no_address));
    }
    if error.is::<rustls::Error>() {
        return Some(Cause::Tls);
    }
    // The source of an I/O error is the source of the error it wraps, so look at that error itself.
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    if let Some(found) = wrapped.and_then(|wrapped| cause(wrapped)) {
        return Some(found);
    }
    error.source().and_then(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // The example of the specification's reference implementations.
        let secret = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
