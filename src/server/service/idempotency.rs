//! Idempotency keys: a client that repeats a request under its `Idempotency-Key` gets the first
//! answer again (IETF draft-ietf-httpapi-idempotency-key-header).
//!
//! Only successful answers are stored, in the transaction of the change itself. A rejected request
//! changed nothing and is processed again.

use chrono::TimeDelta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Core;
use super::assets::AssetService;
use crate::domain::error::{AppError, AppResult, Conflict};
use crate::server::store::idempotency::{self, AnswerId};

/// How long a stored answer is returned.
const RETENTION: TimeDelta = TimeDelta::hours(24);

/// A request under an idempotency key.
pub(super) struct IdempotentRequest<'a> {
    id: AnswerId<'a>,
    request_hash: [u8; 32],
}

impl<'a> IdempotentRequest<'a> {
    /// Two commands are the same if their JSON is.
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

    /// Returns the stored answer, if any. Locks the key until the end of the transaction.
    pub(super) async fn begin<A: DeserializeOwned>(
        &self,
        core: &Core,
        connection: &mut PgConnection,
    ) -> AppResult<Option<A>> {
        // Lock before reading, so that an answer committed meanwhile is seen.
        if !idempotency::try_lock(connection, lock_number(&self.id)).await? {
            return Err(Conflict::IdempotencyInProgress.into());
        }
        let since = core.now() - RETENTION;
        let Some(row) = idempotency::find(connection, &self.id, since).await? else {
            return Ok(None);
        };
        if row.request_hash != self.request_hash {
            return Err(Conflict::IdempotencyMismatch.into());
        }
        // Serde's message would quote the stored answer, so only the column is logged.
        serde_json::from_str(&row.answer)
            .map(Some)
            .map_err(|error| {
                tracing::error!(column = error.column(), "a kept answer can't be read");
                AppError::Internal
            })
    }

    /// Stores the answer.
    pub(super) async fn finish(
        &self,
        core: &Core,
        connection: &mut PgConnection,
        answer: &impl Serialize,
    ) -> AppResult<()> {
        let answer = written(answer)?;
        let now = core.now();
        idempotency::store(connection, &self.id, &self.request_hash, &answer, now).await?;
        Ok(())
    }
}

impl AssetService {
    /// Deletes expired answers and returns their number.
    pub async fn sweep_idempotency_keys(&self) -> AppResult<u64> {
        let mut connection = self.core.pool.acquire().await?;
        Ok(idempotency::sweep(&mut connection, self.core.now() - RETENTION).await?)
    }
}

fn written(value: &impl Serialize) -> AppResult<String> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "what goes with an idempotency key can't be written as JSON");
        AppError::Internal
    })
}

/// Advisory lock number of a key. Colliding keys are only told to try again.
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
