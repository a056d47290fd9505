//! What kubectl expects of a plugin: that it speaks of itself as `kubectl argosy`, and that a program
//! called `kubectl_complete-argosy` completes its command line.
//!
//! All are this program under another name; a link is enough.

use std::path::{Path, PathBuf};

use clap::{Arg, Command};

/// The name under which kubectl finds the plugin.
pub(super) const PLUGIN: &str = "kubectl-argosy";

/// The name under which kubectl finds what completes the plugin's command line.
const COMPLETER: &str = "kubectl_complete-argosy";

/// As what the program was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// By its own name, or one that means nothing.
    Argosy,
    /// As kubectl's plugin.
    Plugin,
    /// To complete the plugin's command line, which is its arguments.
    Completer,
}

impl Called {
    /// By the name in front of the arguments.
    pub(super) fn now() -> Self {
        let path = std::env::args_os().next().map(PathBuf::from);
        Self::by(path.as_deref())
    }

    fn by(path: Option<&Path>) -> Self {
        match path
            .and_then(Path::file_stem)
            .and_then(|name| name.to_str())
        {
            Some(PLUGIN) => Self::Plugin,
            Some(COMPLETER) => Self::Completer,
            _ => Self::Argosy,
        }
    }

    /// The command line, whose help and errors name it as its caller did.
    pub(super) fn name(self, command: Command) -> Command {
        match self {
            Self::Argosy => command,
            Self::Plugin | Self::Completer => command.bin_name("kubectl argosy"),
        }
    }
}

/// What may stand for the last word, in the form that kubectl reads: a line for each, and then
/// whether files may stand there, too.
pub(super) fn completions(mut root: Command, words: &[String]) -> String {
    root.build();
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.as_str(), before),
        None => ("", words),
    };
    let mut command = &root;
    let mut open = None;
    for word in before {
        if open.take().is_some() {
            // It was the flag's value.
        } else if word.starts_with('-') {
            open = flag(command, word);
        } else if let Some(inner) = command.find_subcommand(word) {
            command = inner;
        }
    }
    let (candidates, has_files) = match open {
        Some(flag) => values(flag),
        None if last.starts_with('-') => (flags(command), false),
        None => operands(command),
    };
    let mut lines: Vec<_> = candidates
        .into_iter()
        .filter(|candidate| candidate.starts_with(last))
        .collect();
    // Of the directives of kubectl's completion, 4 forbids files.
    lines.push(if has_files { ":0" } else { ":4" }.to_owned());
    lines.join("\n")
}

/// The flag that a word is, if its value is the next one.
fn flag<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let mut arguments = command.get_arguments();
    arguments.find(|one| {
        let is_long = one
            .get_long()
            .is_some_and(|long| word.strip_prefix("--") == Some(long));
        let is_short = one
            .get_short()
            .is_some_and(|short| word == format!("-{short}"));
        (is_long || is_short) && one.get_action().takes_values()
    })
}

fn flags(command: &Command) -> Vec<String> {
    let arguments = command.get_arguments().filter(|one| !one.is_hide_set());
    let longs = arguments.filter_map(Arg::get_long);
    longs.map(|long| format!("--{long}")).collect()
}

/// The values that an argument knows; files may stand for one that knows none.
fn values(argument: &Arg) -> (Vec<String>, bool) {
    let known = argument.get_possible_values();
    let shown = known.iter().filter(|value| !value.is_hide_set());
    let shown: Vec<_> = shown.map(|value| value.get_name().to_owned()).collect();
    let is_free = shown.is_empty();
    (shown, is_free)
}

/// Commands, or the values of what stands alone.
fn operands(command: &Command) -> (Vec<String>, bool) {
    let inner = command.get_subcommands().filter(|one| !one.is_hide_set());
    let names: Vec<_> = inner.map(|one| one.get_name().to_owned()).collect();
    match command.get_positionals().next() {
        Some(first) if names.is_empty() => values(first),
        _ => (names, false),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn completed(line: &str) -> Vec<String> {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let text = completions(Cli::command(), &words);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn it_is_called_as_kubectl_calls_plugins() {
        let by = |path: &str| Called::by(Some(Path::new(path)));
        assert_eq!(by("/usr/local/bin/kubectl-argosy"), Called::Plugin);
        assert_eq!(by("kubectl_complete-argosy"), Called::Completer);
        assert_eq!(by("./argosy"), Called::Argosy);
        let usage = Called::Plugin.name(Cli::command()).render_usage();
        assert!(usage.to_string().contains("kubectl argosy"), "{usage}");
    }

    #[test]
    fn commands_flags_and_their_values_are_completed() {
        assert_eq!(completed("app sy"), ["sync", "sync-plan", ":4"]);
        assert_eq!(completed("app list -o wi"), ["wide", ":4"]);
        assert_eq!(
            completed("app --color never list --sel"),
            ["--selector", ":4"]
        );
        assert_eq!(
            completed("app sync --timeout 9 --strat"),
            ["--strategy", ":4"]
        );
        assert!(completed("").contains(&"appset".to_owned()));
        assert!(completed("completion ").contains(&"bash".to_owned()));
        assert_eq!(completed("plan --clusters "), [":0"]);
        assert_eq!(completed("app sync web"), [":0"]);
    }
}
