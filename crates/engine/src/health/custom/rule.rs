//! One rule: what must hold of the object, and what follows.
//!
//! `when` rules test the object as a whole. `each` rules test the conditions in the order of the
//! object's list: the first condition that fits any rule of a run of `each` rules decides.

use serde_json::Value;

use super::template::Template;
use crate::health::{Health, HealthStatus};

/// What a rule says.
pub(super) enum Answer {
    Judged(Health),
    /// The check cannot work without what is absent.
    Unjudgeable,
}

pub(super) enum Rule {
    When(Vec<Test>, Outcome),
    Each(Vec<(ConditionTest, Vec<Test>, Outcome)>),
}

/// A status (`None`: the check fails) and a message.
pub(super) struct Outcome {
    pub(super) status: Option<HealthStatus>,
    pub(super) message: Template,
}

/// Types, statuses and reasons of a condition; an empty list admits any.
pub(super) struct ConditionTest {
    pub(super) types: Vec<String>,
    pub(super) statuses: Vec<String>,
    pub(super) reasons: Vec<String>,
}

pub(super) struct Test {
    pub(super) negated: bool,
    pub(super) what: What,
}

pub(super) enum What {
    /// Something is there.
    Present(String),
    /// A value is one of these.
    OneOf(String, Vec<String>),
    /// A text contains this.
    Contains(String, String),
    /// A number is less than another, each a path or a literal.
    Less(String, String),
    /// A condition like this is there.
    Condition(ConditionTest),
    /// The controller has not looked at this generation.
    Stale,
}

impl Rule {
    pub(super) fn judge(&self, object: &Value) -> Option<Answer> {
        match self {
            Self::When(tests, outcome) => tests
                .iter()
                .all(|test| test.holds(object))
                .then(|| outcome.answer(object, None)),
            Self::Each(rules) => conditions(object).iter().find_map(|condition| {
                rules
                    .iter()
                    .find(|(fits, tests, _)| {
                        fits.fits(condition) && tests.iter().all(|test| test.holds(object))
                    })
                    .map(|(_, _, outcome)| outcome.answer(object, Some(condition)))
            }),
        }
    }
}

impl Outcome {
    fn answer(&self, object: &Value, condition: Option<&Value>) -> Answer {
        match self.status {
            Some(status) => {
                Answer::Judged(Health::new(status, self.message.fill(object, condition)))
            }
            None => Answer::Unjudgeable,
        }
    }
}

impl ConditionTest {
    pub(super) fn fits(&self, condition: &Value) -> bool {
        let admits = |allowed: &[String], key: &str| {
            let text = condition.get(key).and_then(Value::as_str).unwrap_or("");
            allowed.is_empty() || allowed.iter().any(|one| one == text)
        };
        admits(&self.types, "type")
            && admits(&self.statuses, "status")
            && admits(&self.reasons, "reason")
    }
}

impl Test {
    fn holds(&self, object: &Value) -> bool {
        let holds = match &self.what {
            What::Present(path) => at(object, path).is_some(),
            What::OneOf(path, values) => {
                at(object, path).is_some_and(|value| values.contains(&text(value)))
            }
            What::Contains(path, part) => {
                at(object, path).is_some_and(|value| text(value).contains(part))
            }
            What::Less(one, other) => match (number(object, one), number(object, other)) {
                (Some(one), Some(other)) => one < other,
                _ => false,
            },
            What::Condition(test) => conditions(object).iter().any(|one| test.fits(one)),
            What::Stale => {
                let seen = at(object, "status.observedGeneration");
                seen.is_some() && seen != at(object, "metadata.generation")
            }
        };
        holds != self.negated
    }
}

/// The value at a dotted path; null counts as absent. A leading dot means the status.
pub(super) fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut place = object;
    let path = match path.strip_prefix('.') {
        Some(rest) => {
            place = object.get("status")?;
            rest
        }
        None => path,
    };
    for part in path.split('.') {
        place = match place {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            other => other.get(part)?,
        };
    }
    (!place.is_null()).then_some(place)
}

pub(super) fn conditions(object: &Value) -> &[Value] {
    at(object, "status.conditions")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => String::new(),
        other => other.to_string(),
    }
}

fn number(object: &Value, what: &str) -> Option<f64> {
    match what.parse() {
        Ok(literal) => Some(literal),
        Err(_) => at(object, what)?.as_f64(),
    }
}
