//! What `argocd-cm` says about kinds: health scripts, actions, ignore rules, known types.
//!
//! Both spellings are read, the single `resource.customizations` map and the split keys
//! `resource.customizations.<what>.<group>_<kind>`; a split key wins. This module reads settings and
//! applies none.

mod compare_options;

use std::collections::BTreeMap;

use argosy_glob::gobwas;
use serde::Deserialize;
use serde_json::Value;

pub use compare_options::{CompareOptions, StatusFields};

use crate::health::group_version_kind;

const PREFIX: &str = "resource.customizations";
const COMPARE_OPTIONS: &str = "resource.compareoptions";

/// Why settings could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key's value is no YAML of the expected shape.
    #[error("cannot read `{key}` of argocd-cm: {problem}")]
    Unreadable {
        /// The ConfigMap's key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// A key names no customisation.
    #[error(
        "`{key}` of argocd-cm names no customization; use health, useOpenLibs, actions, ignoreDifferences, ignoreResourceUpdates or knownTypeFields, and a kind as group_Kind"
    )]
    UnknownKey {
        /// The ConfigMap's key.
        key: String,
    },
}

/// Paths that one rule ignores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IgnoredPaths {
    /// RFC 6901 pointers.
    pub json_pointers: Vec<String>,
    /// jq paths.
    pub jq_path_expressions: Vec<String>,
    /// Field managers whose fields are ignored.
    pub managed_fields_managers: Vec<String>,
}

/// A field of a custom kind that holds a well-known type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct KnownTypeField {
    /// Where, in dots; lists are gone through.
    pub field: String,
    /// `core/v1/PodSpec`, `core/Quantity`, `meta/v1/Duration` and the like.
    #[serde(rename = "type")]
    pub of: String,
}

/// The settings for one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// Lua that tells health; empty for none.
    pub health_lua: String,
    /// Whether the health script may use all of Lua's libraries that the sandbox has.
    pub use_open_libs: bool,
    /// Actions as YAML; empty for none.
    pub actions: String,
    /// What a comparison ignores.
    pub ignore_differences: IgnoredPaths,
    /// What does not wake a refresh.
    pub ignore_resource_updates: IgnoredPaths,
    /// Fields of well-known types.
    pub known_type_fields: Vec<KnownTypeField>,
}

/// All settings for kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// By `group/Kind` as written, `Kind` for the core group, with globs.
    kinds: BTreeMap<String, Override>,
    options: CompareOptions,
}

impl Overrides {
    /// Reads the data of `argocd-cm`; keys of other concerns are passed over.
    pub fn from_config_map(data: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut kinds = match data.get(PREFIX) {
            Some(text) => read_legacy(text)?,
            None => BTreeMap::new(),
        };
        for (key, text) in data {
            let Some(rest) = key
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.strip_prefix('.'))
            else {
                continue;
            };
            read_split(key, rest, text, &mut kinds)?;
        }
        let options = match data.get(COMPARE_OPTIONS) {
            Some(text) => typed(COMPARE_OPTIONS, text)?,
            None => CompareOptions::default(),
        };
        Ok(Self { kinds, options })
    }

    /// How comparisons treat what is common to kinds.
    pub fn compare_options(&self) -> &CompareOptions {
        &self.options
    }

    /// Every setting, by its key as written with `_` turned to `/`.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &Override)> {
        self.kinds.iter().map(|(key, one)| (key.as_str(), one))
    }

    /// The health script for an object and whether it may use the open libraries: the exact kind's,
    /// else the first pattern's.
    pub fn health_script(&self, object: &Value) -> Option<(&str, bool)> {
        let key = key_of(object);
        let exact = self.kinds.get(&key);
        let found = exact.filter(|one| !one.health_lua.is_empty()).or_else(|| {
            self.kinds
                .iter()
                .filter(|(_, one)| !one.health_lua.is_empty())
                .find(|(pattern, _)| gobwas::matches(pattern, &key, &[]))
                .map(|(_, one)| one)
        })?;
        Some((&found.health_lua, found.use_open_libs))
    }

    /// The actions that settings give an object's kind, as YAML.
    pub fn actions(&self, object: &Value) -> Option<&str> {
        let one = self.kinds.get(&key_of(object))?;
        (!one.actions.is_empty()).then_some(one.actions.as_str())
    }

    /// Fields of an object's kind that hold well-known types.
    pub fn known_type_fields<'a>(&'a self, object: &Value) -> &'a [KnownTypeField] {
        self.kinds
            .get(&key_of(object))
            .map_or(&[], |one| &one.known_type_fields)
    }
}

