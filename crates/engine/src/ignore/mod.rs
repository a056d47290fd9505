//! Differences that somebody asked to be left alone.
//!
//! Rules come from `spec.ignoreDifferences` and from `argocd-cm`; each names fields by JSON pointer,
//! jq path or field manager. Removing them from both sides is all this module does: it never judges
//! what remains.

mod jq;
mod managers;
mod pointer;

use argosy_crds::application::ResourceIgnoreDifferences;
use argosy_glob::gobwas::Glob;
use serde_json::Value;

use crate::object::ObjectExt;
use crate::overrides::{CompareOptions, IgnoredPaths, Overrides, StatusFields, patterns};
use jq::PathExpression;

/// Why a rule cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Error {
    /// A jq path expression is wrong or takes too long.
    #[error(
        "cannot use jq path expression `{expression}` of the ignore rule for {kind}: {problem}"
    )]
    Jq {
        /// The expression.
        expression: String,
        /// The kind that the rule is for.
        kind: String,
        /// What is wrong.
        problem: String,
    },
}

/// The places in `value` that a jq path expression finds, as JSON pointers.
///
/// # Errors
/// What is wrong with the expression.
pub fn pointers(expression: &str, value: &Value) -> Result<Vec<String>, String> {
    PathExpression::compile(expression)?.pointers(value)
}

/// A rule, ready for use.
#[derive(Debug)]
struct Rule {
    group: Glob,
    kind: Glob,
    name: String,
    namespace: String,
    pointers: Vec<Vec<String>>,
    expressions: Vec<Expression>,
    managers: Vec<String>,
    /// The group and kind that it is for, as they are written.
    of: String,
    label: String,
}

/// A jq path expression, or what is wrong with it.
#[derive(Debug)]
struct Expression {
    text: String,
    compiled: Result<PathExpression, String>,
}

/// What rules made of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The places of the rules that removed something.
    pub by: Vec<usize>,
    /// What is wrong with those that are for the object and could not be used.
    pub flaws: Vec<Error>,
}

/// All rules that concern an application. A part of a rule that cannot be used is known, and all
/// others are in force; of the objects that it is for nobody can tell what differs.
#[derive(Debug, Default)]
pub struct Ignore {
    rules: Vec<Rule>,
    /// How many of them, from the first, are the application's own.
    own: usize,
}

impl Ignore {
    /// Prepares the application's rules, the system's, and what `resource.compareoptions` implies.
    pub fn new(own: &[ResourceIgnoreDifferences], system: &Overrides) -> Self {
        let mut rules = Vec::new();
        for one in own {
            let paths = IgnoredPaths {
                json_pointers: one.json_pointers.clone(),
                jq_path_expressions: one.jq_path_expressions.clone(),
                managed_fields_managers: one.managed_fields_managers.clone(),
            };
            if let Some(mut rule) = prepare(&one.group, &one.kind, &paths) {
                rule.name.clone_from(&one.name);
                rule.namespace.clone_from(&one.namespace);
                rule.label = label(one);
                rules.push(rule);
            }
        }
        let own = rules.len();
        for (key, settings) in system.kinds() {
            if settings.ignore_differences == IgnoredPaths::default() {
                continue;
            }
            if let Some((group, kind)) = patterns(key) {
                rules.extend(prepare(group, kind, &settings.ignore_differences));
            }
        }
        rules.extend(status_rule(system.compare_options()));
        Self { rules, own }
    }

    /// Prepares the system's rules for updates of live objects that are nobody's business, and, unless
    /// `resource.compareoptions` says otherwise, what no comparison looks at.
    pub fn of_updates(system: &Overrides) -> Self {
        let mut rules = Vec::new();
        let too = system
            .compare_options()
            .ignore_differences_on_resource_updates;
        for (key, settings) in system.kinds() {
            let Some((group, kind)) = patterns(key) else {
                continue;
            };
            let differences = too.then_some(&settings.ignore_differences);
            for paths in differences
                .into_iter()
                .chain([&settings.ignore_resource_updates])
            {
                if *paths != IgnoredPaths::default() {
                    rules.extend(prepare(group, kind, paths));
                }
            }
        }
        Self { rules, own: 0 }
    }

    /// The same rules, if each of them can be used.
    ///
    /// # Errors
    /// What is wrong with the first that cannot.
    pub fn checked(self) -> Result<Self, Error> {
        let flaw = self.flaws().into_iter().next();
        flaw.map_or(Ok(self), Err)
    }

    /// What is wrong with rules, whatever the objects.
    pub fn flaws(&self) -> Vec<Error> {
        let flaws = self.rules.iter().flat_map(|rule| {
            let expressions = rule.expressions.iter();
            expressions.filter_map(|one| Some(rule.flaw(one, one.compiled.as_ref().err()?)))
        });
        flaws.collect()
    }

    /// Removes from a live object what the rules name.
    pub fn remove_from_live(&self, live: &mut Value) {
        let matching: Vec<&Rule> = self.matching(live).map(|(_, rule)| rule).collect();
        for rule in matching {
            // What cannot be used ignores nothing.
            rule.remove_from(live, &mut Vec::new());
            managers::remove_all(&rule.managers, live);
        }
    }

