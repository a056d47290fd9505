//! `argosy demo stop-cluster NAME` and `start-cluster NAME`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::data::DataArgs;
use crate::cli::hub_access::config_of;
use crate::cli::{CommandResult, Outcome, output};
use crate::demo::{STOPPED, SWITCH};
use crate::diagnostic::{Diagnostic, nearest};
use crate::embedded::{NAME, NAMESPACE};

/// The demo obeys within milliseconds; longer than this means that it is not there.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Args {
    /// The cluster: dev, staging or prod.
    name: String,
    #[command(flatten)]
    data: DataArgs,
}

pub(super) async fn run(args: Args, state: &str) -> CommandResult {
    let kubeconfig = args.data.path()?.join("kubeconfig");
    if !kubeconfig.exists() {
        return Err(not_running(&kubeconfig));
    }
    let config = config_of(Some(&kubeconfig), Some(NAME)).await?;
    let client =
        Client::try_from(config).map_err(|error| not_running(&kubeconfig).because(&error))?;
    let maps: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let map = maps
        .get(SWITCH)
        .await
        .map_err(|error| not_running(&kubeconfig).because(&error))?;
    let known = map.data.unwrap_or_default();
    if !known.contains_key(&args.name) {
        return Err(unknown(&args.name, &known));
    }
    let change = Patch::Merge(json!({"data": {&args.name: state}}));
    maps.patch(SWITCH, &PatchParams::default(), &change)
        .await
        .map_err(|error| not_running(&kubeconfig).because(&error))?;
    see(&args.name, state, &kubeconfig).await
}

/// Waits until the cluster itself shows the state.
async fn see(name: &str, state: &str, kubeconfig: &Path) -> CommandResult {
    let config = config_of(Some(kubeconfig), Some(name)).await?;
    let host = config.cluster_url.host().unwrap_or("127.0.0.1").to_owned();
    let port = config.cluster_url.port_u16().unwrap_or(443);
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect((host.as_str(), port)).await.is_err() != (state == STOPPED) {
        if Instant::now() > deadline {
            let what = format!("the demo did not change the cluster `{name}`");
            return Err(Diagnostic::remote("SwitchIgnored", what).fix("is the demo suspended?"));
        }
        sleep(Duration::from_millis(10)).await;
    }
    output::line(if state == STOPPED {
        format!("cluster `{name}` refuses connections")
    } else {
        format!("cluster `{name}` takes connections")
    });
    Ok(Outcome::Success)
}

fn not_running(kubeconfig: &Path) -> Diagnostic {
    Diagnostic::user("DemoNotRunning", "no demo is running")
        .at(kubeconfig.display().to_string())
        .fix("start one with `argosy demo`; if its directory is not the default one, name it with --data")
}

fn unknown(name: &str, known: &BTreeMap<String, String>) -> Diagnostic {
    let names = || known.keys().map(String::as_str);
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
    };
    Diagnostic::user(
        "ClusterUnknown",
        format!("the demo has no cluster `{name}`"),
    )
    .fix(hint)
}
