//! What was answered: how often, how, and how fast. Counted without a lock, since every request is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Which part of the service answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// REST.
    Rest,
    /// The console's pages.
    Page,
    /// The console's server functions.
    ServerFunction,
    /// The browser's files.
    File,
    /// `/healthz` and `/readyz`.
    Health,
}

impl Surface {
    /// Every surface.
    pub const ALL: [Self; 5] = [
        Self::Rest,
        Self::Page,
        Self::ServerFunction,
        Self::File,
        Self::Health,
    ];

    /// Where a path leads.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("api") => Self::Rest,
            Some("rpc") => Self::ServerFunction,
            Some("pkg" | "fonts") => Self::File,
            Some("healthz" | "readyz") => Self::Health,
            _ => Self::Page,
        }
    }

    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Page => "page",
            Self::ServerFunction => "server_function",
            Self::File => "file",
            Self::Health => "health",
        }
    }
}

/// Upper bounds of the durations that are told apart, in seconds.
pub const BOUNDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// Statuses that an answer may have (RFC 9110 §15).
const STATUSES: std::ops::Range<u16> = 100..600;

/// The answers since the process began.
#[derive(Debug)]
pub struct Traffic([Answers; Surface::ALL.len()]);

#[derive(Debug)]
struct Answers {
    by_status: Box<[AtomicU64]>,
    /// One more than the bounds: what took longer than the last.
    by_duration: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// The durations of a surface's answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    /// How many took no longer than each bound and longer than the one before; then the rest.
    pub counts: [u64; BOUNDS.len() + 1],
    /// All together, in seconds.
    pub sum: f64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Answers {
            by_status: STATUSES.map(|_| AtomicU64::new(0)).collect(),
            by_duration: Default::default(),
            micros: AtomicU64::new(0),
        }))
    }
}

impl Traffic {
    /// Counts an answer.
    pub fn count(&self, surface: Surface, status: u16, took: Duration) {
        let answers = &self.0[surface as usize];
        let place = usize::from(status.saturating_sub(STATUSES.start));
        if let Some(counter) = answers.by_status.get(place) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let seconds = took.as_secs_f64();
        let bound = BOUNDS.iter().position(|bound| seconds <= *bound);
        let bound = bound.unwrap_or(BOUNDS.len());
        answers.by_duration[bound].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        answers.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// The statuses that were answered, with how often.
    pub fn statuses(&self) -> impl Iterator<Item = (Surface, u16, u64)> {
        Surface::ALL
            .into_iter()
            .zip(&self.0)
            .flat_map(|(surface, answers)| {
                let counts = answers
                    .by_status
                    .iter()
                    .map(|count| count.load(Ordering::Relaxed));
                let statuses = STATUSES.zip(counts).filter(|(_, count)| *count > 0);
                statuses.map(move |(status, count)| (surface, status, count))
            })
    }

    /// How long the answers took.
    pub fn durations(&self) -> impl Iterator<Item = (Surface, Durations)> {
        Surface::ALL
            .into_iter()
            .zip(&self.0)
            .map(|(surface, answers)| {
                let counts =
                    std::array::from_fn(|n| answers.by_duration[n].load(Ordering::Relaxed));
                let micros = answers.micros.load(Ordering::Relaxed);
                let sum = Duration::from_micros(micros).as_secs_f64();
                (surface, Durations { counts, sum })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_where_they_belong() {
        let traffic = Traffic::default();
        for (path, status, millis) in [
            ("/api/key", 200, 1),
            ("/api/key", 401, 3),
            ("/api", 404, 20_000),
            ("/rpc/keys/list", 200, 4),
            ("/pkg/x.js", 200, 0),
            ("/readyz", 503, 0),
            ("/", 303, 0),
        ] {
            traffic.count(Surface::of(path), status, Duration::from_millis(millis));
        }
        let statuses: Vec<_> = traffic.statuses().collect();
        assert_eq!(
            statuses,
            [
                (Surface::Rest, 200, 1),
                (Surface::Rest, 401, 1),
                (Surface::Rest, 404, 1),
                (Surface::Page, 303, 1),
                (Surface::ServerFunction, 200, 1),
                (Surface::File, 200, 1),
                (Surface::Health, 503, 1),
            ]
        );
        let (_, rest) = traffic.durations().next().unwrap();
        assert_eq!((rest.counts[1], rest.counts[3], rest.counts[13]), (1, 1, 1));
        assert!((rest.sum - 20.004).abs() < 1e-9);
    }
}