    /// Whether any rule is for this object.
    pub fn concerns(&self, object: &Value) -> bool {
        self.matching(object).next().is_some()
    }

    /// Removes from both states what the rules name.
    pub fn remove(&self, desired: &mut Value, live: &mut Value) -> Removed {
        let matching: Vec<(usize, &Rule)> = self.matching(live).collect();
        let mut all = Removed {
            by: self.remove_managed(desired, live),
            flaws: Vec::new(),
        };
        for (at, rule) in &matching {
            let mut removed = false;
            for state in [&mut *desired, &mut *live] {
                removed |= rule.remove_from(state, &mut all.flaws);
            }
            if removed {
                all.by.push(*at);
            }
        }
        all.flaws.dedup();
        all
    }

    /// Removes from both states what trusted field managers own and what differs, and returns the
    /// places of the rules that removed something.
    pub fn remove_managed(&self, desired: &mut Value, live: &mut Value) -> Vec<usize> {
        let matching: Vec<(usize, &Rule)> = self.matching(live).collect();
        matching
            .into_iter()
            .filter(|(_, rule)| managers::remove(&rule.managers, desired, live))
            .map(|(at, _)| at)
            .collect()
    }

    /// Removes from one state what pointers and jq paths name.
    ///
    /// # Errors
    /// The first rule that could not be used.
    pub fn remove_from(&self, state: &mut Value) -> Result<(), Error> {
        let matching: Vec<&Rule> = self.matching(state).map(|(_, rule)| rule).collect();
        let mut flaws = Vec::new();
        for rule in matching {
            rule.remove_from(state, &mut flaws);
        }
        flaws.into_iter().next().map_or(Ok(()), Err)
    }

    /// The application's own rules, described for people, in the order of their places.
    pub fn own_rules(&self) -> impl Iterator<Item = &str> {
        self.rules[..self.own]
            .iter()
            .map(|rule| rule.label.as_str())
    }

    fn matching(&self, object: &Value) -> impl Iterator<Item = (usize, &Rule)> {
        self.rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.concerns(object))
    }
}

impl Rule {
    fn concerns(&self, object: &Value) -> bool {
        self.group.is_match(object.group())
            && self.kind.is_match(object.kind())
            && (self.name.is_empty() || self.name == object.name())
            && (self.namespace.is_empty() || self.namespace == object.namespace())
    }

    fn remove_from(&self, state: &mut Value, flaws: &mut Vec<Error>) -> bool {
        let mut removed = false;
        for pointer in &self.pointers {
            removed |= pointer::remove(state, pointer);
        }
        for expression in &self.expressions {
            let compiled = expression.compiled.as_ref().map_err(Clone::clone);
            match compiled.and_then(|compiled| compiled.remove_from(state)) {
                Ok(any) => removed |= any,
                Err(problem) => flaws.push(self.flaw(expression, &problem)),
            }
        }
        removed
    }

    fn flaw(&self, expression: &Expression, problem: &str) -> Error {
        Error::Jq {
            expression: expression.text.clone(),
            kind: self.of.clone(),
            problem: problem.to_owned(),
        }
    }
}

/// A rule as a person knows it again.
fn label(rule: &ResourceIgnoreDifferences) -> String {
    let mut label = match rule.group.as_str() {
        "" => rule.kind.clone(),
        group => format!("{group}/{}", rule.kind),
    };
    for part in [&rule.namespace, &rule.name] {
        if !part.is_empty() {
            label.push(' ');
            label.push_str(part);
        }
    }
    let managers = rule.managed_fields_managers.iter();
    let managers = managers.map(|manager| format!("fields of {manager}"));
    let paths = rule.json_pointers.iter().chain(&rule.jq_path_expressions);
    let named: Vec<_> = paths.cloned().chain(managers).collect();
    format!("{label}: {}", named.join(", "))
}

/// `None` for a rule whose patterns are no globs: it matches nothing, as in Argo CD.
fn prepare(group: &str, kind: &str, paths: &IgnoredPaths) -> Option<Rule> {
    let label = format!("{group}/{kind}");
    let expressions = paths.jq_path_expressions.iter();
    let expressions = expressions.map(|text| Expression {
        text: text.clone(),
        compiled: PathExpression::compile(text),
    });
    let (Ok(group), Ok(kind)) = (Glob::compile(group, &[]), Glob::compile(kind, &[])) else {
        return None;
    };
    Some(Rule {
        group,
        kind,
        name: String::new(),
        namespace: String::new(),
        pointers: paths
            .json_pointers
            .iter()
            .filter_map(|text| pointer::parse(text))
            .collect(),
        expressions: expressions.collect(),
        managers: paths.managed_fields_managers.clone(),
        of: label.clone(),
        label,
    })
}

fn status_rule(options: &CompareOptions) -> Option<Rule> {
    let (group, kind, pointers) = match options.ignore_resource_status_field {
        StatusFields::All => ("*", "*", vec!["/status".to_owned()]),
        StatusFields::Crd => (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            vec![
                "/status".to_owned(),
                "/spec/preserveUnknownFields".to_owned(),
            ],
        ),
        StatusFields::None => return None,
    };
    prepare(
        group,
        kind,
        &IgnoredPaths {
            json_pointers: pointers,
            ..IgnoredPaths::default()
        },
    )
}
