//! Sample data for development: partners with keys of every kind, as many as asked for, that all have
//! the one secret.

mod draw;
mod rows;

use self::draw::{Draw, SampleKeys};
use super::Registry;
use crate::domain::error::AppResult;
use crate::domain::secret::Secret;
use crate::server::db::key_changes::StoredSecret;
use crate::server::db::sample::{self, Table};
use std::ops::Range;

/// Rows that go to the database at once.
const CHUNK: usize = 20_000;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct SampleSize {
    /// Partners, at least one.
    pub partners: usize,
    /// Keys, at least one.
    pub keys: usize,
    /// Which sample of this size.
    pub seed: u64,
}

/// Writes the rows of some keys.
type RowsOf = fn(&mut Draw, &SampleKeys, Range<usize>, &StoredSecret) -> String;

impl Registry {
    /// Adds sample partners and keys, in one transaction; the token of one that works.
    ///
    /// # Errors
    /// The database's, or that the secret could not be hashed.
    pub async fn add_sample(&self, size: SampleSize) -> AppResult<Secret> {
        let minted = self.mint().await?;
        let mut sample = Draw::new(size, self.now());
        let partners: Vec<_> = (0..size.partners).map(|_| sample.partner()).collect();
        let names = sample.partner_rows(&partners);
        let keys = sample.keys(partners, minted.key_id.clone(), &self.issuing.id_prefix);
        let mut transaction = self.pool.begin().await?;
        let aside = sample::begin(&mut transaction).await?;
        sample::copy(&mut transaction, Table::Partners, &names).await?;
        let tables: [(Table, RowsOf); 3] = [
            (Table::Keys, Draw::key_rows),
            (Table::LastUses, Draw::last_use_rows),
            (Table::Usage, Draw::usage_rows),
        ];
        for (table, rows_of) in tables {
            for begin in (0..keys.keys.len()).step_by(CHUNK) {
                let end = keys.keys.len().min(begin + CHUNK);
                let rows = rows_of(&mut sample, &keys, begin..end, &minted.stored);
                sample::copy(&mut transaction, table, &rows).await?;
            }
        }
        sample::finish(&mut transaction, aside).await?;
        transaction.commit().await?;
        sample::settle(&mut *self.pool.acquire().await?).await?;
        Ok(minted.token)
    }
}
