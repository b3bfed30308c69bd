//! Verification of the audit log: that its chain is unbroken, that the columns match the hashed bytes,
//! and that signed checkpoints still match.

use std::collections::HashMap;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::AuditService;
use crate::domain::audit::Event;
use crate::domain::checkpoint::{Broken, ChainReport, Checkpoint, Damage};
use crate::domain::error::AppResult;
use crate::server::crypto::same_bytes;
use crate::server::store::audit_chain::{self, CheckpointRow, LinkRow};

const BATCH_SIZE: i64 = 1_000;

/// Contents of the hashed bytes of version 1.
#[derive(Deserialize)]
struct Recorded {
    version: i16,
    seq: i64,
    #[serde(flatten)]
    event: Event,
}

impl AuditService {
    /// Verifies the whole audit log, with the checkpoints of the database and the exported ones. Without
    /// a pepper, signatures are not checked. Damage is reported, not an error.
    pub async fn verify_chain(&self, exported: &[Checkpoint]) -> AppResult<ChainReport> {
        let mut transaction = self.core.pool.begin().await?;
        audit_chain::set_snapshot_isolation(&mut transaction).await?;
        let rows = audit_chain::checkpoints(&mut transaction).await?;
        let checkpoints = rows.iter().map(shown).chain(exported.iter().cloned());
        let mut report = ChainReport::default();
        let mut signed: HashMap<i64, Vec<String>> = HashMap::new();
        for checkpoint in checkpoints {
            match self.is_signed(&checkpoint) {
                Some(true) => signed
                    .entry(checkpoint.seq)
                    .or_default()
                    .push(checkpoint.hash),
                Some(false) => {
                    report.broken = Some(Broken {
                        seq: checkpoint.seq,
                        event_id: None,
                        how: Damage::Rewritten,
                    });
                    return Ok(report);
                }
                None => report.unknown_peppers += 1,
            }
        }
        report.broken = walk(&mut transaction, &signed, &mut report).await?;
        Ok(report)
    }

    /// Signs and stores the current head of the chain; `None` before the first event.
    pub async fn checkpoint(&self) -> AppResult<Option<Checkpoint>> {
        let peppers = self.core.peppers()?;
        let mut connection = self.core.pool.acquire().await?;
        let head = audit_chain::head(&mut connection).await?;
        if head.seq == 0 {
            return Ok(None);
        }
        if let Some(last) = audit_chain::last_checkpoint(&mut connection).await?
            && (last.seq, &last.hash) == (head.seq, &head.hash)
            && self.is_signed(&shown(&last)) == Some(true)
        {
            return Ok(Some(shown(&last)));
        }
        let pepper = peppers.current();
        let at = self.core.now();
        let statement = Checkpoint::statement(head.seq, &BASE64URL_NOPAD.encode(&head.hash), at);
        let row = CheckpointRow {
            seq: head.seq,
            hash: head.hash,
            at,
            fingerprint: pepper.fingerprint().to_vec(),
            signature: pepper.sign_checkpoint(&statement).to_vec(),
        };
        audit_chain::insert_checkpoint(&mut connection, &row).await?;
        Ok(Some(shown(&row)))
    }

    /// True if the signature is valid; `None` if its pepper is not known here.
    fn is_signed(&self, checkpoint: &Checkpoint) -> Option<bool> {
        let peppers = self.core.peppers.as_ref()?;
        let fingerprint = HEXLOWER.decode(checkpoint.fingerprint.as_bytes()).ok()?;
        let pepper = peppers
            .all()
            .find(|pepper| pepper.fingerprint()[..] == fingerprint[..])?;
        let statement = Checkpoint::statement(checkpoint.seq, &checkpoint.hash, checkpoint.at);
        let expected = pepper.sign_checkpoint(&statement);
        let stated = BASE64URL_NOPAD.decode(checkpoint.signature.as_bytes());
        Some(stated.is_ok_and(|stated| same_bytes(&stated, &expected)))
    }
}

