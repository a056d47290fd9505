//! The steps of a rollout: which Applications they select, and what they allow.

use std::collections::BTreeMap;

use argosy_crds::Application;
use argosy_crds::application_set::{
    ApplicationMatchExpression, ApplicationSetRolloutStep, ApplicationSetRolloutStrategy,
    RolloutFailureAction, UnmatchedApplications,
};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The step of Applications that no step selects.
pub(super) const UNMATCHED: &str = "-1";

/// The steps of a set, and who belongs to them.
pub(super) struct Steps {
    /// In order.
    pub(super) list: Vec<Step>,
    /// The step of each Application, by its place; an Application that several steps select
    /// belongs to the first.
    of: BTreeMap<String, usize>,
    /// What does not make sense, the most important first.
    pub(super) issues: Vec<String>,
}

/// One step.
#[derive(Default)]
pub(super) struct Step {
    /// Its number, from 1.
    pub(super) number: usize,
    /// Its Applications, sorted.
    pub(super) members: Vec<String>,
    /// How many may be in motion at once; `None` is all.
    pub(super) max_update: Option<usize>,
    /// How long all must have been healthy before the next step.
    pub(super) soak: SignedDuration,
    /// What counts as a failure; `None` is nothing.
    pub(super) failures: Option<FailureRules>,
}

/// What counts as a failure of a step, and what follows.
#[derive(Clone, Copy)]
pub(super) struct FailureRules {
    /// So many may fail.
    pub(super) max: usize,
    /// How long an Application may take.
    pub(super) deadline: Option<SignedDuration>,
    /// What follows when more fail.
    pub(super) action: RolloutFailureAction,
}

impl Steps {
    pub(super) fn new(strategy: &ApplicationSetRolloutStrategy, generated: &[Application]) -> Self {
        let rules = &strategy.steps;
        let mut of = BTreeMap::new();
        let mut members = vec![Vec::new(); rules.len() + 1];
        let mut repeated = Vec::new();
        for app in generated {
            let name = app.metadata.name.clone().unwrap_or_default();
            let mut selecting = (0..rules.len()).filter(|&at| selects(&rules[at], app));
            let first = selecting.next();
            if selecting.next().is_some() {
                repeated.push(name.clone());
            }
            let last = (strategy.unmatched == Some(UnmatchedApplications::LastStep))
                .then_some(rules.len());
            if let Some(at) = first.or(last) {
                members[at].push(name.clone());
                of.insert(name, at);
            }
        }
        let mut issues = operator_issues(rules);
        repeated.sort();
        issues.extend(repeated.first().map(|name| {
            let more = repeated.len() - 1;
            format!("more than one step selects Application {name} (and {more} more); it belongs to the first of them")
        }));
        let empty = (0..rules.len()).find(|&at| members[at].is_empty());
        issues.extend(empty.map(|at| format!("step {} selects no Application", at + 1)));
        let mut steps = Vec::new();
        for (at, mut members) in members.into_iter().enumerate() {
            members.sort();
            members.dedup();
            let Some(rule) = rules.get(at) else {
                if !members.is_empty() {
                    let number = at + 1;
                    steps.push(Step {
                        number,
                        members,
                        ..Step::default()
                    });
                }
                continue;
            };
            steps.push(Step::read(at + 1, rule, members, &mut issues));
        }
        Self {
            list: steps,
            of,
            issues,
        }
    }

    /// The step of an Application, as statuses write it.
    pub(super) fn number(&self, name: &str) -> String {
        let at = self.of.get(name);
        at.map_or_else(|| UNMATCHED.to_owned(), |at| (at + 1).to_string())
    }
}

impl Step {
    fn read(
        number: usize,
        rule: &ApplicationSetRolloutStep,
        members: Vec<String>,
        issues: &mut Vec<String>,
    ) -> Self {
        let mut issue = |field: &str, problem: String| {
            issues.push(format!("{field} of step {number} is invalid: {problem}"));
        };
        let max_update = rule.max_update.as_ref().map(|value| {
            let scaled = scaled(value, members.len()).unwrap_or_else(|problem| {
                issue("maxUpdate", problem);
                0
            });
            match value {
                // A share above nothing is at least one, and so is what cannot be read.
                IntOrString::String(text) if text != "0%" => scaled.max(1),
                _ => scaled,
            }
        });
        let mut duration = |field: &str, text: &Option<String>| {
            let text = text.as_deref()?;
            match text.parse::<SignedDuration>() {
                Ok(duration) if !duration.is_negative() => Some(duration),
                _ => {
                    issue(
                        field,
                        format!("{text:?} is no duration such as 10m or 1h30m"),
                    );
                    None
                }
            }
        };
        let soak = duration("soak", &rule.soak);
        let deadline = duration("progressDeadline", &rule.progress_deadline);
        // A time to wait that nobody can read does not end by itself.
        let unreadable = rule.soak.is_some() && soak.is_none();
        let has_rules = rule.max_failures.is_some()
            || rule.progress_deadline.is_some()
            || rule.on_failure.is_some();
        let max_failures = rule
            .max_failures
            .as_ref()
            .map_or(Ok(0), |value| scaled(value, members.len()));
        let max = max_failures.unwrap_or_else(|problem| {
            issue("maxFailures", problem);
            0
        });
        Self {
            number,
            members,
            max_update,
            soak: if unreadable {
                SignedDuration::MAX
            } else {
                soak.unwrap_or_default()
            },
            failures: has_rules.then_some(FailureRules {
                max,
                deadline,
                action: rule.on_failure.unwrap_or_default(),
            }),
        }
    }
}

