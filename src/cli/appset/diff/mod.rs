//! `argosy appset diff`: what a change would create, update and delete.

mod hub;
mod json;
mod markdown;
mod offline;
mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;

use argosy_crds::{Application, ApplicationSet};
use argosy_generators::Substitute;
use argosy_generators::guard::Parked;
use argosy_generators::preview::{Preview, Withheld};

use super::offline::OfflineArgs;
use super::read;
use crate::cli::hub_access::HubArgs;
use crate::cli::output::{self, Report};
use crate::cli::{Outcome, block_on};
use crate::controller::application_set::repository_urls;
use crate::diagnostic::Diagnostic;

/// Show what a change would create, update and delete.
///
/// The change is one of an ApplicationSet, of git (--head) or of clusters (--cluster-secrets). What
/// would be generated is compared with the Applications on the hub; with --base, --base-set or
/// --base-cluster-secrets with what was generated before the change; with --live with Applications
/// from a file. Nothing is written.
///
/// Exit status: 0 if nothing would change, 2 if something would, 1 or 20 on errors.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  argosy appset diff fleet.yaml
  argosy appset diff fleet.yaml --base main --head feature -o markdown
  argosy appset diff fleet.yaml --cluster-secrets clusters.yaml
  argosy appset diff fleet.yaml --offline --repo https://git.example.com/fleet=. \\
      --base origin/main --head HEAD -o markdown")]
pub(crate) struct Args {
    /// The ApplicationSet's manifest, as it would be.
    file: PathBuf,
    #[command(flatten)]
    hub: HubArgs,
    #[command(flatten)]
    offline: OfflineArgs,
    /// Compare with what is generated from this revision of the repository.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Generate from this revision of the repository.
    #[arg(long, value_name = "REV")]
    head: Option<String>,
    /// The branch that --base and --head stand for, as are HEAD and no revision.
    #[arg(long, value_name = "NAME", default_value = "main")]
    branch: String,
    /// The repository that --base and --head are of; not needed if the set reads just one.
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// Compare with what this manifest of the set generates.
    #[arg(long, value_name = "FILE")]
    base_set: Option<PathBuf>,
    /// Compare with what is generated with these cluster Secrets.
    #[arg(long, value_name = "FILE")]
    base_cluster_secrets: Option<PathBuf>,
    /// Compare with these Applications, as `kubectl get applications -o yaml` prints them.
    #[arg(long, value_name = "FILE", requires = "offline",
        conflicts_with_all = ["base", "base_set", "base_cluster_secrets"])]
    live: Option<PathBuf>,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Report,
}

/// The sets and revisions that are compared.
struct Question {
    set: ApplicationSet,
    head: Option<Substitute>,
    base_set: ApplicationSet,
    base: Option<Substitute>,
}

impl Args {
    /// Whether two expansions are compared, and not one with Applications.
    fn compares_expansions(&self) -> bool {
        self.base.is_some() || self.base_set.is_some() || self.base_cluster_secrets.is_some()
    }

    fn question(&self) -> Result<Question, Diagnostic> {
        let set = read(&self.file, &self.hub.namespace)?;
        let base_set = match &self.base_set {
            Some(path) => read(path, &self.hub.namespace)?,
            None => set.clone(),
        };
        Ok(Question {
            head: self.substitute(self.head.as_ref(), &set)?,
            base: self.substitute(self.base.as_ref(), &base_set)?,
            set,
            base_set,
        })
    }

    fn substitute(
        &self,
        revision: Option<&String>,
        set: &ApplicationSet,
    ) -> Result<Option<Substitute>, Diagnostic> {
        let Some(revision) = revision else {
            return Ok(None);
        };
        let repository = match &self.repository {
            Some(url) => url.clone(),
            None => the_one(repository_urls(set))?,
        };
        let substitute = Substitute {
            repository,
            branch: self.branch.clone(),
            revision: revision.clone(),
        };
        if self.offline.offline {
            return self.offline.pinned(substitute).map(Some);
        }
        Ok(Some(substitute))
    }
}

