//! Label selectors, as Kubernetes reads them and as generators do.
//!
//! Generators match parameters, whose values are any text (addresses of clusters, for example); so
//! values are only held to the rules of labels where labels are matched.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Whether values must be fit for labels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Kubernetes' own rules.
    Labels,
    /// Any text.
    Any,
}

/// A checked selector; all requirements must hold, none at all always does.
#[derive(Debug)]
pub(crate) struct Selector(Vec<(String, Requirement)>);

#[derive(Debug)]
enum Requirement {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl Selector {
    pub(crate) fn new(selector: &LabelSelector, values: Values) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for (key, value) in selector.match_labels.iter().flatten() {
            requirements.push((key.clone(), Requirement::In(vec![value.clone()])));
        }
        for expression in selector.match_expressions.iter().flatten() {
            let wanted = expression.values.clone().unwrap_or_default();
            let requirement = match (expression.operator.as_str(), wanted.is_empty()) {
                ("In" | "NotIn", true) => {
                    return Err("values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty".to_owned());
                }
                ("Exists" | "DoesNotExist", false) => {
                    return Err("values: Invalid value: values set must be empty for exists and does not exist".to_owned());
                }
                ("In", false) => Requirement::In(wanted),
                ("NotIn", false) => Requirement::NotIn(wanted),
                ("Exists", true) => Requirement::Exists,
                ("DoesNotExist", true) => Requirement::Absent,
                (operator, _) => {
                    return Err(format!(
                        "{operator:?} is not a valid label selector operator"
                    ));
                }
            };
            requirements.push((expression.key.clone(), requirement));
        }
        for (key, requirement) in &requirements {
            check_key(key)?;
            if let (Values::Labels, Requirement::In(wanted) | Requirement::NotIn(wanted)) =
                (values, requirement)
            {
                wanted
                    .iter()
                    .try_for_each(|value| check_value(key, value))?;
            }
        }
        Ok(Self(requirements))
    }

    /// Whether it asks for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(key, requirement)| {
            let value = labels.get(key);
            match requirement {
                Requirement::In(wanted) => value.is_some_and(|value| wanted.contains(value)),
                Requirement::NotIn(wanted) => value.is_none_or(|value| !wanted.contains(value)),
                Requirement::Exists => value.is_some(),
                Requirement::Absent => value.is_none(),
            }
        })
    }
}

/// The rule of qualified names: `[prefix/]name`.
fn check_key(key: &str) -> Result<(), String> {
    let invalid = |problem: &str| Err(format!("key: Invalid value: {key:?}: {problem}"));
    let name = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                return invalid("prefix part must be non-empty");
            }
            if !is_subdomain(prefix) {
                return invalid("prefix part must be a lowercase RFC 1123 subdomain");
            }
            *name
        }
        _ => {
            return invalid(
                "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/'",
            );
        }
    };
    if name.is_empty() {
        return invalid("name part must be non-empty");
    }
    if name.len() > 63 {
        return invalid("name part must be no more than 63 characters");
    }
    if !is_name(name) {
        return invalid(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        );
    }
    Ok(())
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    if value.len() <= 63 && (value.is_empty() || is_name(value)) {
        return Ok(());
    }
    Err(format!(
        "values[0][{key}]: Invalid value: {value:?}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, at most 63 in all"
    ))
}

fn is_name(text: &str) -> bool {
    let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends_well(text.chars().next())
        && ends_well(text.chars().last())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|part| {
            is_name(part)
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

    use super::*;

    fn matches(key: &str, operator: &str, values: &[&str], label: (&str, &str)) -> bool {
        let selector = LabelSelector {
            match_expressions: Some(vec![LabelSelectorRequirement {
                key: key.to_owned(),
                operator: operator.to_owned(),
                values: Some(values.iter().map(|&v| v.to_owned()).collect()),
            }]),
            match_labels: None,
        };
        let labels = [(label.0.to_owned(), label.1.to_owned())].into();
        Selector::new(&selector, Values::Any).is_ok_and(|selector| selector.matches(&labels))
    }

    #[test]
    fn operators() {
        assert!(matches("env", "In", &["a", "b"], ("env", "b")));
        assert!(matches("env", "NotIn", &["a"], ("other", "a")));
        assert!(matches("env", "Exists", &[], ("env", "")));
        assert!(matches("env", "DoesNotExist", &[], ("other", "")));
        assert!(matches(
            "server",
            "In",
            &["https://x:6443"],
            ("server", "https://x:6443")
        ));
        assert!(!matches("env", "Matches", &["a"], ("env", "a")));
        assert!(!matches("path[0]", "Exists", &[], ("path[0]", "a")));
    }
}
