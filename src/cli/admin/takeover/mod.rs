//! `argosy admin takeover`: what of an Argo CD would behave differently under a hub.
//!
//! Only what is there is judged, by the code that would work with it; nothing is written, and no
//! value of a Secret is shown. What is different whatever is there is in docs/compat.md.

mod finding;
mod inventory;
mod objects;
mod registrations;
mod settings;

use argosy_crds::{AppProject, Application, ApplicationSet, names};
use clap::Parser;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ApiResource, DynamicObject, ListParams, ObjectList};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::output::{self, Format};
use crate::cli::table::{plain_table, trimmed};
use crate::cli::{CommandResult, Outcome};
use crate::diagnostic::Diagnostic;
use crate::fleet::Settings;

use finding::{Finding, Weight};
use inventory::Inventory;

/// The label of Argo CD's own Deployment that renders.
const REPOSITORY_SERVERS: &str =
    "app.kubernetes.io/part-of=argocd,app.kubernetes.io/component=repo-server";

/// Say what of an Argo CD would behave differently under a hub. Exits with 2 if that is anything.
///
/// Looks at its settings, projects, Applications, sets, registered clusters and repositories and
/// plugins, and writes nothing. `fails` is what does not work here, or not safely; `differs` is what
/// works otherwise. docs/compat.md has what is different whatever is there, and
/// `argosy hub --shadow` compares the verdicts of a hub with those of the Argo CD.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy admin takeover --namespace argocd
  argosy admin takeover -n argocd -o json")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let client = args.hub.client().await?;
    let inventory = take_inventory(&client, &args.hub.namespace).await?;
    let findings = judge(&inventory);
    print(args.output, &inventory, &findings)?;
    Ok(if findings.is_empty() {
        Outcome::Success
    } else {
        Outcome::Changes
    })
}

/// What would behave differently, the worst first.
fn judge(inventory: &Inventory) -> Vec<Finding> {
    let mut all = Vec::new();
    settings::judge(inventory, &mut all);
    registrations::judge(inventory, &mut all);
    objects::judge(inventory, &mut all);
    all.sort();
    all.dedup();
    all
}

async fn take_inventory(client: &Client, namespace: &str) -> Result<Inventory, Diagnostic> {
    let everything = ListParams::default();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let maps = listed("ConfigMaps", maps.list(&everything).await)?;
    let settings = maps.into_iter().filter_map(|map| {
        let name = map.metadata.name?;
        name.starts_with("argocd-")
            .then_some((name, map.data.unwrap_or_default()))
    });
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let labelled = ListParams::default().labels(names::label::SECRET_TYPE);
    let servers: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let rendering = ListParams::default().labels(REPOSITORY_SERVERS);
    let mut inventory = Inventory {
        settings: settings.collect(),
        registrations: listed("Secrets", secrets.list(&labelled).await)?,
        repository_servers: listed("Deployments", servers.list(&rendering).await)?,
        ..Inventory::default()
    };
    let counts = Settings::from_data(
        inventory.data("argocd-cm"),
        &inventory.data("argocd-cmd-params-cm"),
    );
    let place_of = |others: &[String]| others.is_empty().then_some(namespace);
    let kind = ApiResource::erase::<Application>(&());
    let place = place_of(&counts.application_namespaces);
    inventory.applications = objects(client, &kind, place).await?;
    inventory.applications.retain(|object| {
        let place = object["metadata"]["namespace"].as_str();
        counts.watches_applications_in(place.unwrap_or_default(), namespace)
    });
    let kind = ApiResource::erase::<ApplicationSet>(&());
    let place = place_of(&counts.sets.namespaces);
    inventory.sets = objects(client, &kind, place).await?;
    inventory.sets.retain(|object| {
        let place = object["metadata"]["namespace"].as_str();
        counts.watches_sets_in(place.unwrap_or_default(), namespace)
    });
    let kind = ApiResource::erase::<AppProject>(&());
    inventory.projects = objects(client, &kind, Some(namespace)).await?;
    Ok(inventory)
}

/// The objects of a kind, of one namespace or of all, as they are.
async fn objects(
    client: &Client,
    kind: &ApiResource,
    namespace: Option<&str>,
) -> Result<Vec<Value>, Diagnostic> {
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, kind),
        None => Api::all_with(client.clone(), kind),
    };
    let items = listed(&kind.plural, api.list(&ListParams::default()).await)?;
    let objects = items.into_iter().map(|object| {
        let mut object = serde_json::to_value(object).unwrap_or_default();
        // Lists do not repeat it with each item.
        object["apiVersion"] = kind.api_version.as_str().into();
        object["kind"] = kind.kind.as_str().into();
        object
    });
    Ok(objects.collect())
}

fn listed<T: Clone>(what: &str, list: kube::Result<ObjectList<T>>) -> Result<Vec<T>, Diagnostic> {
    let list = list.map_err(|error| failed(format!("cannot list the {what}"), &error))?;
    Ok(list.items)
}

fn print(form: Format, inventory: &Inventory, findings: &[Finding]) -> Result<(), Diagnostic> {
    let count = |weight: Weight| findings.iter().filter(|one| one.weight == weight).count();
    let looked_at = json!({
        "applications": inventory.applications.len(),
        "applicationSets": inventory.sets.len(),
        "projects": inventory.projects.len(),
        "registrations": inventory.registrations.len(),
    });
    let answer = json!({"lookedAt": looked_at, "findings": findings});
    output::document(form, &answer, || match findings {
        [] => String::new(),
        findings => table(findings),
    })?;
    if form != Format::Text {
        return Ok(());
    }
    output::note(format!(
        "{} Applications, {} ApplicationSets, {} projects, {} registrations: {} things fail, {} differ",
        inventory.applications.len(),
        inventory.sets.len(),
        inventory.projects.len(),
        inventory.registrations.len(),
        count(Weight::Fails),
        count(Weight::Differs),
    ));
    Ok(())
}

fn table(findings: &[Finding]) -> String {
    let mut table = plain_table();
    table.set_header(["WEIGHT", "OBJECT", "PLACE", "MESSAGE"]);
    for one in findings {
        table.add_row([
            one.weight.to_string(),
            one.object.clone(),
            one.place.clone(),
            one.message.clone(),
        ]);
    }
    trimmed(&table)
}