/// Follows the chain from its first event to its end.
async fn walk(
    connection: &mut PgConnection,
    signed: &HashMap<i64, Vec<String>>,
    report: &mut ChainReport,
) -> AppResult<Option<Broken>> {
    let head = audit_chain::head(connection).await?;
    // Hashes of the event before this one (`hash`) and of the one before that (`before`).
    let (mut before, mut hash) = (Vec::new(), vec![0; 32]);
    let mut last = None;
    loop {
        let links = audit_chain::links_after(connection, report.events, BATCH_SIZE).await?;
        if links.is_empty() {
            break;
        }
        for link in links {
            let expected = report.events + 1;
            if link.seq != expected {
                return Ok(Some(removed(expected)));
            }
            if expected > head.seq {
                return Ok(Some(at(&link, Damage::Inserted)));
            }
            let own_hash = Sha256::new()
                .chain_update(&link.prev_hash)
                .chain_update(&link.canonical)
                .finalize();
            let is_whole = own_hash[..] == link.hash[..];
            if is_whole && link.prev_hash != hash {
                return Ok(Some(misled(&link, &before, last)));
            }
            let damaged = at(&link, Damage::Altered);
            if let Some(hashes) = signed.get(&expected) {
                let own = BASE64URL_NOPAD.encode(&link.hash);
                if hashes.iter().any(|signed| *signed != own) {
                    return Ok(Some(at(&link, Damage::Rewritten)));
                }
                report.checkpoints += hashes.len();
            }
            before = std::mem::replace(&mut hash, link.hash.clone());
            last = Some(link.event_id);
            if !is_whole || !matches_hashed_bytes(link, expected) {
                return Ok(Some(damaged));
            }
            report.events = expected;
        }
    }
    let furthest = signed.keys().copied().max().unwrap_or(0).max(head.seq);
    if furthest > report.events {
        return Ok(Some(removed(report.events + 1)));
    }
    let ends_right = head.seq == report.events && head.hash == hash;
    Ok((!ends_right).then_some(Broken {
        seq: report.events,
        event_id: None,
        how: Damage::Altered,
    }))
}

/// Damage that explains why an intact event does not follow the one before it.
fn misled(link: &LinkRow, before: &[u8], last: Option<Uuid>) -> Broken {
    let recorded = serde_json::from_slice::<Recorded>(&link.canonical);
    if recorded.is_ok_and(|recorded| recorded.seq > link.seq) {
        return removed(link.seq);
    }
    match last {
        None => at(link, Damage::Altered),
        // This event is intact; the one before it was altered or inserted.
        Some(_) => Broken {
            seq: link.seq - 1,
            event_id: last,
            how: if link.prev_hash == before {
                Damage::Inserted
            } else {
                Damage::Altered
            },
        },
    }
}

/// True if the columns, which lists and filters use, match the hashed bytes.
fn matches_hashed_bytes(link: LinkRow, seq: i64) -> bool {
    let Ok(recorded) = serde_json::from_slice::<Recorded>(&link.canonical) else {
        return false;
    };
    let version = link.version;
    let Some(shown) = link.event() else {
        return false;
    };
    let ip = |event: &Event| event.ip.as_deref().map(str::parse::<std::net::IpAddr>);
    let same_ip = match (ip(&shown), ip(&recorded.event)) {
        (Some(Ok(shown)), Some(Ok(recorded))) => shown == recorded,
        (None, None) => true,
        _ => false,
    };
    let event = Event {
        ip: shown.ip.clone(),
        ..recorded.event
    };
    same_ip && (recorded.version, recorded.seq) == (version, seq) && event == shown
}

fn at(link: &LinkRow, how: Damage) -> Broken {
    Broken {
        seq: link.seq,
        event_id: Some(link.event_id),
        how,
    }
}

fn removed(seq: i64) -> Broken {
    Broken {
        seq,
        event_id: None,
        how: Damage::Removed,
    }
}

fn shown(row: &CheckpointRow) -> Checkpoint {
    Checkpoint {
        seq: row.seq,
        hash: BASE64URL_NOPAD.encode(&row.hash),
        at: row.at,
        fingerprint: HEXLOWER.encode(&row.fingerprint),
        signature: BASE64URL_NOPAD.encode(&row.signature),
    }
}
