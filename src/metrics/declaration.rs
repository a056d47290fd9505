//! What is declared: a registry that remembers it, for the reference page and whoever writes rules.

use prometheus::Registry;
use prometheus::core::Collector;
use prometheus::proto::MetricType;

use super::snapshot::Snapshot;

/// A metric family as it is declared, whether or not it has a series yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The part of the hub that it tells of.
    pub section: &'static str,
    /// Its name.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its labels, sorted.
    pub labels: Vec<String>,
    /// What it means.
    pub help: String,
}

impl Declaration {
    /// What a family of the moment declares.
    pub(super) fn of(section: &'static str, family: &Snapshot) -> Self {
        let mut labels = family.labels().to_vec();
        labels.sort();
        Self {
            section,
            name: family.name().to_owned(),
            kind: family.kind(),
            labels,
            help: family.help().to_owned(),
        }
    }

    /// Everything that a collector declares.
    pub(super) fn all_of(section: &'static str, collector: &dyn Collector) -> Vec<Self> {
        let families = collector.collect();
        let descriptions = collector.desc();
        let described = descriptions.into_iter().map(|description| {
            let family = families
                .iter()
                .find(|family| family.name() == description.fq_name);
            let constant = description.const_label_pairs.iter();
            let variable = description.variable_labels.iter().cloned();
            let mut labels: Vec<_> = variable
                .chain(constant.map(|pair| pair.name().to_owned()))
                .collect();
            labels.sort();
            Self {
                section,
                name: description.fq_name.clone(),
                kind: family.map_or("gauge", |family| kind(family.get_field_type())),
                labels,
                help: description.help.clone(),
            }
        });
        described.collect()
    }
}

fn kind(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::GAUGE | MetricType::UNTYPED => "gauge",
    }
}

/// A registry, and what was declared in it.
pub(super) struct Families {
    pub(super) registry: Registry,
    pub(super) declared: Vec<Declaration>,
    section: &'static str,
}

impl Families {
    pub(super) fn new() -> Self {
        Self {
            registry: Registry::new(),
            declared: Vec::new(),
            section: "",
        }
    }

    /// Says what the following declarations tell of.
    pub(super) fn section(&mut self, section: &'static str) -> &mut Self {
        self.section = section;
        self
    }

    /// Declares a metric and registers it.
    pub(super) fn declare<C: Collector + Clone + 'static>(
        &mut self,
        metric: prometheus::Result<C>,
    ) -> prometheus::Result<C> {
        let metric = metric?;
        self.adopt(metric.clone())?;
        Ok(metric)
    }

    /// Declares and registers a metric that nobody else needs to hold.
    pub(super) fn adopt(&mut self, metric: impl Collector + 'static) -> prometheus::Result<()> {
        let declared = Declaration::all_of(self.section, &metric);
        self.declared.extend(declared);
        self.registry.register(Box::new(metric))
    }
}
