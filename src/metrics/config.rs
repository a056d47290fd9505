//! How much the metrics tell: what has a series of its own, and which labels of objects are shown.

use std::collections::BTreeMap;

use clap::ValueEnum;

/// The longest value of a label, in bytes.
const LONGEST: usize = 256;

/// Which metrics are exposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// Whether each application has series of its own.
    pub applications: Detail,
    /// The labels of applications that are exposed.
    pub application_labels: Vec<String>,
    /// The types of conditions of applications that are exposed.
    pub application_conditions: Vec<String>,
    /// The labels of ApplicationSets that are exposed.
    pub application_set_labels: Vec<String>,
    /// The labels of cluster Secrets that are exposed.
    pub cluster_labels: Vec<String>,
}

/// Whether each application has series of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Detail {
    /// Each has its own.
    #[default]
    Each,
    /// They are summed up by project, cluster and state.
    Sums,
}

impl Detail {
    /// What names one application, or nothing.
    pub(super) fn of_one(self, value: &str) -> &str {
        match self {
            Self::Each => cut(value),
            Self::Sums => "",
        }
    }
}

/// Labels of objects that may be shown, and the names that they have as Prometheus' labels.
pub(super) struct AllowedLabels(BTreeMap<String, String>);

impl AllowedLabels {
    /// Two labels that Prometheus cannot tell apart are shown as one, the first.
    pub(super) fn new(allowed: &[String]) -> Self {
        let mut by_name = BTreeMap::new();
        for label in allowed {
            by_name
                .entry(prometheus_name(label))
                .or_insert_with(|| label.clone());
        }
        Self(by_name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Prometheus' names, in the order of [`AllowedLabels::values`].
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The values that an object has; empty where it lacks the label.
    pub(super) fn values<'a>(
        &'a self,
        labels: Option<&'a BTreeMap<String, String>>,
    ) -> impl Iterator<Item = &'a str> {
        self.0.values().map(move |label| {
            let value = labels.and_then(|labels| labels.get(label));
            value.map_or("", |value| cut(value))
        })
    }
}

/// The label's name as Argo CD writes it: `app.kubernetes.io/name` is
/// `label_app_kubernetes_io_name`.
fn prometheus_name(label: &str) -> String {
    let valid = |char: char| {
        if char.is_ascii_alphanumeric() {
            char
        } else {
            '_'
        }
    };
    let normalised: String = label.chars().map(valid).collect();
    format!("label_{normalised}")
}

/// The value, cut at a character where it is too long for a label.
pub(super) fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_the_names_that_argo_cd_gives_them() {
        let allowed = AllowedLabels::new(&["app.kubernetes.io/name".into(), "team-a".into()]);
        let names: Vec<_> = allowed.names().collect();
        assert_eq!(names, ["label_app_kubernetes_io_name", "label_team_a"]);
        let labels = BTreeMap::from([("team-a".to_owned(), "x\"\n".to_owned())]);
        let values: Vec<_> = allowed.values(Some(&labels)).collect();
        assert_eq!(values, ["", "x\"\n"]);
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "é".repeat(5000);
        assert_eq!(cut(&long).len(), LONGEST);
        assert_eq!(cut("short"), "short");
    }
}
