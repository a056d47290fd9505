//! `argosy app sync NAME…`.

use argosy_crds::Application;
use argosy_crds::application::{
    Operation, OperationInitiator, OperationState, RetryStrategy, SyncOperation,
    SyncOperationResource, SyncStrategy, SyncStrategyApply, SyncStrategyHook,
};
use clap::{Parser, ValueEnum};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::find;
use super::found::Found;
use super::selection::Selection;
use super::wait::{self, patience};
use crate::cli::hub_access::failed;
use crate::cli::output::{self, Format};
use crate::cli::{CommandResult, Outcome};
use crate::diagnostic::Diagnostic;

/// Syncs applications, and waits for the result.
#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "Examples:
  argosy app sync web
  argosy app sync -l team=web --prune
  argosy app sync web --resource apps:Deployment:shop/web")]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Sync to this revision instead of the target revision.
    #[arg(long, default_value = "")]
    revision: String,
    /// Delete what git no longer has.
    #[arg(long)]
    prune: bool,
    /// Change nothing; only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Delete and create again what cannot be changed.
    #[arg(long)]
    force: bool,
    /// Do not wait for the applications that it depends on.
    #[arg(long)]
    ignore_dependencies: bool,
    /// With hooks or without.
    #[arg(long, value_enum, default_value_t)]
    strategy: Strategy,
    /// Only this resource, as GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; may be repeated.
    #[arg(long, value_parser = resource)]
    resource: Vec<SyncOperationResource>,
    /// Retry a failed sync so many times.
    #[arg(long, default_value_t = 0)]
    retry_limit: i64,
    /// Do not wait for the result.
    #[arg(long, visible_alias = "async")]
    no_wait: bool,
    /// Give up waiting after so many seconds; 0 waits for ever.
    #[arg(long, default_value_t = 0)]
    timeout: u64,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Strategy {
    /// Apply, with hooks.
    #[default]
    Hook,
    /// Apply alone.
    Apply,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let operation = operation(&args);
    let (api, names) = args.selection.resolve().await?;
    let mut found = Found::new(args.output);
    for name in &names {
        let app = request(&api, name, &operation, args.ignore_dependencies).await?;
        if args.no_wait {
            found.add(app, |_| {});
        }
    }
    if args.no_wait {
        found.finish()?;
        return Ok(Outcome::Success);
    }
    let patience = patience(args.timeout);
    let mut outcome = Outcome::Success;
    for name in &names {
        let app = wait::until(&api, name, patience, "the sync", |app| {
            app.operation.is_none()
        })
        .await?;
        if !state(&app).is_some_and(|state| state.phase.is_successful()) {
            outcome = Outcome::Negative;
        }
        found.add(app, |app| report(name, app));
    }
    found.finish()?;
    Ok(outcome)
}

fn operation(args: &Args) -> Operation {
    let strategy = match args.strategy {
        Strategy::Hook => SyncStrategy {
            hook: Some(SyncStrategyHook { force: args.force }),
            apply: None,
        },
        Strategy::Apply => SyncStrategy {
            apply: Some(SyncStrategyApply { force: args.force }),
            hook: None,
        },
    };
    let retry = (args.retry_limit > 0).then(|| RetryStrategy {
        limit: args.retry_limit,
        ..RetryStrategy::default()
    });
    Operation {
        sync: Some(SyncOperation {
            revision: args.revision.clone(),
            prune: args.prune,
            dry_run: args.dry_run,
            sync_strategy: Some(strategy),
            resources: args.resource.clone(),
            ..SyncOperation::default()
        }),
        initiated_by: OperationInitiator {
            username: "argosy".to_owned(),
            automated: false,
        },
        retry,
        ..Operation::default()
    }
}

async fn request(
    api: &Api<Application>,
    name: &str,
    operation: &Operation,
    ignore_dependencies: bool,
) -> Result<Application, Diagnostic> {
    let app = find(api, name).await?;
    if app.operation.is_some() {
        let what = format!("cannot sync `{name}`: another operation is already in progress");
        return Err(Diagnostic::user("OperationInProgress", what).fix(format!(
            "wait for it with `argosy app wait {name} --operation`"
        )));
    }
    let mut operation = operation.clone();
    if let Some(sync) = &mut operation.sync {
        let policy = app.spec.sync_policy.iter();
        sync.sync_options = policy
            .flat_map(|policy| &policy.sync_options)
            .cloned()
            .collect();
        if ignore_dependencies {
            sync.sync_options.push("IgnoreDependencies=true".to_owned());
        }
    }
    // The version makes two requests at the same moment fail instead of one being lost.
    let patch = json!({
        "metadata": {"resourceVersion": app.metadata.resource_version},
        "operation": operation,
    });
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .map_err(|error| failed(format!("cannot ask for the sync of `{name}`"), &error))
}

fn state(app: &Application) -> Option<&OperationState> {
    app.status.as_ref()?.operation_state.as_ref()
}

/// Prints what came of a sync.
fn report(name: &str, app: &Application) {
    let Some(state) = state(app) else {
        return output::line(format!("{name}: no result was reported"));
    };
    output::line(format!("{name}: {} {}", state.phase, state.message));
    for resource in state
        .sync_result
        .iter()
        .flat_map(|result| &result.resources)
    {
        output::line(format!(
            "  {} {}/{} {}",
            resource
                .status
                .map(|code| code.to_string())
                .unwrap_or_default(),
            resource.kind,
            resource.name,
            resource.message
        ));
    }
}

fn resource(text: &str) -> Result<SyncOperationResource, String> {
    let wrong = || format!("`{text}` is not GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME");
    let (group, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (kind, name) = rest.split_once(':').ok_or_else(wrong)?;
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    if kind.is_empty() || name.is_empty() {
        return Err(wrong());
    }
    Ok(SyncOperationResource {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_as_in_argo_cd() {
        let parsed = resource("apps:Deployment:shop/web").unwrap();
        assert_eq!(
            (parsed.group.as_str(), parsed.namespace.as_str()),
            ("apps", "shop")
        );
        assert_eq!(resource(":Service:web").unwrap().group, "");
        assert!(resource("Service").is_err());
    }
}
