//! `argosy cluster add CONTEXT`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use argosy_crds::names;
use argosy_facts::Secret as Credential;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Parser;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::{registered, remote};
use crate::cli::hub_access::{HubArgs, config_of, failed};
use crate::cli::registration::fnv32a;
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// Registers a cluster: makes a service account with a token there, and a cluster Secret here.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy cluster add kind-prod --name prod --label env=prod
  argosy cluster add --server https://10.0.0.7:6443 --name edge --token @token --ca ca.crt")]
pub(crate) struct Args {
    /// The kubeconfig context of the cluster.
    // `--context` is the hub's.
    #[arg(
        id = "cluster_context",
        value_name = "CONTEXT",
        required_unless_present = "server"
    )]
    cluster_context: Option<String>,
    #[command(flatten)]
    hub: HubArgs,
    /// The kubeconfig that has the context [default: $KUBECONFIG, else ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    cluster_kubeconfig: Option<PathBuf>,
    /// The name to register it under [default: the context's name].
    #[arg(long)]
    name: Option<String>,
    /// A label for it, as KEY=VALUE; may be repeated.
    #[arg(long = "label", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Manage only these namespaces; may be repeated.
    #[arg(long = "managed-namespace")]
    namespaces: Vec<String>,
    /// Manage cluster-scoped resources although namespaces are given.
    #[arg(long, requires = "namespaces")]
    cluster_resources: bool,
    /// The only project that may use it.
    #[arg(long)]
    project: Option<String>,
    /// The namespace there for the service account.
    #[arg(long, default_value = "kube-system")]
    system_namespace: String,
    /// Use this service account, which has to exist, instead of making one.
    #[arg(long)]
    service_account: Option<String>,
    /// The API server's URL, instead of a context.
    #[arg(long, conflicts_with = "cluster_context")]
    server: Option<String>,
    /// The bearer token for --server, or the file that holds it after an `@`.
    #[arg(long, requires = "server")]
    token: Option<String>,
    /// The file with the CA of --server, in PEM.
    #[arg(long, requires = "server", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Believe the server's certificate unseen.
    #[arg(long)]
    insecure: bool,
    /// Replace a registration of the same server.
    #[arg(long)]
    upsert: bool,
}

/// How to reach the cluster, found out or given.
struct Access {
    name: String,
    server: String,
    token: Option<Credential>,
    ca: Option<Vec<u8>>,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let access = match &args.server {
        Some(server) => given(&args, server)?,
        None => from_context(&args).await?,
    };
    let known = registered(&args.hub).await?;
    if let Some(same) = known
        .iter()
        .find(|cluster| cluster.server == access.server && cluster.secret.is_some())
        && !args.upsert
    {
        let what = format!("the server is already registered as `{}`", same.name);
        return Err(Diagnostic::user("ClusterRegistered", what)
            .at(access.server)
            .fix("replace it with --upsert"));
    }
    let secret = secret(&args, &access);
    let name = secret_name(&access.server);
    let api = args.hub.api::<Secret>().await?;
    let params = PatchParams::apply("argosy").force();
    api.patch(&name, &params, &Patch::Apply(secret))
        .await
        .map_err(|error| failed("cannot write the cluster Secret", &error))?;
    output::line(format!(
        "cluster `{}` is registered at {}",
        access.name, access.server
    ));
    Ok(Outcome::Success)
}

fn given(args: &Args, server: &str) -> Result<Access, Diagnostic> {
    let token = match args.token.as_deref() {
        Some(token) => match token.strip_prefix('@') {
            Some(file) => Some(output::read(file.as_ref())?.trim().to_owned()),
            None => Some(token.to_owned()),
        },
        None => None,
    };
    let ca = args.ca.as_deref().map(output::read).transpose()?;
    let server = server.trim_end_matches('/').to_owned();
    Ok(Access {
        name: args.name.clone().unwrap_or_else(|| server.clone()),
        server,
        token: token.map(Credential::new),
        ca: ca.map(String::into_bytes),
    })
}

async fn from_context(args: &Args) -> Result<Access, Diagnostic> {
    let context = args.cluster_context.as_deref();
    let config = config_of(args.cluster_kubeconfig.as_deref(), context).await?;
    let server = config
        .cluster_url
        .to_string()
        .trim_end_matches('/')
        .to_owned();
    let ca = config
        .root_cert
        .as_ref()
        .map(|certificates| remote::pem(certificates));
    let client = kube::Client::try_from(config).map_err(|error| {
        Diagnostic::config("KubeconfigUnusable", "cannot use the context").because(&error)
    })?;
    let token = match &args.service_account {
        Some(account) => remote::token_of(&client, &args.system_namespace, account).await?,
        None => remote::make_account(&client, &args.system_namespace, &args.namespaces).await?,
    };
    Ok(Access {
        name: args
            .name
            .clone()
            .or_else(|| args.cluster_context.clone())
            .unwrap_or_default(),
        server,
        token: Some(token),
        ca,
    })
}

fn secret(args: &Args, access: &Access) -> Value {
    let mut tls = json!({ "insecure": args.insecure });
    if let (Some(ca), false) = (&access.ca, args.insecure) {
        tls["caData"] = json!(BASE64.encode(ca));
    }
    let mut config = json!({ "tlsClientConfig": tls });
    if let Some(token) = &access.token {
        config["bearerToken"] = json!(token.expose());
    }
    let mut data = BTreeMap::from([
        ("name", access.name.clone()),
        ("server", access.server.clone()),
        ("config", config.to_string()),
    ]);
    if !args.namespaces.is_empty() {
        data.insert("namespaces", args.namespaces.join(","));
    }
    if args.cluster_resources {
        data.insert("clusterResources", "true".to_owned());
    }
    if let Some(project) = &args.project {
        data.insert("project", project.clone());
    }
    let mut labels: BTreeMap<_, _> = args.labels.iter().cloned().collect();
    labels.insert(
        names::label::SECRET_TYPE.to_owned(),
        names::label::SECRET_TYPE_CLUSTER.to_owned(),
    );
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {
            "name": secret_name(&access.server),
            "labels": labels,
            "annotations": {names::annotation::MANAGED_BY: "argocd.argoproj.io"},
        },
        "stringData": data,
    })
}

/// The Secret's name as Argo CD's API makes it: the host and a hash of the whole URL.
fn secret_name(server: &str) -> String {
    let url = url::Url::parse(server).ok();
    let host = url
        .as_ref()
        .and_then(url::Url::host_str)
        .unwrap_or("unknown");
    let host = host
        .trim_matches(['[', ']'])
        .replace(':', "-")
        .to_lowercase();
    format!("cluster-{host}-{}", fnv32a(server))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_of_the_cluster_is_not_that_of_the_hub() {
        let arguments = ["add", "far", "--context", "hub"];
        let args = Args::try_parse_from(arguments).unwrap();
        assert_eq!(args.cluster_context.as_deref(), Some("far"));
        assert_eq!(args.hub.context.as_deref(), Some("hub"));
    }

    #[test]
    fn secrets_are_named_as_argo_cd_names_them() {
        assert!(secret_name("https://10.0.0.1:6443").starts_with("cluster-10.0.0.1-"));
        assert!(secret_name("https://[::1]:6443").starts_with("cluster---1-"));
    }
}
