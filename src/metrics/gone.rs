//! The series of what is gone go with it, so that their number is that of what there is.

use std::sync::atomic::{AtomicBool, Ordering};

use prometheus::core::{Collector as _, MetricVec, MetricVecBuilder};

/// Whether something is gone since the last scrape: only then are all series looked through.
#[derive(Default)]
pub(super) struct Gone(AtomicBool);

impl Gone {
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// Drops the series whose labels `namespace` and `name` name nobody.
pub(super) fn drop_unknown<T: MetricVecBuilder>(
    vector: &MetricVec<T>,
    is_known: &impl Fn(&str, &str) -> bool,
) {
    let descriptions = vector.desc();
    let labels = descriptions.iter().flat_map(|one| &one.variable_labels);
    let labels: Vec<_> = labels.map(String::as_str).collect();
    for family in vector.collect() {
        for metric in family.get_metric() {
            let value = |name: &str| {
                let mut pairs = metric.get_label().iter();
                let pair = pairs.find(|pair| pair.name() == name);
                pair.map(|pair| pair.value().to_owned()).unwrap_or_default()
            };
            if !is_known(&value("namespace"), &value("name")) {
                let values: Vec<_> = labels.iter().map(|label| value(label)).collect();
                // It may have been dropped by another scrape.
                let _ = vector.remove_label_values(&values);
            }
        }
    }
}
