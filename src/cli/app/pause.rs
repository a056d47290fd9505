//! `argosy app pause NAME…` and `argosy app resume NAME…`.

use argosy_crds::Application;
use argosy_crds::names::annotation;
use argosy_engine::{duration, operation};
use clap::Parser;
use jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::find;
use super::selection::Selection;
use crate::cli::hub_access::failed;
use crate::cli::{CommandResult, Outcome, output};
use crate::diagnostic::Diagnostic;

/// Have automation leave applications alone for a while.
///
/// Automated syncs and healing stop; what a person asks for still happens. The pause survives the
/// ApplicationSet of the application and ends by itself.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy app pause web --for 2h --reason 'a fix by hand'")]
pub(crate) struct PauseArgs {
    #[command(flatten)]
    selection: Selection,
    /// How long, such as 90s, 30m or 2h.
    #[arg(long = "for", value_name = "DURATION", value_parser = positive)]
    lasting: SignedDuration,
    /// Why, for whoever finds it paused.
    #[arg(long)]
    reason: String,
    /// Who asks for it.
    #[arg(long, env = "USER", value_name = "NAME")]
    by: Option<String>,
}

/// End a pause of applications before its time.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy app resume web")]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    selection: Selection,
}

fn positive(text: &str) -> Result<SignedDuration, String> {
    let lasting = duration::parse(text).map_err(|error| error.to_string())?;
    if lasting.is_positive() {
        Ok(lasting)
    } else {
        Err("expected a time to come, such as 2h".to_owned())
    }
}

pub(crate) async fn pause(args: PauseArgs) -> CommandResult {
    let (api, names) = args.selection.resolve().await?;
    let until = Timestamp::now().saturating_add(args.lasting);
    let until = until.map_err(|error| {
        Diagnostic::user("PauseTooLong", "the pause has no end that can be told").because(&error)
    })?;
    let until = format!("{until:.0}");
    let annotations = json!({
        annotation::PAUSED_UNTIL: until,
        annotation::PAUSE_REASON: args.reason,
        annotation::PAUSED_BY: args.by.filter(|by| !by.is_empty()),
    });
    for name in names {
        find(&api, &name).await?;
        annotate(&api, &name, &annotations).await?;
        output::line(format!("{name} is paused until {until}"));
    }
    Ok(Outcome::Success)
}

pub(crate) async fn resume(args: ResumeArgs) -> CommandResult {
    let (api, names) = args.selection.resolve().await?;
    let annotations = json!({
        annotation::PAUSED_UNTIL: null,
        annotation::PAUSE_REASON: null,
        annotation::PAUSED_BY: null,
    });
    for name in names {
        let app = find(&api, &name).await?;
        if operation::pause_of(&app, Timestamp::now()).is_none() {
            output::line(format!("{name} is not paused"));
            continue;
        }
        annotate(&api, &name, &annotations).await?;
        output::line(format!("{name} goes on"));
    }
    Ok(Outcome::Success)
}

async fn annotate(
    api: &Api<Application>,
    name: &str,
    annotations: &Value,
) -> Result<(), Diagnostic> {
    let patch = json!({"metadata": {"annotations": annotations}});
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map(drop)
        .map_err(|error| failed(format!("cannot annotate the application `{name}`"), &error))
}
