//! Project rules, judged by Argo CD's answers.

#![expect(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    reason = "a case that cannot be read is a fault of the case"
)]

mod support;

use argosy_crds::{AppProject, Application};
use argosy_engine::application::{KnownCluster, KnownClusters, resolve};
use argosy_engine::object::ResourceKey;
use argosy_engine::project::{Rules, service_account, validate};
use serde_json::{Map, Value, json};

#[test]
fn permits_as_argo_cd_does() {
    let cases: Vec<_> = support::cases("project")
        .into_iter()
        .map(|mut case| {
            // Reasons are ours to word; only how many there are is compared.
            if let Some(reasons) = case["expect"].get_mut("reasons") {
                *reasons = json!(reasons.as_array().map(Vec::len));
            }
            case
        })
        .collect();
    support::run(&cases, check);
}

fn check(input: &Value) -> Result<Value, String> {
    let yaml =
        |name: &str| argosy_yaml::from_str(input[name].as_str().unwrap_or_default()).unwrap();
    let application: Application = serde_json::from_value(yaml("application")).unwrap();
    let project: AppProject = serde_json::from_value(yaml("project")).unwrap();
    validate(&project).map_err(|error| error.to_string())?;
    let clusters = clusters(input["clusters"].as_str().unwrap_or_default());
    let rules = Rules::of(&project);
    let refusals = rules.refusals(&application, &clusters);
    let namespace = application
        .metadata
        .namespace
        .as_deref()
        .unwrap_or_default();
    let namespace_permitted = rules.permits_application_in(namespace, "argocd");
    let mut answer = Map::new();
    answer.insert("reasons".into(), json!(refusals.len()));
    answer.insert("namespacePermitted".into(), json!(namespace_permitted));
    let permitted = refusals.is_empty() && namespace_permitted;
    answer.insert("permitted".into(), json!(permitted));
    let Ok(cluster) = resolve(&application.spec.destination, &clusters) else {
        return Ok(Value::Object(answer));
    };
    if let Some(resources) = input["resources"].as_array() {
        let verdicts: Vec<_> = resources
            .iter()
            .map(|resource| {
                let key: ResourceKey = serde_json::from_value(resource.clone()).unwrap();
                rules.permits_resource(&key, cluster)
            })
            .collect();
        answer.insert("resources".into(), json!(verdicts));
    }
    if input["impersonate"] == json!(true) {
        let account = service_account(&project, &application, cluster, false)
            .map_err(|error| error.to_string())?;
        answer.insert("serviceAccount".into(), json!(account.unwrap_or_default()));
    }
    Ok(Value::Object(answer))
}

fn clusters(secrets: &str) -> KnownClusters {
    let registered = argosy_yaml::parse_documents(secrets)
        .unwrap()
        .into_iter()
        .map(|document| {
            let data = &document.value["stringData"];
            let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
            KnownCluster {
                name: text("name"),
                server: text("server"),
                project: data["project"].as_str().map(str::to_owned),
            }
        })
        .collect();
    KnownClusters::new(registered, true)
}
