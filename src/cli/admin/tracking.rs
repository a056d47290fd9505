//! `argosy admin tracking …`: how objects are tied to applications.

use std::path::PathBuf;

use argosy_engine::object::ResourceKey;
use argosy_engine::tracking::{Identity, Method, Tracking};
use clap::Subcommand;
use serde_json::json;

use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Mark an object as the hub would.
    Set(Set),
    /// Say which application an object belongs to.
    Owner(Owner),
    /// Take a tracking annotation apart.
    Parse(Parse),
}

#[derive(clap::Args)]
struct Marks {
    /// annotation, annotation+label or label.
    #[arg(long, default_value = "annotation")]
    tracking_method: String,
    /// Key of the label.
    #[arg(long, default_value = argosy_engine::object::names::INSTANCE_LABEL)]
    label_key: String,
    /// Id of the installation.
    #[arg(long, default_value = "")]
    installation_id: String,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin tracking set deployment.yaml --app-name web")]
pub(crate) struct Set {
    /// The object.
    #[arg(value_name = "OBJECT.yaml")]
    object: PathBuf,
    #[command(flatten)]
    marks: Marks,
    /// Instance name of the application.
    #[arg(long)]
    app_name: String,
    /// Namespace of its destination.
    #[arg(long, default_value = "")]
    dest_namespace: String,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin tracking owner deployment.yaml")]
pub(crate) struct Owner {
    /// The object.
    #[arg(value_name = "OBJECT.yaml")]
    object: PathBuf,
    #[command(flatten)]
    marks: Marks,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

#[derive(clap::Args)]
#[command(after_help = "Example:
  argosy admin tracking parse --id 'web:apps/Deployment:shop/web'")]
pub(crate) struct Parse {
    /// The value of the annotation.
    #[arg(long)]
    id: String,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: output::Format,
}

pub(crate) fn run(command: Command) -> CommandResult {
    match command {
        Command::Set(args) => set(args),
        Command::Owner(args) => owner(args),
        Command::Parse(args) => parse(&args),
    }
}

impl Marks {
    fn tracking(self) -> Tracking {
        Tracking {
            method: Method::parse(&self.tracking_method),
            label_key: self.label_key,
            installation_id: self.installation_id,
        }
    }
}

fn set(args: Set) -> CommandResult {
    let mut object = output::read_document(&args.object)?;
    let tracking = args.marks.tracking();
    tracking.mark(&mut object, &args.app_name, &args.dest_namespace);
    let owner = tracking.owner(&object).unwrap_or_default();
    let metadata = &object["metadata"];
    let answer = json!({
        "labels": metadata["labels"],
        "annotations": metadata["annotations"],
        "owner": owner,
    });
    output::document(args.output, &answer, || argosy_yaml::to_string(&answer))?;
    Ok(Outcome::Success)
}

fn owner(args: Owner) -> CommandResult {
    let object = output::read_document(&args.object)?;
    let owner = args.marks.tracking().owner(&object).unwrap_or_default();
    output::document(args.output, &json!({"app": owner}), || owner.clone())?;
    Ok(Outcome::Success)
}

fn parse(args: &Parse) -> CommandResult {
    let Identity { application, key } = args.id.parse().map_err(|error| {
        Diagnostic::user("NotATrackingId", "this is no tracking annotation").because(&error)
    })?;
    let ResourceKey {
        group,
        kind,
        namespace,
        name,
    } = key;
    let answer = json!({"application": application, "group": group, "kind": kind,
        "namespace": namespace, "name": name});
    output::document(args.output, &answer, || argosy_yaml::to_string(&answer))?;
    Ok(Outcome::Success)
}