/// `group/Kind`, or the kind alone in the core group.
fn key_of(object: &Value) -> String {
    match group_version_kind(object) {
        ("", _, kind) => kind.to_owned(),
        (group, _, kind) => format!("{group}/{kind}"),
    }
}

/// Group and kind patterns of a key; `None` for a key that is neither `Kind` nor `group/Kind`.
pub(crate) fn patterns(key: &str) -> Option<(&str, &str)> {
    let mut parts = key.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(kind), None, None) => Some(("", kind)),
        (Some(group), Some(kind), None) => Some((group, kind)),
        _ => None,
    }
}

fn typed<T: serde::de::DeserializeOwned + Default>(key: &str, text: &str) -> Result<T, Error> {
    let unreadable = |problem: String| Error::Unreadable {
        key: key.to_owned(),
        problem,
    };
    let value = argosy_yaml::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    if value.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Legacy {
    #[serde(rename = "health.lua")]
    health_lua: String,
    #[serde(rename = "health.lua.useOpenLibs")]
    use_open_libs: bool,
    actions: String,
    #[serde(rename = "ignoreDifferences")]
    ignore_differences: String,
    #[serde(rename = "ignoreResourceUpdates")]
    ignore_resource_updates: String,
    #[serde(rename = "knownTypeFields")]
    known_type_fields: Vec<KnownTypeField>,
}

fn read_legacy(text: &str) -> Result<BTreeMap<String, Override>, Error> {
    let all: BTreeMap<String, Legacy> = typed(PREFIX, text)?;
    all.into_iter()
        .map(|(kind, one)| {
            let within = format!("{PREFIX}[{kind}]");
            let read = Override {
                health_lua: one.health_lua,
                use_open_libs: one.use_open_libs,
                actions: one.actions,
                ignore_differences: typed(&within, &one.ignore_differences)?,
                ignore_resource_updates: typed(&within, &one.ignore_resource_updates)?,
                known_type_fields: one.known_type_fields,
            };
            Ok((kind, read))
        })
        .collect()
}

fn read_split(
    key: &str,
    rest: &str,
    text: &str,
    kinds: &mut BTreeMap<String, Override>,
) -> Result<(), Error> {
    let unknown = || Error::UnknownKey {
        key: key.to_owned(),
    };
    let (what, kind) = rest.split_once('.').ok_or_else(unknown)?;
    let all = kind == "all" && what.starts_with("ignore");
    let name = match kind.split('_').collect::<Vec<_>>()[..] {
        _ if all => "*/*".to_owned(),
        [kind] => kind.to_owned(),
        [group, kind] => format!("{group}/{kind}"),
        _ => return Err(unknown()),
    };
    let one = kinds.entry(name).or_default();
    match what {
        "health" => text.clone_into(&mut one.health_lua),
        "useOpenLibs" => {
            one.use_open_libs = text.trim().parse().map_err(|_| Error::Unreadable {
                key: key.to_owned(),
                problem: format!("`{text}` is neither true nor false"),
            })?;
        }
        "actions" => text.clone_into(&mut one.actions),
        "ignoreDifferences" => one.ignore_differences = typed(key, text)?,
        "ignoreResourceUpdates" => one.ignore_resource_updates = typed(key, text)?,
        "knownTypeFields" => one.known_type_fields = typed(key, text)?,
        _ => return Err(unknown()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Overrides {
        let data = pairs
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect();
        Overrides::from_config_map(&data).expect("readable settings")
    }

    #[test]
    fn an_exact_kind_wins_over_a_pattern() {
        let overrides = read(&[
            ("resource.customizations.health.*.io_*", "return 1"),
            ("resource.customizations.health.b.io_Thing", "return 2"),
        ]);
        let of = |kind| json!({"apiVersion": "b.io/v1", "kind": kind});
        assert_eq!(
            overrides.health_script(&of("Thing")).map(|one| one.0),
            Some("return 2")
        );
        assert_eq!(
            overrides.health_script(&of("Other")).map(|one| one.0),
            Some("return 1")
        );
    }

    #[test]
    fn an_unknown_customisation_is_refused_by_name() {
        let data = BTreeMap::from([(
            "resource.customizations.helth.Pod".to_owned(),
            String::new(),
        )]);
        let error = Overrides::from_config_map(&data).expect_err("helth");
        assert!(
            error
                .to_string()
                .contains("resource.customizations.helth.Pod")
        );
    }
}
