//! Checks what depends on what: licences, banned packages, and the edges between our crates that
//! keep deciding apart from doing.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::licence;

/// Crates whose licence stands in a file and not in their manifest.
const CLARIFIED: [(&str, &str); 1] = [("libyaml-safer", "MIT")];

/// Packages that want more than attribution of whoever ships them. Tests may use them as they are;
/// these build the book of the documentation.
const FOR_TESTS: [&str; 8] = [
    "font-awesome-as-a-crate",
    "mdbook-core",
    "mdbook-driver",
    "mdbook-html",
    "mdbook-markdown",
    "mdbook-preprocessor",
    "mdbook-renderer",
    "mdbook-summary",
];

/// The package that we ship.
const SHIPPED: &str = "argosy";

/// Packages that must not be compiled in, and why.
const BANNED: [(&str, &str); 8] = [
    ("openssl-sys", "TLS is rustls with aws-lc-rs"),
    ("native-tls", "TLS is rustls with aws-lc-rs"),
    ("mockall", "seams are data or a tower service"),
    ("chrono", "time is jiff"),
    ("git2", "git is gix; libgit2 has RUSTSEC-2024-0013"),
    ("serde_yml", "it is unsound, RUSTSEC-2025-0068"),
    ("tokio-tar", "it is not mended, RUSTSEC-2025-0111"),
    ("yaml-rust", "it is left alone, RUSTSEC-2024-0320"),
];

/// The first version of packages in which what was found in them is mended.
const FLOORS: [(&str, [u64; 3], &str); 8] = [
    ("gix", [0, 84, 0], "CVE-2026-82253"),
    ("gix-submodule", [0, 29, 0], "CVE-2026-40034"),
    ("gix-url", [0, 37, 1], "CVE-2026-82247"),
    ("gix-transport", [0, 58, 1], "CVE-2026-82247"),
    ("gix-fs", [0, 24, 1], "CVE-2026-123532"),
    ("h2", [0, 4, 16], "RUSTSEC-2026-0258"),
    ("rustls-webpki", [0, 103, 13], "RUSTSEC-2026-0104"),
    ("tar", [0, 4, 45], "RUSTSEC-2026-0068"),
];

/// Crates that decide and never do: no runtime, no network, no client.
const PURE: [&str; 9] = [
    "argosy-crds",
    "argosy-engine",
    "argosy-facts",
    "argosy-generators",
    "argosy-glob",
    "argosy-gotemplate",
    "argosy-registry",
    "argosy-scm",
    "argosy-yaml",
];
/// What makes a crate impure.
const IMPURE: [&str; 8] = [
    "gix",
    "hyper",
    "kube",
    "kube-client",
    "kube-runtime",
    "reqwest",
    "rustls",
    "tokio",
];

/// Our crates by layer: one may depend on those of lower layers alone.
const LAYERS: [&[&str]; 6] = [
    &["argosy-crds", "argosy-facts", "argosy-glob", "argosy-yaml"],
    // Templates print YAML.
    &["argosy-gotemplate"],
    &[
        "argosy-engine",
        "argosy-generators",
        "argosy-registry",
        "argosy-render",
        "argosy-sim",
    ],
    // It answers what generators ask, in their terms.
    &["argosy-scm"],
    &["argosy", "argosy-test-support", "xtask"],
    &["argosy-bench"],
];

/// Fails with every violation found.
pub(crate) fn check() -> anyhow::Result<()> {
    let violations = Graph::load()?.violations();
    if !violations.is_empty() {
        bail!("{}", violations.join("\n"));
    }
    Ok(())
}

/// The packages that are compiled on this machine, and who needs whom outside tests and builds.
struct Graph {
    /// Name and licence by package id.
    packages: BTreeMap<String, (String, Option<String>)>,
    versions: BTreeMap<String, [u64; 3]>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn load() -> anyhow::Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let platform = host(&cargo)?;
        let output = Command::new(&cargo)
            .args([
                "metadata",
                "--format-version=1",
                "--locked",
                "--filter-platform",
                &platform,
            ])
            .current_dir(crate::root())
            .output()?;
        if !output.status.success() {
            bail!(
                "cargo metadata: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(Self::new(&serde_json::from_slice(&output.stdout)?))
    }

    fn new(metadata: &Value) -> Self {
        Self {
            packages: packages(metadata),
            versions: versions(metadata),
            edges: edges(metadata),
        }
    }

    fn violations(&self) -> Vec<String> {
        let found = self.licences().into_iter().chain(self.bans());
        let found = found.chain(self.floors());
        found.chain(self.purity()).chain(self.layers()).collect()
    }

    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.packages.get(id).map_or(id, |(name, _)| name)
    }

