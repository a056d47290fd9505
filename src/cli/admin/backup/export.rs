//! `argosy admin export`.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use argosy_engine::object::ObjectExt as _;
use clap::Parser;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client};
use serde_json::Value;

use super::seal::{Key, is_secret};
use super::{Place, is_anywhere, key, kinds, object, objects, selectors};
use crate::cli::hub_access::failed;
use crate::cli::{CommandResult, Outcome, output};
use crate::controller::cluster::INFO_CONFIG_MAP;
use crate::diagnostic::Diagnostic;

/// How many objects one answer holds at most.
const PAGE: u32 = 500;

/// Print all that the hub was told as one YAML stream.
///
/// Settings, registered clusters and repositories, projects, Applications with their history, and
/// ApplicationSets. Secrets are left out unless --key seals them or --clear-secrets asks for them as
/// they are.
#[derive(Parser)]
#[command(after_help = "Examples:
  openssl rand -base64 32 > key
  argosy admin export --key key -o backup.yaml
  argosy admin import backup.yaml --key key --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// The file to write, which nobody else may read; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Export Secrets with their values in the clear.
    #[arg(long, conflicts_with = "key")]
    clear_secrets: bool,
    /// Export the Applications and ApplicationSets of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let key = key(args.place.key.as_deref())?;
    let client = args.place.hub.client().await?;
    let mut stream = String::new();
    let mut left_out = 0;
    for kind in kinds() {
        let is_everywhere = args.all_namespaces && is_anywhere(&kind);
        let namespace = (!is_everywhere).then_some(args.place.hub.namespace.as_str());
        for object in list(&client, &kind, namespace).await? {
            let object = object::at_home(object::bare(object), &args.place.hub.namespace);
            let Some(object) = secured(object, key.as_ref(), args.clear_secrets)? else {
                left_out += 1;
                continue;
            };
            stream.push_str("---\n");
            stream.push_str(&argosy_yaml::to_string(&object));
        }
    }
    match &args.output {
        Some(file) => write(file, &stream)?,
        None => output::line(stream.trim_end_matches('\n')),
    }
    if left_out > 0 {
        output::note(format!(
            "{left_out} Secrets are left out; seal them with --key FILE or ask for them with --clear-secrets"
        ));
    }
    Ok(Outcome::Success)
}

/// The object as it may be written; `None` if it may not.
fn secured(
    mut object: Value,
    key: Option<&Key>,
    in_the_clear: bool,
) -> Result<Option<Value>, Diagnostic> {
    if is_secret(&object) {
        match key {
            Some(key) => key.seal(&mut object)?,
            None if in_the_clear => {}
            None => return Ok(None),
        }
    }
    Ok(Some(object))
}

/// The objects of a kind, each once, in the order of their names.
pub(in crate::cli::admin) async fn list(
    client: &Client,
    kind: &ApiResource,
    namespace: Option<&str>,
) -> Result<Vec<Value>, Diagnostic> {
    let api = objects(client, kind, namespace);
    let mut found: Vec<Value> = Vec::new();
    let mut known = BTreeSet::new();
    for labels in selectors(kind) {
        for object in pages(&api, kind, labels).await? {
            let name = (object.namespace().to_owned(), object.name().to_owned());
            // The hub publishes that of itself.
            if name.1 != INFO_CONFIG_MAP && known.insert(name) {
                found.push(object);
            }
        }
    }
    found.sort_by_cached_key(|object| (object.namespace().to_owned(), object.name().to_owned()));
    Ok(found)
}

async fn pages(
    api: &Api<DynamicObject>,
    kind: &ApiResource,
    labels: &str,
) -> Result<Vec<Value>, Diagnostic> {
    let cannot = |error: &kube::Error| failed(format!("cannot list the {}", kind.plural), error);
    let mut params = ListParams::default().labels(labels).limit(PAGE);
    let mut found = Vec::new();
    loop {
        let page = api.list(&params).await.map_err(|error| cannot(&error))?;
        for mut object in page.items {
            // Lists do not repeat it with each item.
            object.types = Some(kube::core::TypeMeta {
                api_version: kind.api_version.clone(),
                kind: kind.kind.clone(),
            });
            let object = serde_json::to_value(object);
            found.push(object.map_err(|error| cannot(&kube::Error::SerdeError(error)))?);
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(found),
        }
    }
}

/// Writes a file that its owner alone may read.
fn write(file: &Path, text: &str) -> Result<(), Diagnostic> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Diagnostic::user("FileUnwritable", "cannot write the file")
            .at(file.display().to_string())
            .because(&error)
    })
}
