//! Answers that are given again: a client that repeats a request under its `Idempotency-Key`,
//! because it got no answer, gets the first one's (IETF draft-ietf-httpapi-idempotency-key-header).
//!
//! Only what succeeded is kept, in the transaction that did it, so that an answer and its effect
//! can't part. A refusal changed nothing and is judged anew.

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Registry;
use crate::domain::error::{AppError, AppResult, Conflict};
use crate::server::store::idempotency::{self, AnswerId};

/// How long an answer is given again.
const HONOURED: TimeDelta = TimeDelta::hours(24);

/// A request under an idempotency key.
pub(super) struct Attempt<'a> {
    id: AnswerId<'a>,
    request_hash: [u8; 32],
}

impl<'a> Attempt<'a> {
    /// An attempt at `command`. Two commands are the same if their JSON is.
    ///
    /// # Errors
    /// [`AppError::Internal`] for a command that is no JSON.
    pub(super) fn new(
        partner_id: Uuid,
        route: &'a str,
        key: &'a str,
        command: &impl Serialize,
    ) -> AppResult<Self> {
        let id = AnswerId {
            partner_id,
            route,
            key,
        };
        let request_hash = Sha256::digest(written(command)?).into();
        Ok(Self { id, request_hash })
    }

    /// The answer that was given before, if any. From here to the end of the transaction no other
    /// request under the key goes on.
    ///
    /// # Errors
    /// [`Conflict::IdempotencyInProgress`], [`Conflict::IdempotencyMismatch`], or the database's.
    pub(super) async fn begin<A: DeserializeOwned>(
        &self,
        registry: &Registry,
        connection: &mut PgConnection,
    ) -> AppResult<Option<A>> {
        // The lock first: an answer that is committed while it is waited for must be seen.
        if !idempotency::try_lock(connection, lock_number(&self.id)).await? {
            return Err(Conflict::IdempotencyInProgress.into());
        }
        let since = registry.now() - HONOURED;
        let Some(row) = idempotency::find(connection, &self.id, since).await? else {
            return Ok(None);
        };
        if row.request_hash != self.request_hash {
            return Err(Conflict::IdempotencyMismatch.into());
        }
        // Serde's words would repeat what it met.
        serde_json::from_str(&row.answer)
            .map(Some)
            .map_err(|error| {
                tracing::error!(column = error.column(), "a kept answer can't be read");
                AppError::Internal
            })
    }

    /// Keeps the answer.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn finish(
        &self,
        registry: &Registry,
        connection: &mut PgConnection,
        answer: &impl Serialize,
    ) -> AppResult<()> {
        let answer = written(answer)?;
        let now = registry.now();
        idempotency::store(connection, &self.id, &self.request_hash, &answer, now).await?;
        Ok(())
    }
}

impl Registry {
    /// Deletes answers that are given no more; how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_idempotency_keys(&self) -> AppResult<u64> {
        let mut connection = self.pool.acquire().await?;
        Ok(idempotency::sweep(&mut connection, self.now() - HONOURED).await?)
    }
}

fn written(value: &impl Serialize) -> AppResult<String> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "what goes with an idempotency key can't be written as JSON");
        AppError::Internal
    })
}

/// The number of the key's lock. Two keys of one number would only be told to try again.
fn lock_number(id: &AnswerId<'_>) -> i64 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update("idempotency")
        .chain_update(id.partner_id.as_bytes())
        .chain_update(id.route)
        .chain_update([0])
        .chain_update(id.key)
        .finalize()
        .into();
    let mut number = [0; 8];
    number.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partner_route_and_key_has_its_own_lock() {
        let number = |partner, route, key| {
            let partner_id = Uuid::from_u128(partner);
            lock_number(&AnswerId {
                partner_id,
                route,
                key,
            })
        };
        let one = number(1, "a", "k");
        assert_eq!(one, number(1, "a", "k"));
        for other in [
            number(2, "a", "k"),
            number(1, "b", "k"),
            number(1, "a", "l"),
            number(1, "ak", ""),
        ] {
            assert_ne!(one, other);
        }
    }
}
