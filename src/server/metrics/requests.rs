//! Counters and durations of answered requests.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use strum::{IntoStaticStr, VariantArray};

/// Upper bounds of the duration buckets, in seconds.
const BUCKETS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// The part of the service that answers.
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    Rest,
    Page,
    ServerFunction,
    /// The browser's files.
    File,
    /// `/healthz` and `/readyz`.
    Health,
}

impl Surface {
    pub fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("api") => Self::Rest,
            Some("rpc") => Self::ServerFunction,
            Some("pkg" | "fonts") => Self::File,
            Some("healthz" | "readyz") => Self::Health,
            _ => Self::Page,
        }
    }
}

impl EncodeLabelValue for Surface {
    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>,
    ) -> std::fmt::Result {
        EncodeLabelValue::encode(&self.into_str(), encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AnswerLabels {
    pub surface: Surface,
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SurfaceLabel {
    pub surface: Surface,
}

/// The metrics of all answered requests. An answer allocates only for a status not seen before.
#[derive(Debug)]
pub struct RequestMetrics {
    pub answers: Family<AnswerLabels, Counter>,
    pub durations: Family<SurfaceLabel, Histogram, fn() -> Histogram>,
    /// The members of `durations`, in the order of [`Surface::VARIANTS`].
    durations_by_surface: [Histogram; Surface::VARIANTS.len()],
}

impl Default for RequestMetrics {
    fn default() -> Self {
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        Self {
            durations_by_surface: std::array::from_fn(|index| {
                let surface = Surface::VARIANTS[index];
                durations.get_or_create_owned(&SurfaceLabel { surface })
            }),
            answers: Family::default(),
            durations,
        }
    }
}

impl RequestMetrics {
    pub fn record(&self, surface: Surface, status: u16, duration: Duration) {
        self.answers
            .get_or_create(&AnswerLabels { surface, status })
            .inc();
        self.durations_by_surface[surface as usize].observe(duration.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_surface_and_status() {
        let metrics = RequestMetrics::default();
        let expected = [
            ("/api/key", Surface::Rest, 200),
            ("/api", Surface::Rest, 404),
            ("/rpc/keys/list", Surface::ServerFunction, 200),
            ("/pkg/x.js", Surface::File, 200),
            ("/fonts/x.woff2", Surface::File, 200),
            ("/readyz", Surface::Health, 503),
            ("/", Surface::Page, 303),
        ];
        for (path, surface, status) in expected {
            assert_eq!(Surface::of(path), surface, "{path}");
            metrics.record(surface, status, Duration::from_millis(3));
        }
        let count = |surface, status| {
            let labels = AnswerLabels { surface, status };
            metrics.answers.get_or_create_owned(&labels).get()
        };
        assert_eq!(count(Surface::File, 200), 2);
        assert_eq!(count(Surface::Rest, 404), 1);
        assert_eq!(count(Surface::Rest, 503), 0);
        for (index, surface) in Surface::VARIANTS.iter().copied().enumerate() {
            assert_eq!(surface as usize, index);
        }
    }
}
