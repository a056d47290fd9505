//! Families of what is at the moment of a scrape, which become text without a detour.
//!
//! The library keeps each series as an object of its own, with owned labels behind a lock, so that
//! it can be counted on for as long as the program runs. These live as long as one answer, and a
//! large fleet has hundreds of thousands of them. A label that is empty is not written: to
//! Prometheus it is the same as one that is not there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use memchr::memchr3;

/// Room for a value and what stands around it: a time has ten digits.
const VALUE: usize = 12;

/// One family as it is now.
pub struct Snapshot {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    labels: Vec<String>,
    /// The labels' positions in the order in which they are written, which is that of their names.
    order: Vec<usize>,
    /// Values by the text of their labels.
    series: BTreeMap<String, f64>,
}

impl Snapshot {
    /// A gauge without series.
    pub(super) fn gauge(name: &'static str, help: &'static str, labels: &[&str]) -> Self {
        Self::new(name, help, "gauge", labels)
    }

    /// A counter without series.
    pub(super) fn counter(name: &'static str, help: &'static str, labels: &[&str]) -> Self {
        Self::new(name, help, "counter", labels)
    }

    fn new(name: &'static str, help: &'static str, kind: &'static str, labels: &[&str]) -> Self {
        let mut order: Vec<_> = (0..labels.len()).collect();
        order.sort_by_key(|&position| labels[position]);
        Self {
            name,
            help,
            kind,
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            order,
            series: BTreeMap::new(),
        }
    }

    /// The family's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// What it means.
    pub(super) fn help(&self) -> &'static str {
        self.help
    }

    /// `counter` or `gauge`.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The names of its labels, in the order in which their values are given.
    pub(super) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Sets the series with these values of the labels.
    pub(super) fn set(&mut self, labels: &[&str], value: f64) {
        self.series.insert(self.text_of(labels), value);
    }

    /// Adds to the series with these values of the labels.
    pub(super) fn add(&mut self, labels: &[&str], value: f64) {
        *self.series.entry(self.text_of(labels)).or_default() += value;
    }

    /// Sets a time, unless an earlier one stands there.
    pub(super) fn set_earliest(&mut self, labels: &[&str], at: Timestamp) {
        let at = unix_time(at);
        let known = self.series.entry(self.text_of(labels)).or_insert(at);
        *known = at.min(*known);
    }

    fn text_of(&self, values: &[&str]) -> String {
        debug_assert_eq!(values.len(), self.labels.len(), "labels of {}", self.name);
        let shown = self.order.iter().filter_map(|&position| {
            let (label, value) = (self.labels.get(position)?, values.get(position)?);
            (!value.is_empty()).then_some((label, value))
        });
        let room = |(label, value): (&String, &&str)| label.len() + value.len() + "=\"\",".len();
        let mut text = String::with_capacity(self.labels.iter().zip(values).map(room).sum());
        for (label, value) in shown {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(label);
            text.push_str("=\"");
            push_escaped(&mut text, value);
            text.push('"');
        }
        if !text.is_empty() {
            text.push('}');
        }
        text
    }

    /// Writes the family in Prometheus' text format; nothing where it has no series.
    pub(super) fn write(&self, text: &mut String) {
        let Self {
            name, help, kind, ..
        } = self;
        if self.series.is_empty() {
            return;
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        text.reserve(
            self.series
                .keys()
                .map(|labels| name.len() + labels.len() + VALUE)
                .sum(),
        );
        for (labels, value) in &self.series {
            text.push_str(name);
            text.push_str(labels);
            let _ = writeln!(text, " {value}");
        }
    }

    /// The values of all series, by the text of their labels.
    #[cfg(test)]
    pub(super) fn values(&self) -> Vec<f64> {
        self.series.values().copied().collect()
    }
}

/// Writes a label's value as the text format wants it.
fn push_escaped(text: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = memchr3(b'\\', b'"', b'\n', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        text.push_str(match rest.as_bytes()[at] {
            b'\\' => r"\\",
            b'"' => r#"\""#,
            _ => r"\n",
        });
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
}

/// A count as series have it.
pub(super) fn count(n: usize) -> f64 {
    number(n as u64)
}

/// A number as series have it, exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "nothing that is counted comes near to 2^53"
)]
pub(super) fn number(n: u64) -> f64 {
    n as f64
}

/// A time as gauges take it: seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
pub(super) fn unix_time(at: Timestamp) -> f64 {
    at.as_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(family: &Snapshot) -> String {
        let mut text = String::new();
        family.write(&mut text);
        text
    }

    #[test]
    fn series_are_text_with_labels_in_the_order_of_their_names() {
        let mut family = Snapshot::gauge("apps", "How many.", &["project", "name", "empty"]);
        assert_eq!(
            text(&family),
            "",
            "a family without a series is not exposed"
        );
        family.add(&["b", "two", ""], 1.0);
        family.add(&["b", "two", ""], 2.0);
        family.set(&["a", "one", "x"], 0.25);
        assert_eq!(
            text(&family),
            "# HELP apps How many.\n# TYPE apps gauge\n\
             apps{empty=\"x\",name=\"one\",project=\"a\"} 0.25\n\
             apps{name=\"two\",project=\"b\"} 3\n"
        );
    }

    #[test]
    fn a_series_without_labels_has_no_braces() {
        let mut family = Snapshot::counter("renders_total", "Renders.", &[]);
        family.set(&[], 1_800_000_000.0);
        assert!(text(&family).ends_with("\nrenders_total 1800000000\n"));
    }

    #[test]
    fn values_are_escaped() {
        let mut family = Snapshot::gauge("apps", "How many.", &["name"]);
        family.set(&["a\\b\"c\nd é"], 1.0);
        assert!(
            text(&family).contains("name=\"a\\\\b\\\"c\\nd é\""),
            "{}",
            text(&family)
        );
    }

    #[test]
    fn the_earliest_time_stays() {
        let mut family = Snapshot::gauge("since", "Since when.", &[]);
        for second in [7, 5, 9] {
            family.set_earliest(&[], Timestamp::from_second(second).expect("a time"));
        }
        assert_eq!(family.values(), [5.0]);
    }
}
