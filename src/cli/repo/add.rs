//! `argosy repo add URL`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use argosy_facts::Secret as Credential;
use clap::Parser;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

use super::{Known, Tester, name_of, secret};
use crate::cli::hub_access::{HubArgs, failed};
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;
use crate::source::{Repository, RepositoryKind, SourceError, Unreadable, shown_url};

/// Registers a repository, after asking it whether it accepts the credentials.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy repo add https://git.example.com/team/app.git --username bot --password @token.txt
  argosy repo add https://charts.example.com --type helm --name stable
  argosy repo add registry.example.com/charts --type helm --name team --enable-oci --username bot --password @token.txt
  argosy repo add https://github.com/team/app.git --github-app-id 12 --github-app-private-key-path app.pem
  argosy repo add https://git.example.com/team --creds --username bot --password @token.txt")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Args {
    /// The repository's URL; with --creds the beginning of the URLs that the credentials are for.
    url: String,
    #[command(flatten)]
    hub: HubArgs,
    /// What serves it [default: git, or oci where the URL begins with oci://].
    #[arg(long = "type", value_enum)]
    kind: Option<RepositoryKind>,
    /// Store credentials for all repositories below the URL instead of one repository.
    #[arg(long, conflicts_with_all = ["name", "project"])]
    creds: bool,
    /// The name, which a Helm repository needs.
    #[arg(long)]
    name: Option<String>,
    /// The only project that may use it.
    #[arg(long)]
    project: Option<String>,
    /// The user.
    #[arg(long)]
    username: Option<String>,
    /// The password or token, or the file that holds it after an `@`.
    #[arg(long)]
    password: Option<String>,
    /// A bearer token, or the file that holds it after an `@`.
    #[arg(long, conflicts_with = "password")]
    bearer_token: Option<String>,
    /// The file with the private ssh key.
    #[arg(long, value_name = "FILE")]
    ssh_private_key_path: Option<PathBuf>,
    /// The id of the GitHub App that reads it over https.
    #[arg(long, value_name = "ID", requires = "github_app_private_key_path")]
    github_app_id: Option<i64>,
    /// The id of the App's installation [default: the one at the owner of the repository].
    #[arg(long, value_name = "ID", requires = "github_app_id")]
    github_app_installation_id: Option<i64>,
    /// The file with the App's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "github_app_id")]
    github_app_private_key_path: Option<PathBuf>,
    /// The URL of the App's GitHub Enterprise Server [default: GitHub itself].
    #[arg(long, value_name = "URL", requires = "github_app_id")]
    github_app_enterprise_base_url: Option<String>,
    /// The file with the TLS client certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_client_cert_key_path")]
    tls_client_cert_path: Option<PathBuf>,
    /// The file with the key of the TLS client certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_client_cert_path")]
    tls_client_cert_key_path: Option<PathBuf>,
    /// Believe the server's certificate or host key unseen.
    #[arg(long, alias = "insecure-ignore-host-key")]
    insecure_skip_server_verification: bool,
    /// It is a Helm repository in an OCI registry; the URL has no `oci://` then.
    #[arg(long)]
    enable_oci: bool,
    /// Speak plain HTTP to an OCI registry.
    #[arg(long)]
    insecure_oci_force_http: bool,
    /// Fetch the files that lie in git-lfs.
    #[arg(long)]
    enable_lfs: bool,
    /// The proxy to reach it through.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Hosts that are reached without the proxy, separated by commas.
    #[arg(long, value_name = "HOSTS", requires = "proxy")]
    no_proxy: Option<String>,
    /// Replace a registration of the same URL.
    #[arg(long)]
    upsert: bool,
    /// Do not ask the repository whether it accepts the credentials.
    #[arg(long)]
    skip_test: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let data = data(&args)?;
    let kind = if args.creds {
        secret::TEMPLATE
    } else {
        secret::REPOSITORY
    };
    let wanted = if args.creds {
        Repository::template(&data)
    } else {
        Repository::registered(&data)
    };
    let wanted = wanted.map_err(|Unreadable { why, .. }| {
        Diagnostic::user(
            "RepositoryMalformed",
            format!("cannot be registered like this: {why}"),
        )
    })?;
    let shown = shown_url(&args.url);
    let known = Known::read(&args.hub).await?;
    let same = known
        .of_kind(kind)
        .find(|(_, one)| one.is_at(&wanted.url) && one.project == wanted.project);
    let existing = same.map(|(secret, _)| name_of(secret).to_owned());
    if existing.is_some() && !args.upsert {
        let what = format!("{shown} is already registered");
        return Err(Diagnostic::user("RepositoryRegistered", what).fix("replace it with --upsert"));
    }
    if !args.creds && !args.skip_test {
        let effective = known.with(kind, &data).effective(&wanted);
        Tester::new()?
            .ask(&effective)
            .await
            .map_err(|error| untested(&error))?;
    }
    let project = args.project.as_deref().unwrap_or_default();
    let name = existing.unwrap_or_else(|| secret::name(kind, &args.url, project));
    let api = args.hub.api::<Secret>().await?;
    let mut object = secret::object(&name, kind, &data);
    let existing = api.get_opt(&name).await;
    let existing = existing.map_err(|error| failed("cannot read the Secret", &error))?;
    let written = if let Some(existing) = existing {
        // What the former registration had and this one has not goes in the same write.
        let former = existing.data.unwrap_or_default();
        let gone = former.keys().filter(|key| !data.contains_key(*key));
        object["data"] = gone.map(|key| (key.clone(), Value::Null)).collect();
        api.patch(&name, &PatchParams::default(), &Patch::Merge(object))
            .await
    } else {
        let params = PatchParams::apply("argosy").force();
        api.patch(&name, &params, &Patch::Apply(object)).await
    };
    written.map_err(|error| failed("cannot write the repository Secret", &error))?;
    let what = if args.creds {
        "credentials for"
    } else {
        "repository"
    };
    output::line(format!(
        "{what} {shown} {} registered",
        if args.creds { "are" } else { "is" }
    ));
    Ok(Outcome::Success)
}

