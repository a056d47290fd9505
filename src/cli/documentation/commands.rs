//! Command lines of the pages, parsed as the program parses them.

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use super::{Code, code};
use crate::cli::Cli;

/// Where a shell begins another command, or a file.
const ENDS: [&str; 8] = ["|", "||", "&&", ";", ">", ">>", "<", "2>"];

#[test]
fn every_command_of_the_pages_can_be_given() {
    let mut program = Cli::command();
    let (mut blocks, mut wrong) = (0, Vec::new());
    for code in code() {
        for command in commands(&code) {
            blocks += usize::from(code.language.is_some());
            if let Err(error) = program.try_get_matches_from_mut(&command)
                && !may_be(error.kind(), &code)
            {
                wrong.push(format!(
                    "{}: {}: {error}",
                    code.page.display(),
                    command.join(" ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(blocks > 50, "{blocks}");
}

/// Help is an answer; and a sentence may name a command without what it needs.
fn may_be(kind: ErrorKind, code: &Code) -> bool {
    match kind {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::TooFewValues
        | ErrorKind::InvalidValue
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => code.language.is_none(),
        _ => false,
    }
}

/// The calls of the program, in words.
fn commands(code: &Code) -> Vec<Vec<String>> {
    if code.language.is_some() && !code.is_in(&["console", "sh"]) {
        return Vec::new();
    }
    let whole = code.text.replace("\\\n", " ");
    // With a prompt, what has none is an answer.
    let prompted = whole.lines().any(|line| line.starts_with("$ "));
    let lines = whole
        .lines()
        .filter_map(|line| match line.strip_prefix("$ ") {
            None => (!prompted).then_some(line),
            command => command,
        });
    lines.flat_map(calls).collect()
}

fn calls(line: &str) -> Vec<Vec<String>> {
    let words = shlex::split(line).unwrap_or_default();
    let parts = words.split(|word| ENDS.contains(&word.as_str()));
    parts
        .filter_map(|part| match part {
            [plugin, rest @ ..] if plugin == "kubectl" && is_ours(rest) => Some(rest),
            part => is_ours(part).then_some(part),
        })
        .map(|part| part.iter().filter(|word| *word != "…").cloned().collect())
        .collect()
}

fn is_ours(words: &[String]) -> bool {
    words.first().is_some_and(|word| word == "argosy")
}

#[test]
fn calls_are_told_from_what_is_around_them() {
    let of = |language: Option<&str>, text: &str| {
        commands(&Code {
            page: "page.md".into(),
            language: language.map(str::to_owned),
            text: text.to_owned(),
        })
    };
    let block = of(
        Some("console"),
        "argosy app get web \\\n  -o json > web.json   # all of it\nkubectl argosy app list | less\nhelm list\n",
    );
    assert_eq!(
        block,
        [
            &["argosy", "app", "get", "web", "-o", "json"][..],
            &["argosy", "app", "list"]
        ]
    );
    let prompted = of(
        Some("console"),
        "$ argosy graph\nargosy is not a command here\n",
    );
    assert_eq!(prompted, [["argosy", "graph"]]);
    assert!(of(Some("text"), "argosy up\n").is_empty());
    assert_eq!(of(None, "argosy up"), [["argosy", "up"]]);
}