/// The only repository that a set reads.
fn the_one(urls: BTreeSet<String>) -> Result<String, Diagnostic> {
    let known: Vec<_> = urls.iter().cloned().collect();
    match (urls.into_iter().next(), known.len()) {
        (Some(url), 1) if !url.contains("{{") => Ok(url),
        (None, _) => Err(Diagnostic::user(
            "NoRepository",
            "the set reads no repository, so that --base and --head say nothing",
        )
        .fix("compare with --base-set or --base-cluster-secrets, or with the hub")),
        _ => Err(Diagnostic::user(
            "RepositoryAmbiguous",
            "it cannot be told which repository --base and --head are of",
        )
        .at(known.join(", "))
        .fix("name it with --repository")),
    }
}

/// Runs the command. A failure must not look like an answer, so that it ends with 1 here.
pub(crate) fn run(args: &Args) -> Outcome {
    let previewed = if args.offline.offline {
        offline::preview(args)
    } else {
        previewed_on_hub(args)
    };
    let printed = previewed.and_then(|(name, preview)| {
        args.output.print(
            &json::document(&name, &preview),
            || table::text(&name, &preview),
            || markdown::text(&name, &preview),
        )?;
        Ok(if preview.changes_anything() {
            Outcome::Changes
        } else {
            Outcome::Success
        })
    });
    printed.unwrap_or_else(|diagnostic| {
        output::error(&diagnostic);
        Outcome::Negative
    })
}

type Previewed = Result<(String, Preview), Diagnostic>;

fn previewed_on_hub(args: &Args) -> Previewed {
    let mut previewed = None;
    let looking = async {
        previewed = Some(hub::preview(args).await?);
        Ok(Outcome::Success)
    };
    block_on(looking)?;
    previewed.ok_or_else(|| Diagnostic::user("NoAnswer", "the hub gave no answer"))
}

/// One value of a field, on one line.
fn shown(value: Option<&serde_json::Value>) -> String {
    match value {
        None => "(absent)".to_owned(),
        Some(serde_json::Value::String(text)) if !text.is_empty() && !text.contains('\n') => {
            text.clone()
        }
        Some(value) => value.to_string(),
    }
}

/// Why a change is withheld.
fn withheld_because(withheld: &Withheld) -> String {
    let what = if withheld.is_deletion {
        "would be deleted"
    } else {
        "would be updated"
    };
    let policy = serde_json::json!(withheld.policy);
    let policy = policy.as_str().unwrap_or_default();
    format!("{what}, but the policy {policy} does not allow it")
}

/// What would be done, in numbers.
fn summary(preview: &Preview) -> String {
    let counts = [
        (preview.create.len(), "to create"),
        (preview.update.len(), "to update"),
        (preview.delete.len(), "to delete"),
        (preview.withheld.len(), "not allowed"),
        (preview.refused.len(), "not valid"),
        (preview.unchanged, "unchanged"),
    ];
    let told: Vec<_> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if told.is_empty() {
        "no Applications".to_owned()
    } else {
        told.join(", ")
    }
}

/// What the guard would say.
fn guard(parked: &Parked) -> String {
    let because = match parked.emptied.as_slice() {
        [] if parked.is_remainder => ", because the set waits with some of them already".to_owned(),
        [] => String::new(),
        emptied => format!(", because nothing comes of {} any more", emptied.join(", ")),
    };
    format!(
        "the guard would park this until somebody approves it: of {} Applications {} would be deleted and {} would move to another destination{because}",
        parked.owned,
        parked.deletes.len(),
        parked.moves.len()
    )
}

/// Where an Application would run.
fn destination(app: &Application) -> String {
    let to = &app.spec.destination;
    let cluster = if to.name.is_empty() {
        &to.server
    } else {
        &to.name
    };
    format!("{cluster}/{}", to.namespace)
}
