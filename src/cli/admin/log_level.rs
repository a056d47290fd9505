//! `argosy admin log-level`.

use clap::Parser;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;
use crate::fleet::TelemetrySettings;
use crate::telemetry::read_filter;

/// Where the hub reads what it is to log.
const PARAMS: &str = "argocd-cmd-params-cm";

/// Say what a running hub logs, or change it.
///
/// A filter is a level (error, warn, info, debug, trace, off) or levels by target, as in RUST_LOG. It
/// is the key controller.log.level of argocd-cmd-params-cm, which a running hub heeds at once; one
/// that cannot be read is refused, and the hub goes on with the one before.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy admin log-level                            what is set
  argosy admin log-level argosy=debug               all of the hub, and nothing else
  argosy admin log-level info,argosy::source=debug  what it does with repositories, besides
  argosy admin log-level --reset                    as the hub was started")]
pub(crate) struct Args {
    /// The filter; what is set is printed if none is given.
    filter: Option<String>,
    /// Log as the hub was started: as its RUST_LOG says, or its default.
    #[arg(long, conflicts_with = "filter")]
    reset: bool,
    #[command(flatten)]
    hub: HubArgs,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    if let Some(filter) = &args.filter {
        read_filter(filter)?;
    }
    let api: Api<ConfigMap> = args.hub.api().await?;
    match (args.filter, args.reset) {
        (Some(filter), _) => {
            set(&api, &json!(filter)).await?;
            output::line(format!("the hub logs by `{filter}`"));
        }
        (None, true) => {
            set(&api, &Value::Null).await?;
            output::line(UNSET);
        }
        (None, false) => output::line(told(&api).await?.as_deref().unwrap_or(UNSET)),
    }
    Ok(Outcome::Success)
}

/// What is said where nothing is set.
const UNSET: &str = "the hub logs as it was started";

async fn told(api: &Api<ConfigMap>) -> Result<Option<String>, Diagnostic> {
    let map = api.get_opt(PARAMS).await;
    let map = map.map_err(|error| failed(format!("cannot read {PARAMS}"), &error))?;
    Ok(map.and_then(|map| map.data?.remove(TelemetrySettings::LOG_FILTER)))
}

/// Sets the key, or removes it if the value is null.
async fn set(api: &Api<ConfigMap>, value: &Value) -> Result<(), Diagnostic> {
    let wrong = |error: &kube::Error| failed(format!("cannot change {PARAMS}"), error);
    // Without the label a hub does not read it.
    let labels = json!({"app.kubernetes.io/part-of": "argocd"});
    let change = json!({
        "metadata": {"labels": labels}, "data": {TelemetrySettings::LOG_FILTER: value},
    });
    let patched = api
        .patch(PARAMS, &PatchParams::default(), &Patch::Merge(&change))
        .await;
    match patched {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => return Err(wrong(&error)),
        Ok(_) => return Ok(()),
    }
    if value.is_null() {
        return Ok(());
    }
    let map: ConfigMap = serde_json::from_value(json!({
        "metadata": {"name": PARAMS, "labels": labels}, "data": change["data"],
    }))
    .map_err(|error| wrong(&kube::Error::SerdeError(error)))?;
    let made = api.create(&PostParams::default(), &map).await;
    made.map(drop).map_err(|error| wrong(&error))
}
