//! `argosy app diff NAME`: git against the cluster, as the hub would see it.
//!
//! The command reads what the hub reads, with the hub's own code, and writes nothing.

use std::sync::Arc;

use serde_json::json;
use similar::TextDiff;

use super::Args;
use crate::cli::hub_access::{HubArgs, absent};
use crate::cli::{CommandResult, Outcome, output};
use crate::controller::application::{Against, Difference, Differences, differences};
use crate::diagnostic::Diagnostic;
use crate::fleet::ObjectName;
use crate::hub::Hub;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The hub as a command sees it, and one application of it.
pub(crate) async fn look_at(
    hub: &HubArgs,
    name: &str,
) -> Result<(Arc<Hub>, ObjectName), Diagnostic> {
    let looking = Hub::look(hub.client().await?, &hub.namespace).await?;
    let wanted = ObjectName::new(&hub.namespace, name);
    let known: Vec<_> = {
        let index = looking.fleet.index();
        index.applications.names().cloned().collect()
    };
    if known.contains(&wanted) {
        return Ok((looking, wanted));
    }
    let known: Vec<_> = known.into_iter().map(|one| one.name).collect();
    Err(absent("app", name, &known))
}

pub(super) async fn run(args: &Args, name: &str) -> CommandResult {
    let (hub, wanted) = look_at(&args.hub, name).await?;
    let against = Against {
        revision: args.revision.clone(),
        local: args.local.clone(),
        server_side: args.server_side,
    };
    let compared = differences(&hub, &wanted, &against).await;
    let Differences { found, blind } = compared.map_err(|why| {
        Diagnostic::remote("ComparisonFailed", format!("cannot compare `{name}`"))
            .because(&std::io::Error::other(why))
    })?;
    let answer: Vec<_> = found
        .iter()
        .map(|one| {
            json!({
                "group": one.key.group, "kind": one.key.kind,
                "namespace": one.key.namespace, "name": one.key.name,
                "live": one.live, "predicted": one.predicted,
            })
        })
        .collect();
    output::document(args.output, &answer, || text(&found))?;
    if !blind.is_empty() {
        return Err(incomplete(name, blind));
    }
    let differs = !found.is_empty() && !args.no_exit_code;
    Ok(if differs {
        Outcome::Negative
    } else {
        Outcome::Success
    })
}

/// The answer is true and not whole: no script may take it for that.
fn incomplete(name: &str, blind: Vec<String>) -> Diagnostic {
    let what = format!("not all of `{name}` could be compared");
    let told = Diagnostic::remote("ComparisonIncomplete", what);
    let told = blind
        .into_iter()
        .fold(told, |told, why| told.because(&std::io::Error::other(why)));
    told.fix(
        "what is shown of the rest is true; compare again once the cluster answers for all of it",
    )
}

fn text(found: &[Difference]) -> String {
    let text: String = found.iter().map(one_text).collect();
    if output::is_coloured() {
        text.split_inclusive('\n').map(coloured).collect()
    } else {
        text
    }
}

/// A line of a unified diff in the colours that git has taught people.
fn coloured(line: &str) -> String {
    let style = match line.as_bytes() {
        [b'+', ..] => "32",
        [b'-', ..] => "31",
        [b'@', ..] => "36",
        [b'=', ..] => "1",
        _ => return line.to_owned(),
    };
    let (text, end) = line.split_at(line.trim_end_matches('\n').len());
    format!("\u{1b}[{style}m{text}\u{1b}[0m{end}")
}

fn one_text(one: &Difference) -> String {
    let yaml = |object: &Option<serde_json::Value>| {
        object
            .as_ref()
            .map(argosy_yaml::to_string)
            .unwrap_or_default()
    };
    let (live, predicted) = (yaml(&one.live), yaml(&one.predicted));
    let diff = TextDiff::from_lines(&live, &predicted);
    let unified = diff
        .unified_diff()
        .context_radius(CONTEXT)
        .header("live", "git")
        .to_string();
    format!("===== {} ======\n{unified}\n", one.key)
}