/// What the repository said, as a problem of the command.
pub(super) fn untested(error: &SourceError) -> Diagnostic {
    Diagnostic::remote(
        "RepositoryUnusable",
        "the repository does not answer as it should",
    )
    .because(error)
    .fix("check the URL and the credentials, or register it unasked with --skip-test")
}

/// The Secret's data.
fn data(args: &Args) -> Result<BTreeMap<String, Credential>, Diagnostic> {
    let mut data = BTreeMap::new();
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            data.insert(key.to_owned(), Credential::new(value));
        }
    };
    let flag = |is_set: bool| is_set.then(|| "true".to_owned());
    set("url", Some(args.url.trim().to_owned()));
    set("type", args.kind.map(|kind| kind.as_str().to_owned()));
    set("name", args.name.clone());
    set("project", args.project.clone());
    set("username", args.username.clone());
    set("password", args.password.as_deref().map(given).transpose()?);
    set(
        "bearerToken",
        args.bearer_token.as_deref().map(given).transpose()?,
    );
    for (key, file) in [
        ("sshPrivateKey", &args.ssh_private_key_path),
        ("githubAppPrivateKey", &args.github_app_private_key_path),
        ("tlsClientCertData", &args.tls_client_cert_path),
        ("tlsClientCertKey", &args.tls_client_cert_key_path),
    ] {
        set(key, file.as_deref().map(output::read).transpose()?);
    }
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    set("githubAppID", number(args.github_app_id));
    set(
        "githubAppInstallationID",
        number(args.github_app_installation_id),
    );
    set(
        "githubAppEnterpriseBaseUrl",
        args.github_app_enterprise_base_url.clone(),
    );
    set("insecure", flag(args.insecure_skip_server_verification));
    set("enableOCI", flag(args.enable_oci));
    set("insecureOCIForceHttp", flag(args.insecure_oci_force_http));
    set("enableLfs", flag(args.enable_lfs));
    set("proxy", args.proxy.clone());
    set("noProxy", args.no_proxy.clone());
    Ok(data)
}

/// A secret as it stands, or from the file after an `@`.
fn given(text: &str) -> Result<String, Diagnostic> {
    match text.strip_prefix('@') {
        Some(file) => Ok(output::read(file.as_ref())?.trim().to_owned()),
        None => Ok(text.to_owned()),
    }
}