    fn licences(&self) -> Vec<String> {
        let unlicensed = |name: &str| CLARIFIED.iter().find(|(clarified, _)| *clarified == name);
        let shipped = self.shipped();
        let is_for_tests =
            |id: &&String| FOR_TESTS.contains(&self.name(id)) && !shipped.contains(*id);
        self.edges
            .keys()
            .filter(|id| !is_for_tests(id))
            .filter_map(|id| self.packages.get(id))
            .filter(|(name, licence)| {
                let licence = licence
                    .as_deref()
                    .or(unlicensed(name).map(|(_, licence)| *licence));
                !licence.is_some_and(licence::is_allowed)
            })
            .map(|(name, licence)| {
                format!(
                    "{name}: the licence {} is not on the list",
                    licence.as_deref().unwrap_or("(none)")
                )
            })
            .collect()
    }

    /// Everything that is compiled into what we ship.
    fn shipped(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let own = self.edges.keys().filter(|id| self.name(id) == SHIPPED);
        let mut next: Vec<_> = own.collect();
        while let Some(id) = next.pop() {
            if found.insert(id.clone()) {
                next.extend(self.edges.get(id).into_iter().flatten());
            }
        }
        found
    }

    fn bans(&self) -> Vec<String> {
        let is_built = |banned: &str| self.edges.keys().any(|id| self.name(id) == banned);
        let built = BANNED.iter().filter(|(banned, _)| is_built(banned));
        built
            .map(|(banned, reason)| format!("{banned} is banned: {reason}"))
            .collect()
    }

    fn floors(&self) -> Vec<String> {
        let built = self.edges.keys().filter_map(|id| {
            let floor = FLOORS.iter().find(|(name, ..)| *name == self.name(id))?;
            Some((floor, self.versions.get(id)?))
        });
        built
            .filter(|((_, floor, _), version)| *version < floor)
            .map(|((name, floor, advisory), version)| {
                let shown = |[major, minor, patch]: [u64; 3]| format!("{major}.{minor}.{patch}");
                format!(
                    "{name} {} is older than {}, which mends {advisory}",
                    shown(*version),
                    shown(*floor)
                )
            })
            .collect()
    }

    /// Every way in which a pure crate reaches something impure.
    fn purity(&self) -> Vec<String> {
        let pure = self.edges.keys().filter(|id| PURE.contains(&self.name(id)));
        pure.filter_map(|id| {
            let path = self.path_to_impure(id, &mut BTreeSet::new())?;
            Some(format!(
                "{} must stay pure: {}",
                self.name(id),
                path.join(" → ")
            ))
        })
        .collect()
    }

    fn path_to_impure(&self, id: &str, seen: &mut BTreeSet<String>) -> Option<Vec<String>> {
        let name = self.name(id).to_owned();
        if IMPURE.contains(&name.as_str()) {
            return Some(vec![name]);
        }
        if !seen.insert(id.to_owned()) {
            return None;
        }
        let needed = self.edges.get(id)?;
        let path = needed
            .iter()
            .find_map(|needed| self.path_to_impure(needed, seen))?;
        Some(std::iter::once(name).chain(path).collect())
    }

    fn layers(&self) -> Vec<String> {
        let layer = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
        let mut violations = Vec::new();
        for (id, needed) in &self.edges {
            let name = self.name(id);
            if !id.starts_with("path+") {
                continue;
            }
            let Some(own) = layer(name) else {
                violations.push(format!(
                    "{name} has no layer: give it one in xtask/src/dependencies.rs"
                ));
                continue;
            };
            let names = needed.iter().map(|needed| self.name(needed));
            for lower in names.filter(|needed| layer(needed).is_some_and(|layer| layer >= own)) {
                violations.push(format!(
                    "{name} must not depend on {lower}: it is no lower layer"
                ));
            }
        }
        violations
    }
}

