//! `argosy admin import FILE`.

use std::path::PathBuf;

use argosy_crds::names;
use argosy_engine::object::ObjectExt as _;
use clap::Parser;
use kube::Client;
use kube::api::{ApiResource, DynamicObject, PostParams};
use serde_json::Value;

use super::seal::{Key, is_sealed, is_secret};
use super::{Place, is_anywhere, key, kinds, object, objects, shown};
use crate::cli::hub_access::failed;
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// Bring back what an export holds, Argosy's or Argo CD's.
///
/// Creates what is absent and changes what differs; deletes nothing. What is as in the file is not
/// written, so that it can be done again at any time. Operations that an export holds do not begin.
#[derive(Parser)]
#[command(after_help = "Examples:
  argosy admin import backup.yaml --key key --dry-run
  argosy admin import backup.yaml --key key --paused
  argosy app resume -l team=red        let them go on when all is as it should be")]
pub(crate) struct Args {
    /// The export.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Have automation leave the imported Applications alone until they are resumed.
    #[arg(long)]
    paused: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let key = key(args.place.key.as_deref())?;
    let mut wanted = Vec::new();
    for object in output::read_objects(&args.file)? {
        wanted.push(prepared(object, &args, key.as_ref())?);
    }
    let client = args.place.hub.client().await?;
    for kind in kinds() {
        for object in wanted.iter().filter(|object| is_of(object, &kind)) {
            let done = bring_back(&client, &kind, object, args.dry_run).await?;
            output::line(format!("{} {done}", shown(object)));
        }
    }
    Ok(Outcome::Success)
}

/// An object of the file as it is to be, once everything about it is found to be right: nothing is
/// written of a file that cannot be imported as a whole.
fn prepared(object: Value, args: &Args, key: Option<&Key>) -> Result<Value, Diagnostic> {
    let wrong = |what: String| {
        Diagnostic::user("ImportRefused", what).at(format!(
            "{}: {}",
            args.file.display(),
            shown(&object)
        ))
    };
    let Some(kind) = kinds().into_iter().find(|kind| is_of(&object, kind)) else {
        return Err(wrong("no export holds objects of this kind".to_owned())
            .fix("an export holds ConfigMaps, Secrets, AppProjects, Applications and ApplicationSets"));
    };
    if object.name().is_empty() {
        return Err(wrong("the object has no name".to_owned()));
    }
    let home = args.place.hub.namespace.as_str();
    let elsewhere = object.namespace() != home && !object.namespace().is_empty();
    if elsewhere && !is_anywhere(&kind) {
        return Err(wrong(format!("objects of this kind live in `{home}`"))
            .fix("name the hub's namespace with --namespace"));
    }
    let is_locked = is_secret(&object) && is_sealed(&object) && key.is_none();
    if is_locked {
        return Err(
            wrong("the Secret is sealed".to_owned()).fix("name the key of the export with --key")
        );
    }
    let mut object = object::bare(object);
    // It was sealed as the file has it.
    if let Some(key) = key.filter(|_| is_secret(&object)) {
        key.open(&mut object)?;
    }
    if object.namespace().is_empty() {
        object["metadata"]["namespace"] = home.into();
    }
    if args.paused {
        object::pause(&mut object);
    }
    Ok(object)
}

fn is_of(object: &Value, kind: &ApiResource) -> bool {
    object.api_version() == kind.api_version && object.kind() == kind.kind
}

/// Creates or changes one object; says which.
async fn bring_back(
    client: &Client,
    kind: &ApiResource,
    wanted: &Value,
    dry_run: bool,
) -> Result<&'static str, Diagnostic> {
    let cannot = |error: &kube::Error| failed(format!("cannot import {}", shown(wanted)), error);
    let read = |object: Value| {
        serde_json::from_value::<DynamicObject>(object)
            .map_err(|error| cannot(&kube::Error::SerdeError(error)))
    };
    let api = objects(client, kind, Some(wanted.namespace()));
    let params = PostParams {
        dry_run: false,
        field_manager: Some(names::FIELD_MANAGER.to_owned()),
    };
    let live = api.get_opt(wanted.name()).await;
    let Some(live) = live.map_err(|error| cannot(&error))? else {
        if dry_run {
            return Ok("would be created");
        }
        let made = api.create(&params, &read(wanted.clone())?).await;
        return made.map(|_| "created").map_err(|error| cannot(&error));
    };
    let live =
        serde_json::to_value(live).map_err(|error| cannot(&kube::Error::SerdeError(error)))?;
    let Some(next) = object::merged(&live, wanted) else {
        return Ok("unchanged");
    };
    if dry_run {
        return Ok("would be changed");
    }
    let put = api.replace(wanted.name(), &params, &read(next)?).await;
    put.map(|_| "changed").map_err(|error| cannot(&error))
}