/// A number, or a percentage of `total` rounded down.
fn scaled(value: &IntOrString, total: usize) -> Result<usize, String> {
    match value {
        IntOrString::Int(number) => {
            usize::try_from(*number).map_err(|_| format!("{number} is negative"))
        }
        IntOrString::String(text) => {
            let percent = text
                .strip_suffix('%')
                .and_then(|text| text.parse::<usize>().ok());
            let percent =
                percent.ok_or_else(|| format!("{text:?} is no percentage such as 10%"))?;
            Ok(total.saturating_mul(percent) / 100)
        }
    }
}

/// Whether all expressions of the step hold.
fn selects(step: &ApplicationSetRolloutStep, app: &Application) -> bool {
    let labels = app.metadata.labels.as_ref();
    step.match_expressions.iter().all(|expression| {
        let value = labels.and_then(|labels| labels.get(&expression.key));
        let is_in = value.is_some_and(|value| expression.values.contains(value));
        match expression.operator.as_str() {
            "In" => is_in,
            "NotIn" => !is_in,
            _ => false,
        }
    })
}

fn operator_issues(rules: &[ApplicationSetRolloutStep]) -> Vec<String> {
    let invalid = |expression: &&ApplicationMatchExpression| {
        !matches!(expression.operator.as_str(), "In" | "NotIn")
    };
    let of_step = |(at, rule): (usize, &ApplicationSetRolloutStep)| {
        let found = rule.match_expressions.iter().find(invalid)?;
        let number = at + 1;
        let operator = &found.operator;
        Some(format!(
            "step {number} has the operator {operator:?}; only In and NotIn are known"
        ))
    };
    rules.iter().enumerate().filter_map(of_step).collect()
}

/// The step that would select an Application by the labels that it has, for one that is not
/// generated any more; those that none selects come after all others.
pub(super) fn position(strategy: &ApplicationSetRolloutStrategy, app: &Application) -> usize {
    let first = strategy.steps.iter().position(|step| selects(step, app));
    first.unwrap_or(strategy.steps.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(strategy: serde_json::Value, labels: &[&str]) -> Steps {
        let app = |(at, env): (usize, &&str)| {
            let metadata = json!({"name": format!("a{at}"), "labels": {"env": env}});
            serde_json::from_value(json!({"metadata": metadata, "spec": {}}))
                .expect("an Application")
        };
        let generated: Vec<Application> = labels.iter().enumerate().map(app).collect();
        let strategy = serde_json::from_value(strategy).expect("a strategy");
        Steps::new(&strategy, &generated)
    }

    fn max_update(value: &serde_json::Value, total: usize) -> Option<usize> {
        let step = json!({"maxUpdate": value});
        let steps = steps(json!({"steps": [step]}), &vec!["dev"; total]);
        steps.list.first().and_then(|step| step.max_update)
    }

    #[test]
    fn shares_are_rounded_down_and_are_at_least_one() {
        assert_eq!(max_update(&json!("25%"), 7), Some(1));
        assert_eq!(max_update(&json!("50%"), 7), Some(3));
        assert_eq!(max_update(&json!("1%"), 7), Some(1));
        assert_eq!(max_update(&json!("0%"), 7), Some(0));
        assert_eq!(max_update(&json!(0), 7), Some(0));
        assert_eq!(max_update(&json!(2), 7), Some(2));
        assert_eq!(max_update(&json!("two"), 7), Some(1));
    }

    #[test]
    fn an_application_belongs_to_the_first_step_that_selects_it() {
        let select = |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "env", "operator": operator, "values": values}]});
        let strategy = json!({"steps": [select("In", &["dev"]), select("NotIn", &["prod"])]});
        let found = steps(strategy.clone(), &["dev", "stage", "prod"]);
        assert_eq!(
            ["a0", "a1", "a2"].map(|name| found.number(name)),
            ["1", "2", "-1"]
        );
        assert!(found.issues[0].contains("more than one step selects Application a0"));
        let mut last = strategy;
        last["unmatched"] = json!("lastStep");
        assert_eq!(steps(last, &["dev", "stage", "prod"]).number("a2"), "3");
    }

    #[test]
    fn what_makes_no_sense_is_told_and_selects_nothing() {
        let strategy = json!({"steps": [
            {"matchExpressions": [{"key": "env", "operator": "in", "values": ["dev"]}], "soak": "soon"}]});
        let found = steps(strategy, &["dev"]);
        assert_eq!(found.number("a0"), "-1");
        assert_eq!(found.issues.len(), 3, "{:?}", found.issues);
        assert_eq!(found.list[0].soak, SignedDuration::MAX);
    }
}
