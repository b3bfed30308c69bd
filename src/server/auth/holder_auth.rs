//! Authentication of a key's holder, for which the secret alone decides.

use std::net::IpAddr;

use super::verify::{Presented, unknown_key};
use super::{Guard, Refused};
use crate::domain::token::KeyId;

impl Guard {
    /// Verifies the secret alone, whatever the key's state, scopes and rate, so that the finder of a
    /// leaked token can have its key revoked.
    pub async fn authenticate_holder(
        &self,
        token: &str,
        client: Option<IpAddr>,
    ) -> Result<KeyId, Refused> {
        let token = Presented::parse(token, self.mac_of(token)?)?;
        let Some(loaded) = self.load(token.form.key_id()).await? else {
            return Err(unknown_key(&token.form).into());
        };
        let (entry, _) = &*loaded;
        let secret_hex = self.check_tag(entry, &token, client)?;
        if !entry.is_verified(&token.mac) {
            self.verify_secret(&loaded, &token, secret_hex, client)
                .await?;
        }
        Ok(entry.runtime.key_id.clone())
    }
}
