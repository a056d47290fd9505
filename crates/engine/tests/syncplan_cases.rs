//! The order of sync tasks, judged by Argo CD's answers.

mod support;

use std::sync::Arc;

use argosy_engine::sync::{
    DestinationNamespace, PlanInput, SyncOptions, SyncPlan, UnknownKinds, WellKnownKinds, check,
    offline_groups,
};
use argosy_facts::Observed;
use serde_json::{Value, json};

#[test]
fn plans_as_argo_cd_does() {
    support::run(&support::cases("syncplan"), plan);
}

fn plan(input: &Value) -> Result<Value, String> {
    let options = &input["options"];
    let flag = |name: &str| options[name].as_bool().unwrap_or_default();
    let text = |name: &str| options[name].as_str().unwrap_or_default().to_owned();
    let sync_options = SyncOptions {
        prune_last: flag("pruneLast"),
        create_namespace: flag("createNamespace"),
        skip_dry_run_on_missing_resource: flag("skipDryRunOnMissingResource"),
        ..SyncOptions::default()
    };
    let missing = options["missingKinds"].as_array().into_iter().flatten();
    let kinds = WellKnownKinds {
        missing: missing
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    };
    let started_at = options["startedAt"]
        .as_str()
        .unwrap_or("2026-01-02T03:04:05Z");
    let live = Observed::complete(objects(input["live"].as_str().unwrap_or_default()));
    let plan = SyncPlan::new(&PlanInput {
        desired: objects(input["manifests"].as_str().unwrap_or_default()),
        live: &live,
        owns: &|_| true,
        modified: None,
        namespace: &text("namespace"),
        kinds: &kinds,
        unknown_kinds: UnknownKinds::Refuse,
        destination: DestinationNamespace::default(),
        options: sync_options,
        prune: true,
        skip_hooks: flag("skipHooks"),
        selected: Vec::new(),
        revision: &text("revision"),
        started_at: started_at.parse().map_err(|e| format!("{e}"))?,
    })
    .map_err(|error| error.to_string())?;
    assert_eq!(check(&plan), [], "{}", plan.to_tree());
    Ok(offline_groups(&plan))
}

fn objects(text: &str) -> Vec<Arc<Value>> {
    argosy_yaml::parse_documents(text)
        .expect("manifests that parse")
        .into_iter()
        .map(|document| Arc::new(document.value))
        .filter(|object| **object != json!(null))
        .collect()
}
