//! The text that a scrape gets: families that are counted on, and those of the moment, by name.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};

use super::snapshot::Snapshot;

/// What is exposed in one scrape beside the registered metrics.
pub enum Momentary {
    /// What is now.
    Snapshot(Snapshot),
    /// What is counted on, as long as something lives that the hub knows, such as a cluster.
    Counted(Box<dyn Collector>),
}

impl From<Snapshot> for Momentary {
    fn from(snapshot: Snapshot) -> Self {
        Self::Snapshot(snapshot)
    }
}

impl From<Box<dyn Collector>> for Momentary {
    fn from(collector: Box<dyn Collector>) -> Self {
        Self::Counted(collector)
    }
}

enum Family {
    Counted(MetricFamily),
    Snapshot(Snapshot),
}

impl Family {
    fn name(&self) -> &str {
        match self {
            Self::Counted(family) => family.name(),
            Self::Snapshot(family) => family.name(),
        }
    }
}

/// The text of `registered` and `momentary`; families without series are left out.
pub(super) fn exposition(
    registered: Vec<MetricFamily>,
    momentary: impl IntoIterator<Item = Momentary>,
) -> prometheus::Result<String> {
    let counted = Registry::new();
    let mut families: Vec<_> = registered.into_iter().map(Family::Counted).collect();
    for one in momentary {
        match one {
            Momentary::Snapshot(snapshot) => families.push(Family::Snapshot(snapshot)),
            Momentary::Counted(collector) => counted.register(collector)?,
        }
    }
    families.extend(counted.gather().into_iter().map(Family::Counted));
    families.sort_by(|a, b| a.name().cmp(b.name()));
    let encoder = TextEncoder::new();
    let mut text = String::new();
    for family in families {
        match family {
            Family::Counted(family) => encoder.encode_utf8(&[family], &mut text)?,
            Family::Snapshot(family) => family.write(&mut text),
        }
    }
    Ok(text)
}
