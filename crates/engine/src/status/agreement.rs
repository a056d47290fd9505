//! Where two controllers that look at the same application disagree.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::ApplicationStatus;
use argosy_crds::application::ResourceStatus;
use argosy_crds::codes::SyncStatusCode;
use serde::Serialize;

use crate::object::ResourceKey;

/// One thing on which two statuses disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// What it is about: `revision`, `sync`, `health`, or those of a resource.
    pub about: String,
    /// What the other controller says.
    pub theirs: String,
    /// What this one says.
    pub ours: String,
    /// Whether this one is sure of it. It is not of a difference that a dry run might clear.
    pub certain: bool,
}

/// Where `ours` differs from `theirs` in what users act on: revisions, sync status and health, of the
/// whole and of each resource. Of `suspects` only a dry run could tell whether they differ. Argo CD
/// need not keep the health of resources.
pub fn disagreements(
    theirs: &ApplicationStatus,
    ours: &ApplicationStatus,
    suspects: &BTreeSet<ResourceKey>,
) -> Vec<Disagreement> {
    let mut all = Vec::new();
    let mut compare = |certain: bool, about: String, theirs: String, ours: String| {
        if theirs != ours {
            all.push(Disagreement {
                about,
                theirs,
                ours,
                certain,
            });
        }
    };
    compare(
        true,
        "revision".to_owned(),
        revisions(theirs),
        revisions(ours),
    );
    let syncs = [theirs, ours].map(|status| status.sync.status.to_string());
    let [their, our] = syncs;
    compare(
        !only_suspects(ours, suspects),
        "sync".to_owned(),
        their,
        our,
    );
    let of_whole = |status: &ApplicationStatus| word(status.health.status);
    compare(true, "health".to_owned(), of_whole(theirs), of_whole(ours));
    let (theirs, ours) = (resources(theirs), resources(ours));
    let keys: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    for key in keys {
        let (Some(their), Some(our)) = (theirs.get(key), ours.get(key)) else {
            let listed = |is: bool| if is { "listed" } else { "not listed" }.to_owned();
            let (their, our) = (theirs.contains_key(key), ours.contains_key(key));
            compare(true, key.to_string(), listed(their), listed(our));
            continue;
        };
        let certain = !suspects.contains(key);
        let statuses = (word(their.status), word(our.status));
        compare(certain, format!("{key} sync"), statuses.0, statuses.1);
        let health = |one: &ResourceStatus| one.health.as_ref().and_then(|health| health.status);
        if let Some(their) = health(their) {
            compare(
                true,
                format!("{key} health"),
                their.to_string(),
                word(health(our)),
            );
        }
    }
    all
}

/// Whether nothing else keeps the application from being in sync.
fn only_suspects(status: &ApplicationStatus, suspects: &BTreeSet<ResourceKey>) -> bool {
    let all = resources(status);
    let mut differing = all
        .iter()
        .filter(|(_, one)| one.status == Some(SyncStatusCode::OutOfSync))
        .map(|(key, _)| key);
    status.sync.status == SyncStatusCode::OutOfSync
        && !suspects.is_empty()
        && differing.all(|key| suspects.contains(key))
}

fn revisions(status: &ApplicationStatus) -> String {
    let sync = &status.sync;
    if sync.revisions.is_empty() {
        sync.revision.clone()
    } else {
        sync.revisions.join(", ")
    }
}

fn resources(status: &ApplicationStatus) -> BTreeMap<ResourceKey, &ResourceStatus> {
    let all = status.resources.iter();
    all.map(|one| {
        let key = ResourceKey::new(&one.group, &one.kind, &one.namespace, &one.name);
        (key, one)
    })
    .collect()
}

fn word(code: Option<impl ToString>) -> String {
    code.map_or_else(|| "none".to_owned(), |code| code.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn status(sync: &str, health: &str, resources: &Value) -> ApplicationStatus {
        serde_json::from_value(json!({
            "sync": {"status": sync, "revision": "a"}, "health": {"status": health},
            "resources": resources,
        }))
        .unwrap()
    }

    fn map(name: &str, sync: &str) -> Value {
        json!({"version": "v1", "kind": "ConfigMap", "namespace": "web", "name": name, "status": sync})
    }

    fn told(
        theirs: &ApplicationStatus,
        ours: &ApplicationStatus,
        suspects: &[&str],
    ) -> Vec<String> {
        let key = |name: &&str| ResourceKey::new("", "ConfigMap", "web", *name);
        let all = disagreements(theirs, ours, &suspects.iter().map(key).collect());
        all.into_iter()
            .map(|one| {
                let doubt = if one.certain { "" } else { "?" };
                format!("{}: {} {}{doubt}", one.about, one.theirs, one.ours)
            })
            .collect()
    }

    fn key(name: &str) -> ResourceKey {
        ResourceKey::new("", "ConfigMap", "web", name)
    }

    #[test]
    fn who_says_the_same_agrees_with_or_without_the_health_of_resources() {
        let theirs = status("Synced", "Healthy", &json!([map("a", "Synced")]));
        let mut one = map("a", "Synced");
        one["health"] = json!({"status": "Healthy"});
        let ours = status("Synced", "Healthy", &json!([one]));
        assert_eq!(told(&theirs, &ours, &[]), Vec::<String>::new());
        let lost = format!("{} health: Healthy none", key("a"));
        assert_eq!(told(&ours, &theirs, &[]), [lost]);
    }

    #[test]
    fn every_verdict_that_differs_is_told_with_both_words() {
        let maps = json!([map("a", "Synced"), map("b", "Synced")]);
        let theirs = status("Synced", "Healthy", &maps);
        let maps = json!([map("a", "OutOfSync"), map("c", "Synced")]);
        let mut ours = status("OutOfSync", "Degraded", &maps);
        ours.sync.revision = "b".to_owned();
        let wanted = [
            "revision: a b".to_owned(),
            "sync: Synced OutOfSync".to_owned(),
            "health: Healthy Degraded".to_owned(),
            format!("{} sync: Synced OutOfSync", key("a")),
            format!("{}: listed not listed", key("b")),
            format!("{}: not listed listed", key("c")),
        ];
        assert_eq!(told(&theirs, &ours, &[]), wanted);
    }

    #[test]
    fn what_a_dry_run_might_clear_is_uncertain_unless_more_differs() {
        let all = |a: &str, b: &str| {
            let whole = if a == b && b == "Synced" {
                "Synced"
            } else {
                "OutOfSync"
            };
            status(whole, "Healthy", &json!([map("a", a), map("b", b)]))
        };
        let (theirs, ours) = (all("Synced", "Synced"), all("OutOfSync", "Synced"));
        let of_a = format!("{} sync: Synced OutOfSync?", key("a"));
        assert_eq!(
            told(&theirs, &ours, &["a"]),
            ["sync: Synced OutOfSync?".to_owned(), of_a.clone()]
        );
        let of_b = format!("{} sync: Synced OutOfSync", key("b"));
        assert_eq!(
            told(&theirs, &all("OutOfSync", "OutOfSync"), &["a"]),
            ["sync: Synced OutOfSync".to_owned(), of_a, of_b]
        );
        assert_eq!(told(&ours, &ours, &["a"]), Vec::<String>::new());
    }
}
