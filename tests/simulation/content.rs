//! What stands in the repository: directories of objects, each with a number that grows with every
//! commit that changes it, so that what a cluster has tells from which commit it is.

use std::collections::BTreeMap;

use argosy_test_support::manifest;
use serde_json::Value;

/// One file with one object.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) wave: i32,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Config,
    Deployment,
    Hook {
        phase: &'static str,
        policy: &'static str,
    },
}

impl Shape {
    pub(crate) fn api_version(self) -> &'static str {
        match self {
            Self::Config => "v1",
            Self::Deployment => "apps/v1",
            Self::Hook { .. } => "batch/v1",
        }
    }

    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Config => "ConfigMap",
            Self::Deployment => "Deployment",
            Self::Hook { .. } => "Job",
        }
    }

    pub(crate) fn is_hook(self) -> bool {
        matches!(self, Self::Hook { .. })
    }
}

/// A directory: items by name, with their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory(pub(crate) BTreeMap<String, (Item, u64)>);

impl Directory {
    pub(crate) fn add(&mut self, item: Item) {
        self.0.insert(item.name.clone(), (item, 0));
    }

    /// What has to live on a cluster, hooks left out.
    pub(crate) fn lasting(&self) -> impl Iterator<Item = (&Item, u64)> {
        let all = self.0.values().filter(|(item, _)| !item.shape.is_hook());
        all.map(|(item, number)| (item, *number))
    }

    /// How often a sync of it has something to tell on its way: of a deployment that it progresses
    /// and that it is healthy, of a hook that it ended.
    pub(crate) fn news(&self) -> usize {
        let told = |item: &Item| match item.shape {
            Shape::Config => 0,
            Shape::Deployment => 2,
            Shape::Hook { .. } => 1,
        };
        self.0.values().map(|(item, _)| told(item)).sum()
    }

    /// Its files.
    pub(crate) fn files(&self, place: &str) -> impl Iterator<Item = (String, String)> {
        self.0.values().map(move |(item, number)| {
            let path = format!("{place}/{}.yaml", item.name);
            (path, text(item, *number))
        })
    }
}

fn text(item: &Item, number: u64) -> String {
    let wave = format!("argocd.argoproj.io/sync-wave: '{}'", item.wave);
    match item.shape {
        Shape::Config => manifest::config(&item.name, &number.to_string(), &wave),
        Shape::Deployment => manifest::deployment(&item.name, &format!("web:{number}")).replace(
            &format!("{{name: {}}}\nspec", item.name),
            &format!("{{name: {}, annotations: {{{wave}}}}}\nspec", item.name),
        ),
        Shape::Hook { phase, policy } => {
            let more = if policy.is_empty() {
                String::new()
            } else {
                format!(", argocd.argoproj.io/hook-delete-policy: {policy}")
            };
            manifest::hook(&item.name, phase, &more).replace("job:1", &format!("job:{number}"))
        }
    }
}

/// The number of an object as it lives or is applied.
pub(crate) fn number(object: &Value) -> Option<u64> {
    let image = "/spec/template/spec/containers/0/image";
    let text = object
        .pointer("/data/a")
        .or_else(|| object.pointer(image))?;
    text.as_str()?.rsplit(':').next()?.parse().ok()
}
