//! What holds for the command line as a whole.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Command, CommandFactory as _};

use super::Cli;

/// The commands that do something and have nothing to print but that it is done, or print a page of
/// one form.
const WITHOUT_FORM: [&str; 27] = [
    "argosy demo",
    "argosy demo stop-cluster",
    "argosy demo start-cluster",
    "argosy demo notify",
    "argosy hub",
    "argosy uninstall",
    "argosy cluster add",
    "argosy cluster rm",
    "argosy repo add",
    "argosy repo rm",
    "argosy app rollback",
    "argosy app terminate-op",
    "argosy app approve",
    "argosy app confirm-deletion",
    "argosy app delete",
    "argosy app pause",
    "argosy app resume",
    "argosy app actions run",
    "argosy appset approve",
    "argosy admin docs cli",
    "argosy admin docs man",
    "argosy admin export",
    "argosy admin import",
    "argosy admin log-level",
    "argosy admin metrics",
    "argosy admin support-bundle",
    "argosy completion",
];

/// Every command that can be run, by the words that call it.
fn commands() -> Vec<Command> {
    fn gather(command: &Command, found: &mut Vec<Command>) {
        if !command.is_subcommand_required_set() {
            found.push(command.clone());
        }
        let inner = command.get_subcommands();
        for inner in inner.filter(|one| one.get_name() != "help") {
            gather(inner, found);
        }
    }
    let mut root = Cli::command();
    root.build();
    let mut found = Vec::new();
    gather(&root, &mut found);
    found
}

fn called(command: &Command) -> &str {
    command.get_bin_name().unwrap_or_default()
}

#[test]
fn the_command_tree_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn a_form_is_asked_for_with_the_same_flag_everywhere() {
    let mut without = Vec::new();
    for command in commands() {
        let name = called(&command).to_owned();
        let mut arguments = command.get_arguments();
        let Some(output) = arguments.find(|one| one.get_long() == Some("output")) else {
            without.push(name);
            continue;
        };
        assert_eq!(output.get_short(), Some('o'), "{name}");
        let forms = output.get_possible_values();
        if forms.is_empty() {
            // A file, of which the commands without a form tell.
            without.push(name);
            continue;
        }
        let value: Vec<_> = output.get_value_names().unwrap_or_default().to_vec();
        assert_eq!(value, ["FORM"], "{name}");
        let knows = |form: &str| forms.iter().any(|known| known.matches(form, false));
        assert!(knows("json") && knows("yaml"), "{name}");
        // What has no form for a person does something else without the flag.
        let is_optional = output.get_default_values().is_empty();
        assert!(is_optional || (knows("text") && knows("table")), "{name}");
    }
    without.sort();
    without.dedup();
    let mut known: Vec<_> = WITHOUT_FORM.iter().map(ToString::to_string).collect();
    known.sort();
    assert_eq!(without, known, "a command that prints data has `--output`");
}

#[test]
fn a_short_flag_means_the_same_everywhere() {
    let mut meanings: BTreeMap<char, BTreeSet<String>> = BTreeMap::new();
    for command in commands() {
        for argument in command.get_arguments() {
            let (Some(short), Some(long)) = (argument.get_short(), argument.get_long()) else {
                assert_eq!(argument.get_short(), None, "{}", called(&command));
                continue;
            };
            meanings.entry(short).or_default().insert(long.to_owned());
        }
    }
    for (short, longs) in meanings {
        assert_eq!(longs.len(), 1, "-{short}: {longs:?}");
    }
}

#[test]
fn every_command_has_an_example_and_it_is_one() {
    for command in commands() {
        let name = called(&command).to_owned();
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let (_, examples) = help.rsplit_once("Example").unwrap_or_default();
        let continued: Vec<_> = examples.split("\\\n").map(str::trim).collect();
        let examples = continued.join(" ");
        let lines = examples.lines().filter_map(|line| {
            let own = line.trim_start().starts_with("argosy ");
            let at = if own {
                line.find("argosy ")
            } else {
                line.find(" argosy ").map(|at| at + 1)
            };
            at.map(|at| &line[at..])
        });
        let lines: Vec<_> = lines.map(words).collect();
        let own = lines
            .iter()
            .filter(|line| line.join(" ").starts_with(&name));
        assert!(own.count() > 0, "{name}: {help}");
        for line in lines {
            let parsed = Cli::command().try_get_matches_from(&line);
            assert!(parsed.is_ok(), "{line:?}: {}", parsed.unwrap_err());
        }
    }
}

/// The words of an example as a shell takes them, up to a pipe, a redirection or a remark.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let ends = ["  ", " | ", " > ", ")"];
    let end = ends.iter().filter_map(|end| line.find(end)).min();
    for letter in line[..end.unwrap_or(line.len())].chars() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            (' ', None) => words.push(std::mem::take(&mut word)),
            (letter, _) => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
