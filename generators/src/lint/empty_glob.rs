//! Patterns of git directories and files that select nothing.

use argosy_crds::application_set::generators::GitGenerator;
use argosy_facts::Observed;
use argosy_glob::path_match::Pattern;

use super::{Finding, Level, Subject};
use crate::facts::{Answer, Request};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, entry) in subject.entries() {
        let Some(git) = &entry.git else { continue };
        let list = if git.directories.is_empty() {
            "files"
        } else {
            "directories"
        };
        let items = git
            .directories
            .iter()
            .map(|item| (&item.path, item.exclude));
        let files = git.files.iter().map(|item| (&item.path, item.exclude));
        // Directories win where both are given.
        let items: Vec<_> = if git.directories.is_empty() {
            files.collect()
        } else {
            items.collect()
        };
        for (index, (path, exclude)) in items.into_iter().enumerate() {
            if is_empty(subject, git, path) {
                let place = format!("{place}.git.{list}[{index}].path");
                findings.push(finding(place, path, exclude, git));
            }
        }
    }
    findings
}

/// Whether it is known that the pattern selects nothing.
fn is_empty(subject: &Subject<'_>, git: &GitGenerator, path: &str) -> bool {
    let answers = subject.facts.iter().filter_map(|(request, answer)| {
        let Observed::Complete(answer) = answer else {
            return None;
        };
        Some((request, answer.get()))
    });
    let mut answers = answers.filter_map(|(request, answer)| match (request, answer) {
        (
            Request::GitDirectories {
                repo_url, revision, ..
            },
            Answer::Directories(directories),
        ) if !git.directories.is_empty()
            && *repo_url == git.repo_url
            && *revision == git.revision =>
        {
            let pattern = Pattern::parse(path).ok();
            let selected = |directory: &String| {
                pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.matches(directory))
            };
            Some(!directories.iter().any(selected))
        }
        (
            Request::GitFiles {
                repo_url,
                revision,
                pattern,
                ..
            },
            Answer::Files(files),
        ) if *repo_url == git.repo_url && *revision == git.revision && pattern == path => {
            Some(files.is_empty())
        }
        _ => None,
    });
    answers.next().unwrap_or(false)
}

fn finding(place: String, path: &str, exclude: bool, git: &GitGenerator) -> Finding {
    let revision = match git.revision.as_str() {
        "" => "HEAD",
        revision => revision,
    };
    let verb = if exclude { "leaves out" } else { "selects" };
    let kind = if git.directories.is_empty() {
        "file"
    } else {
        "directory"
    };
    Finding {
        level: Level::Warning,
        rule: "empty-glob",
        place,
        message: format!("the pattern `{path}` {verb} no {kind} at {revision}"),
        fix: if git.directories.is_empty() {
            "correct or remove it".to_owned()
        } else {
            "correct or remove it; `*` does not cross `/`, and `**` means no more than `*`"
                .to_owned()
        },
    }
}