fn host(cargo: &std::ffi::OsStr) -> anyhow::Result<String> {
    let output = Command::new(cargo).arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("cargo -vV names the host")?.to_owned())
}

fn packages(metadata: &Value) -> BTreeMap<String, (String, Option<String>)> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let entry = |package: &Value| {
        let text = |key: &str| package[key].as_str().map(str::to_owned);
        Some((text("id")?, (text("name")?, text("license"))))
    };
    packages.filter_map(entry).collect()
}

/// The versions of packages, without what follows the three numbers.
fn versions(metadata: &Value) -> BTreeMap<String, [u64; 3]> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let entry = |package: &Value| {
        let version = package["version"].as_str()?.split(['-', '+']).next()?;
        let numbers: Vec<_> = version
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        Some((package["id"].as_str()?.to_owned(), numbers.try_into().ok()?))
    };
    packages.filter_map(entry).collect()
}

/// The edges of normal dependencies between all packages that are compiled.
fn edges(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    let is_normal = |dependency: &&Value| {
        dependency["dep_kinds"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    };
    let entry = |node: &Value| {
        let needed = node["deps"].as_array()?.iter().filter(is_normal);
        let needed = needed.filter_map(|dependency| dependency["pkg"].as_str().map(str::to_owned));
        Some((node["id"].as_str()?.to_owned(), needed.collect()))
    };
    nodes.filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Graph;

    /// What cargo says of packages, each with its licence and its normal dependencies.
    fn metadata(packages: &[(&str, &str, &[&str])]) -> Value {
        let id = |name: &str| {
            let ours = name.starts_with("argosy");
            format!(
                "{}+https://example.com#{name}@1",
                if ours { "path" } else { "registry" }
            )
        };
        let listed = packages
            .iter()
            .map(|(name, licence, _)| json!({"id": id(name), "name": name, "license": licence, "version": "0.84.1-rc.1"}));
        let nodes = packages.iter().map(|(name, _, needed)| {
            let needed = needed
                .iter()
                .map(|needed| json!({"pkg": id(needed), "dep_kinds": [{"kind": null}]}));
            json!({"id": id(name), "deps": needed.collect::<Vec<_>>()})
        });
        json!({
            "packages": listed.collect::<Vec<_>>(),
            "resolve": {"nodes": nodes.collect::<Vec<_>>()},
        })
    }

    #[track_caller]
    fn check(packages: &[(&str, &str, &[&str])], expected: &[&str]) {
        assert_eq!(Graph::new(&metadata(packages)).violations(), expected);
    }

    #[test]
    fn each_kind_of_violation_is_named() {
        check(
            &[
                ("argosy-engine", "MIT", &["argosy-crds"]),
                ("argosy-crds", "MIT", &[]),
            ],
            &[],
        );
        check(
            &[
                ("argosy-engine", "MIT", &["quick"]),
                ("quick", "MIT", &["tokio"]),
                ("tokio", "MIT", &[]),
            ],
            &["argosy-engine must stay pure: argosy-engine → quick → tokio"],
        );
        check(
            &[
                ("argosy-crds", "MIT", &["argosy-engine"]),
                ("argosy-engine", "MIT", &[]),
            ],
            &["argosy-crds must not depend on argosy-engine: it is no lower layer"],
        );
        check(
            &[("greedy", "GPL-3.0-only", &[])],
            &["greedy: the licence GPL-3.0-only is not on the list"],
        );
        let book = ("mdbook-driver", "MPL-2.0", &[][..]);
        check(&[("argosy", "Apache-2.0", &[]), book], &[]);
        check(
            &[("argosy", "Apache-2.0", &["mdbook-driver"]), book],
            &["mdbook-driver: the licence MPL-2.0 is not on the list"],
        );
        check(
            &[("chrono", "MIT", &[])],
            &["chrono is banned: time is jiff"],
        );
        check(&[("gix", "MIT", &[])], &[]);
        check(
            &[("rustls-webpki", "MIT", &[])],
            &["rustls-webpki 0.84.1 is older than 0.103.13, which mends RUSTSEC-2026-0104"],
        );
        check(
            &[("argosy-new", "MIT", &[])],
            &["argosy-new has no layer: give it one in xtask/src/dependencies.rs"],
        );
    }
}
