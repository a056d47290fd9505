//! `examples/fleet` expands to the applications that its README promises, all of them permitted.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const FLEET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/fleet");
const URL: &str = "https://git.example.com/platform/fleet.git";

/// The cluster Secrets of three clusters, labelled as the README says.
fn secrets() -> String {
    let clusters = [
        ("dev", "standard"),
        ("staging", "critical"),
        ("prod", "critical"),
    ];
    let mut text = String::new();
    for (name, tier) in clusters {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: argocd\n  labels:\n    \
             argocd.argoproj.io/secret-type: cluster\n    env: {name}\n    tier: {tier}\n\
             stringData:\n  name: {name}\n  server: https://{name}.example.com\n  config: '{{}}'\n"
        );
    }
    text
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(Path::new(FLEET).join(folder)).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_set_makes_its_applications_and_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("fleet");
    run(Command::new("cp").args(["-r", FLEET]).arg(&tree));
    let git = || {
        let mut git = Command::new("git");
        git.arg("-C")
            .arg(&tree)
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
        git
    };
    run(git().args(["init", "--quiet", "--initial-branch=main"]));
    run(git().args(["add", "--all"]));
    run(git().args([
        "-c",
        "commit.gpgsign=false",
        "commit",
        "--quiet",
        "--message=fleet",
    ]));
    let (secrets_file, projects_file) =
        (folder.path().join("s.yaml"), folder.path().join("p.yaml"));
    std::fs::write(&secrets_file, secrets()).unwrap();
    let projects = files("platform/projects");
    let projects = projects
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap());
    std::fs::write(&projects_file, projects.collect::<Vec<_>>().join("\n---\n")).unwrap();

    let mut made = BTreeMap::new();
    for set in files("platform/sets") {
        let mut generate = Command::new(env!("CARGO_BIN_EXE_argosy"));
        generate
            .args([
                "appset",
                "generate",
                "--offline",
                "--validate",
                "--output=json",
            ])
            .arg(&set)
            .arg("--projects")
            .arg(&projects_file)
            .arg("--cluster-secrets")
            .arg(&secrets_file)
            .arg("--repo")
            .arg(format!("{URL}={}", tree.display()));
        let answer: Value = serde_json::from_str(&run(&mut generate)).unwrap();
        let refused = answer["invalid"].as_object();
        assert!(refused.is_none_or(serde_json::Map::is_empty), "{answer:#}");
        let applications = answer["applications"].as_array().unwrap();
        for application in applications {
            let path = application["spec"]["source"]["path"].as_str().unwrap();
            assert!(tree.join(path).is_dir(), "{path}");
        }
        let name = set.file_stem().unwrap().to_str().unwrap().to_owned();
        made.insert(name, applications.len());
    }
    let promised = [
        ("backup", 2),
        ("ingress", 3),
        ("metrics-agent", 3),
        ("orders", 3),
        ("tenants", 9),
        ("tools", 3),
    ];
    let promised = promised.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(made, BTreeMap::from(promised));
}
