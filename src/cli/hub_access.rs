//! How a command reaches the hub: through its Kubernetes API, with a kubeconfig.

use std::path::PathBuf;

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Config, Resource};
use serde::de::DeserializeOwned;

use crate::diagnostic::{Diagnostic, nearest};

/// Where the hub is.
#[derive(Args, Clone, Debug)]
pub(crate) struct HubArgs {
    /// The kubeconfig file to use [default: $KUBECONFIG, else ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use [default: its current one].
    #[arg(long, value_name = "NAME", env = "ARGOSY_CONTEXT")]
    pub(crate) context: Option<String>,
    /// The namespace of the hub.
    #[arg(short, long, env = "ARGOSY_NAMESPACE", default_value = "argocd")]
    pub(crate) namespace: String,
}

impl HubArgs {
    /// A client of the hub's API server.
    pub(crate) async fn client(&self) -> Result<Client, Diagnostic> {
        let config = match (&self.kubeconfig, &self.context) {
            (None, None) => Config::infer().await.map_err(|error| {
                Diagnostic::config("KubeconfigMissing", "no kubeconfig to reach the hub with")
                    .because(&error)
                    .fix("name one with --kubeconfig; `argosy demo` and `argosy up` print where theirs is")
            })?,
            _ => config_of(self.kubeconfig.as_deref(), self.context.as_deref()).await?,
        };
        Client::try_from(config).map_err(|error| {
            Diagnostic::config("KubeconfigUnusable", "cannot use the kubeconfig").because(&error)
        })
    }

    /// The objects of a kind in the hub's namespace.
    pub(crate) async fn api<K>(&self) -> Result<Api<K>, Diagnostic>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        Ok(Api::namespaced(self.client().await?, &self.namespace))
    }
}

/// The configuration that one context of a kubeconfig describes.
pub(crate) async fn config_of(
    file: Option<&std::path::Path>,
    context: Option<&str>,
) -> Result<Config, Diagnostic> {
    let shown = file.map_or_else(
        || "the default kubeconfig".to_owned(),
        |file| file.display().to_string(),
    );
    let kubeconfig = match file {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    }
    .map_err(|error| {
        Diagnostic::config("KubeconfigMissing", "cannot read the kubeconfig")
            .at(&shown)
            .because(&error)
            .fix("name an existing file with --kubeconfig")
    })?;
    if let Some(wanted) = context {
        let names: Vec<_> = kubeconfig
            .contexts
            .iter()
            .map(|context| context.name.clone())
            .collect();
        if !names.iter().any(|name| name == wanted) {
            let known = || names.iter().map(String::as_str);
            let hint = match nearest(wanted, known()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("it has: {}", known().collect::<Vec<_>>().join(", ")),
            };
            let what = format!("there is no context `{wanted}`");
            return Err(Diagnostic::user("ContextUnknown", what).at(shown).fix(hint));
        }
    }
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| {
            Diagnostic::config("KubeconfigUnusable", "cannot use the kubeconfig")
                .at(shown)
                .because(&error)
        })
}

/// What a request to the hub that failed means to a user.
pub(crate) fn failed(what: impl Into<String>, error: &kube::Error) -> Diagnostic {
    let diagnostic = Diagnostic::remote("HubRequestFailed", what).because(error);
    match error {
        kube::Error::Api(status)
            if status.code == 404
                && status
                    .message
                    .contains("could not find the requested resource") =>
        {
            diagnostic.fix("is this the hub's cluster? Argosy's CRDs are not installed there")
        }
        kube::Error::Api(_) => diagnostic,
        _ => diagnostic.fix("is the hub's API server running and the kubeconfig the right one?"),
    }
}

/// What an absent object means to a user, with the nearest name.
pub(crate) fn absent(kind: &str, name: &str, known: &[String]) -> Diagnostic {
    let diagnostic = Diagnostic::user("NotFound", format!("there is no {kind} `{name}`"));
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.fix(format!("did you mean `{near}`?")),
        None => diagnostic.fix(format!(
            "list them with `argosy {} list`",
            kind.to_lowercase()
        )),
    }
}
