//! The simulated workload clusters, and how the hub comes to know them: by cluster Secrets, as any
//! other cluster.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use argosy_crds::names;
use argosy_sim::{SimConfig, WorkloadConfig};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use crate::diagnostic::{Diagnostic, Kind};
use crate::embedded::{NAMESPACE, Served};

/// Long enough to see an application progress, short enough not to wait for it.
const AVAILABLE_AFTER: Duration = Duration::from_millis(400);

/// A workload cluster's name and labels.
pub(super) struct Profile {
    name: &'static str,
    region: &'static str,
    tier: &'static str,
}

/// The three clusters; each one's label `env` is its name.
pub(super) const PROFILES: [Profile; 3] = [
    Profile {
        name: "dev",
        region: "eu-west",
        tier: "standard",
    },
    Profile {
        name: "staging",
        region: "eu-west",
        tier: "critical",
    },
    Profile {
        name: "prod",
        region: "us-east",
        tier: "critical",
    },
];

/// Starts the clusters, in the order of [`PROFILES`].
pub(super) async fn start() -> Result<Vec<Served>, Diagnostic> {
    let mut clusters = Vec::new();
    for profile in &PROFILES {
        let mut config = SimConfig::new(profile.name);
        config.seed = rand::random();
        config.workloads = Some(WorkloadConfig {
            available_after: AVAILABLE_AFTER,
        });
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        clusters.push(Served::start(config, anywhere).await?);
    }
    Ok(clusters)
}

/// Writes the cluster Secret.
pub(super) async fn register(
    hub: &Client,
    cluster: &Served,
    profile: &Profile,
) -> Result<(), Diagnostic> {
    let config = json!({
        "bearerToken": cluster.token().expose(),
        "tlsClientConfig": {"insecure": false, "caData": BASE64.encode(cluster.ca_pem())},
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {
            "name": format!("cluster-{}", profile.name),
            "labels": {
                names::label::SECRET_TYPE: names::label::SECRET_TYPE_CLUSTER,
                "env": profile.name, "region": profile.region, "tier": profile.tier,
            },
        },
        "stringData": {
            "name": profile.name,
            "server": cluster.url(),
            "config": config.to_string(),
        },
    });
    let secrets: Api<Secret> = Api::namespaced(hub.clone(), NAMESPACE);
    let name = format!("cluster-{}", profile.name);
    let params = PatchParams::apply("argosy").force();
    secrets
        .patch(&name, &params, &Patch::Apply(secret))
        .await
        .map(drop)
        .map_err(|error| {
            let what = format!("cannot register the cluster `{}`", profile.name);
            Diagnostic::new(Kind::Internal, "RegistrationFailed", what).because(&error)
        })
}
