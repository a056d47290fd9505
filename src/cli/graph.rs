//! `argosy graph`.

use clap::{Parser, ValueEnum};

use super::hub_access::HubArgs;
use super::{CommandResult, Outcome, output};
use crate::hub::Hub;

/// Prints which application waits for which, over the whole fleet.
#[derive(Parser)]
#[command(after_help = "Example:\n  argosy graph -o dot | dot -Tsvg > fleet.svg")]
pub(crate) struct Args {
    #[command(flatten)]
    hub: HubArgs,
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: Form,
}

/// How the graph can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A line for each application.
    #[default]
    #[value(alias = "table")]
    Text,
    /// Nodes, edges and cycles as JSON.
    Json,
    /// The same as YAML.
    Yaml,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
}

pub(crate) async fn run(args: Args) -> CommandResult {
    let hub = Hub::look(args.hub.client().await?, &args.hub.namespace).await?;
    let graph = hub.fleet.graph();
    let text = match args.output {
        Form::Text => graph.to_text(),
        Form::Json => format!("{:#}", graph.to_json()),
        Form::Yaml => argosy_yaml::to_string(&graph.to_json()),
        Form::Dot => graph.to_dot(),
        Form::Mermaid => graph.to_mermaid(),
    };
    output::line(text.trim_end_matches('\n'));
    // A cycle is what a script wants to know of.
    Ok(if graph.cycles().is_empty() {
        Outcome::Success
    } else {
        Outcome::Negative
    })
}
