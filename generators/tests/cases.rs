//! ApplicationSets against the Applications that Argo CD generates from them.

mod repositories;
mod same;

use std::collections::BTreeMap;

use argosy_generators::offline::{World, clusters, generate, read_set};
use argosy_generators::validate::validate;
use argosy_generators::{Globbing, Settings};
use repositories::Repositories;
use serde_json::{Value, json};

/// More than two children of a matrix are allowed here.
const DELIBERATE: &[&str] = &["as-208"];

fn cases() -> Vec<Value> {
    let folder = std::env::var("ARGOSY_CASES")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases").to_owned());
    let mut cases = Vec::new();
    for file in std::fs::read_dir(format!("{folder}/appset")).expect("the cases are readable") {
        let path = file.expect("the folder is readable").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            let text = std::fs::read_to_string(path).expect("the cases are readable");
            cases.extend(
                text.lines()
                    .map(|line| serde_json::from_str::<Value>(line).expect("a case is JSON")),
            );
        }
    }
    cases
}

/// What the command line would print, or the error.
fn run(input: &Value) -> Result<Value, String> {
    let set = argosy_yaml::from_str(input["applicationset"].as_str().unwrap_or_default())
        .map_err(|error| error.to_string())?;
    let set = read_set(set)?;
    let secrets: Vec<Value> =
        argosy_yaml::parse_documents(input["clusters"].as_str().unwrap_or_default())
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|document| document.value)
            .collect();
    let mut projects = vec![json!("default")];
    projects.extend(input["projects"].as_array().into_iter().flatten().cloned());
    let repositories = Repositories::new(&input["repos"]);
    let world = World {
        projects: projects
            .iter()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect(),
        clusters: clusters(&secrets, "argocd"),
        trees: &|url, revision| repositories.tree(url, revision),
    };
    let settings = Settings {
        globbing: if input["newGitFileGlobbing"] == true {
            Globbing::Doublestar
        } else {
            Globbing::Pathspec
        },
        ..Settings::default()
    };
    let expansion = generate(&set, &world, &settings).map_err(|error| error.message)?;
    let applications = expansion.applications.into_inner();
    let invalid: BTreeMap<String, &str> = if input["validate"] == true {
        validate("fleet", &applications, &world.projects, &world.clusters)
            .into_iter()
            .map(|(name, invalid)| (name, invalid.class()))
            .collect()
    } else {
        BTreeMap::new()
    };
    Ok(json!({"applications": applications, "invalid": invalid}))
}

fn judge(case: &Value) -> Result<(), String> {
    let expected = &case["expect"];
    let answer = run(&case["input"]);
    match (expected.get("error"), answer) {
        (Some(_), Err(_)) => Ok(()),
        (Some(error), Ok(_)) => Err(format!("succeeded, expected {error}")),
        (None, Err(error)) => Err(format!("failed: {error}")),
        (None, Ok(answer)) => {
            same::applications(&expected["applications"], &answer["applications"])?;
            let invalid = expected
                .get("invalid")
                .cloned()
                .unwrap_or_else(|| json!({}));
            if answer["invalid"] == invalid {
                return Ok(());
            }
            Err(format!(
                "invalid: {} instead of {invalid}",
                answer["invalid"]
            ))
        }
    }
}

#[test]
fn sets_generate_what_argo_cd_generates() {
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter(|case| !DELIBERATE.iter().any(|id| case["id"] == *id))
        .filter_map(|case| {
            let problem = judge(case).err()?;
            Some(format!("{} {}: {problem}", case["id"], case["category"]))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
