//! Sample data for development: partners with keys of every kind, all with the same secret.

mod draw;
mod rows;

use self::draw::{Draw, SampleKeys};
use super::keys::KeyService;
use crate::domain::error::AppResult;
use crate::domain::secret::Secret;
use crate::server::store::key_changes::StoredSecret;
use crate::server::store::sample::{self, Table};
use std::ops::Range;

/// Rows per COPY.
const BATCH_SIZE: usize = 20_000;

/// Size and seed of the sample.
#[derive(Clone, Copy, Debug)]
pub struct SampleSize {
    /// Number of partners, at least one.
    pub partners: usize,
    /// Number of keys, at least one.
    pub keys: usize,
    pub seed: u64,
}

/// Formats the rows of a range of keys.
type RowsOf = fn(&mut Draw, &SampleKeys, Range<usize>, &StoredSecret) -> String;

impl KeyService {
    /// Adds sample partners and keys in one transaction, and returns the token of a live one.
    pub async fn add_sample(&self, size: SampleSize) -> AppResult<Secret> {
        let generated = self.generate().await?;
        let mut sample = Draw::new(size, self.core.now());
        let partners: Vec<_> = (0..size.partners).map(|_| sample.partner()).collect();
        let partner_rows = sample.partner_rows(&partners);
        let keys = sample.keys(partners, generated.key_id.clone(), &self.issuing.id_prefix);
        let mut transaction = self.core.pool.begin().await?;
        let indexes = sample::begin(&mut transaction).await?;
        sample::copy(&mut transaction, Table::Partners, &partner_rows).await?;
        let tables: [(Table, RowsOf); 3] = [
            (Table::Keys, Draw::key_rows),
            (Table::LastUses, Draw::last_use_rows),
            (Table::Usage, Draw::usage_rows),
        ];
        for (table, rows_of) in tables {
            for begin in (0..keys.keys.len()).step_by(BATCH_SIZE) {
                let end = keys.keys.len().min(begin + BATCH_SIZE);
                let rows = rows_of(&mut sample, &keys, begin..end, &generated.stored);
                sample::copy(&mut transaction, table, &rows).await?;
            }
        }
        sample::finish(&mut transaction, indexes).await?;
        transaction.commit().await?;
        sample::vacuum(&mut *self.core.pool.acquire().await?).await?;
        Ok(generated.token)
    }
}
