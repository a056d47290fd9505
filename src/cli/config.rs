//! `argosy config`: the defaults of flags that are in effect.

use clap::Parser;

use super::defaults::{Defaults, InEffect};
use super::table::{Column, ListFormat, Listing};
use super::{CommandResult, Outcome, output};

/// Prints the defaults of flags that hold for you, and where each comes from.
///
/// A flag wins over its variable of the environment, the variable over the config file, and the file
/// over what is built in. The file is the one that $ARGOSY_CONFIG names, else
/// $XDG_CONFIG_HOME/argosy/config.yaml, else ~/.config/argosy/config.yaml.
#[derive(Parser)]
#[command(after_help = "Keys of the file:
  kubeconfig  the kubeconfig to use; also $KUBECONFIG
  context     the context of the kubeconfig; also $ARGOSY_CONTEXT
  namespace   the namespace of the hub; also $ARGOSY_NAMESPACE
  output      the form of answers (text, table, wide, json, yaml, name or markdown) for the commands
              that know it; also $ARGOSY_OUTPUT
  color       auto, always or never; also $ARGOSY_COLOR

Examples:
  argosy config
  ARGOSY_CONFIG=fleet.yaml argosy config -o json")]
pub(crate) struct Args {
    /// The form of the answer.
    #[arg(short, long, value_enum, value_name = "FORM", default_value_t)]
    output: ListFormat,
}

pub(super) fn run(args: &Args, defaults: &Defaults) -> CommandResult {
    let listing = Listing {
        items: &defaults.values,
        resource: "setting",
        name: |value| value.setting.to_owned(),
        columns: &COLUMNS,
    };
    listing.print(args.output)?;
    if let Some(file) = defaults.file.as_deref().filter(|file| !file.exists()) {
        output::note(format!("there is no config file {}", file.display()));
    }
    Ok(Outcome::Success)
}

const COLUMNS: [Column<InEffect>; 3] = [
    Column {
        heading: "SETTING",
        wide: false,
        cell: |value| value.setting.to_owned(),
    },
    Column {
        heading: "VALUE",
        wide: false,
        cell: |value| value.value.clone(),
    },
    Column {
        heading: "FROM",
        wide: false,
        cell: |value| value.from.clone().into(),
    },
];
