//! Whether somebody holds a key, which takes nothing but its secret.

use std::net::IpAddr;

use super::{Guard, Presented, Refused, nobody};
use crate::domain::token::KeyId;

impl Guard {
    /// The key of whoever presents its right secret, whatever the key's state, scopes and rate: so
    /// that the finder of a leaked token can have it revoked.
    ///
    /// # Errors
    /// As [`Guard::check`], for a token or a secret that is none.
    pub async fn holder(&self, token: &str, client: Option<IpAddr>) -> Result<KeyId, Refused> {
        let token = Presented::read(token, self.mac_of(token)?)?;
        let Some(loaded) = self.load(token.form.key_id()).await? else {
            return Err(nobody(&token.form).into());
        };
        let (entry, row) = &*loaded;
        let secret_hex = self.secret_by_tag(entry, &token, client)?;
        if !entry.is_proven(&token.mac) {
            self.prove(entry, row, &token, secret_hex, client).await?;
        }
        Ok(entry.live.key_id.clone())
    }
}
