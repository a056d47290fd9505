//! Selectors that can match nothing.

use std::collections::BTreeMap;

use argosy_crds::application_set::generators::ClusterGenerator;
use argosy_facts::Observed;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{Finding, Level, Subject, yields};
use crate::facts::{Answer, Request};
use crate::generator::clusters::bare;
use crate::selector::{Selector, Values};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, entry) in subject.entries() {
        if let Some(selector) = &entry.selector {
            let place = format!("{place}.selector");
            findings.extend(contradictions(&place, selector));
            let there = yields::of(subject, entry);
            for key in required(selector) {
                if !there.has(key) {
                    findings.push(finding(
                        Level::Error,
                        place.clone(),
                        format!("it requires the parameter `{key}`, which is never yielded, so that it selects nothing"),
                        "correct the key; nested parameters are named by their path, such as metadata.labels.env",
                    ));
                }
            }
        }
        if let Some(clusters) = &entry.clusters
            && let Some(selector) = &clusters.selector
        {
            let place = format!("{place}.clusters.selector");
            findings.extend(contradictions(&place, selector));
            findings.extend(selects_no_cluster(subject, place, clusters, selector));
        }
    }
    findings
}

fn finding(level: Level, place: String, message: String, fix: &str) -> Finding {
    Finding {
        level,
        rule: "selector-matches-nothing",
        place,
        message,
        fix: fix.to_owned(),
    }
}

/// The keys without which it matches nothing.
fn required(selector: &LabelSelector) -> impl Iterator<Item = &str> {
    let labels = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    let expressions = expressions.filter(|one| matches!(one.operator.as_str(), "In" | "Exists"));
    labels
        .map(|(key, _)| key.as_str())
        .chain(expressions.map(|one| one.key.as_str()))
}

/// What is asked of one key.
#[derive(Default)]
struct Asked<'s> {
    /// The values of which it must have one.
    within: Option<Vec<&'s str>>,
    without: Vec<&'s str>,
    present: bool,
    absent: bool,
}

impl<'s> Asked<'s> {
    fn narrow(&mut self, values: Vec<&'s str>) {
        let narrowed = match self.within.take() {
            None => values,
            Some(before) => before
                .into_iter()
                .filter(|value| values.contains(value))
                .collect(),
        };
        self.within = Some(narrowed);
    }

    fn is_impossible(&self) -> bool {
        let needed = self.present || self.within.is_some();
        let none_left = self
            .within
            .as_ref()
            .is_some_and(|within| within.iter().all(|value| self.without.contains(value)));
        (self.absent && needed) || none_left
    }
}

fn contradictions(place: &str, selector: &LabelSelector) -> Vec<Finding> {
    let mut asked: BTreeMap<&str, Asked<'_>> = BTreeMap::new();
    for (key, value) in selector.match_labels.iter().flatten() {
        asked.entry(key).or_default().narrow(vec![value]);
    }
    for one in selector.match_expressions.iter().flatten() {
        let values = one.values.iter().flatten().map(String::as_str);
        let asked = asked.entry(&one.key).or_default();
        match one.operator.as_str() {
            "In" => asked.narrow(values.collect()),
            "NotIn" => asked.without.extend(values),
            "Exists" => asked.present = true,
            "DoesNotExist" => asked.absent = true,
            _ => {}
        }
    }
    let impossible = asked.into_iter().filter(|(_, asked)| asked.is_impossible());
    impossible
        .map(|(key, _)| {
            finding(
                Level::Error,
                place.to_owned(),
                format!(
                    "its requirements on `{key}` contradict each other, so that it selects nothing"
                ),
                "remove one of them",
            )
        })
        .collect()
}

fn selects_no_cluster(
    subject: &Subject<'_>,
    place: String,
    clusters: &ClusterGenerator,
    selector: &LabelSelector,
) -> Option<Finding> {
    // A generator that is rendered first has asked for something else, which is not judged.
    let request = Request::Clusters {
        generator: bare(clusters).ok()?,
    };
    let Some(Observed::Complete(answer)) = subject.facts.get(&request) else {
        return None;
    };
    let Answer::Clusters(selected) = answer.get() else {
        return None;
    };
    let compiled = Selector::new(selector, Values::Labels).ok()?;
    (selected.registered.is_empty() && !compiled.is_empty()).then(|| {
        finding(
            Level::Warning,
            place,
            "it selects none of the registered clusters".to_owned(),
            "correct it, or label the cluster Secrets; look at them with `argosy cluster list`",
        )
    })
}
