//! The one place that prints: answers to standard output, everything else to standard error.

#![expect(clippy::print_stderr, reason = "this module is what prints")]

use std::io::Write as _;
use std::path::Path;

use anstream::{AutoStream, ColorChoice};
use argosy_yaml as yaml;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use crate::diagnostic::Diagnostic;

/// The form of an answer that is one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person.
    #[default]
    #[value(alias = "table")]
    Text,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// The form of an answer that may go into a pull request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    /// For a person.
    #[default]
    #[value(alias = "text")]
    Table,
    /// For the comment of a pull request, with every difference folded in.
    Markdown,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

impl Report {
    /// Prints an answer, whose texts end where they end.
    pub(crate) fn print(
        self,
        value: &impl Serialize,
        table: impl FnOnce() -> String,
        markdown: impl FnOnce() -> String,
    ) -> Result<(), Diagnostic> {
        match self {
            Self::Table => document(Format::Text, value, table),
            Self::Markdown => document(Format::Text, value, markdown),
            Self::Json => document(Format::Json, value, String::new),
            Self::Yaml => document(Format::Yaml, value, String::new),
        }
    }
}

/// Says when answers are in colours.
pub(crate) fn colour(when: clap::ColorChoice) {
    match when {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
}

/// Whether answers may be in colours: as `--color` says, and where it leaves that open, on a terminal
/// that has colours, heeding `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`.
pub(crate) fn is_coloured() -> bool {
    AutoStream::choice(&std::io::stdout()) != ColorChoice::Never
}

/// Prints the problem that ended the command.
pub(crate) fn error(diagnostic: &Diagnostic) {
    eprintln!("{diagnostic}");
}

/// Prints one line of an answer.
pub(crate) fn line(text: impl AsRef<str>) {
    // Whoever reads may have seen enough and be gone, as `head` is; there is nobody left to tell.
    let _ = writeln!(std::io::stdout(), "{}", text.as_ref());
}

/// Prints a warning or progress, apart from the answer.
pub(crate) fn note(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// Prints an answer as one document.
pub(crate) fn document(
    format: Format,
    value: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), Diagnostic> {
    let encoded = || {
        serde_json::to_value(value).map_err(|error| {
            Diagnostic::user("NotPrintable", "cannot encode the answer").because(&error)
        })
    };
    match format {
        // Where there is nothing to tell, not even an empty line is.
        Format::Text => match text().trim_end_matches('\n') {
            "" => {}
            text => line(text),
        },
        Format::Json => line(format!("{:#}", encoded()?)),
        Format::Yaml => line(yaml::to_string(&encoded()?).trim_end_matches('\n')),
    }
    Ok(())
}

/// Reads a file that the user named.
pub(crate) fn read(path: &Path) -> Result<String, Diagnostic> {
    std::fs::read_to_string(path).map_err(|error| {
        Diagnostic::user("FileUnreadable", "cannot read the file")
            .at(path.display().to_string())
            .because(&error)
    })
}

/// Reads all YAML or JSON documents of a file that the user named; empty ones are left out.
pub(crate) fn read_documents(path: &Path) -> Result<Vec<Value>, Diagnostic> {
    let text = read(path)?;
    let documents = yaml::parse_documents(&text).map_err(|error| {
        Diagnostic::user("FileMalformed", "cannot parse the file")
            .at(path.display().to_string())
            .because(&error)
    })?;
    Ok(documents
        .into_iter()
        .map(|document| document.value)
        .filter(|value| !value.is_null())
        .collect())
}

/// Reads the objects of a file: documents, and lists as kubectl prints them.
pub(crate) fn read_objects(path: &Path) -> Result<Vec<Value>, Diagnostic> {
    let documents = read_documents(path)?.into_iter();
    let objects = documents.flat_map(|mut document| match document.get_mut("items") {
        Some(Value::Array(items)) => std::mem::take(items),
        _ => vec![document],
    });
    Ok(objects.collect())
}

/// Reads a file that holds exactly one YAML or JSON document.
pub(crate) fn read_document(path: &Path) -> Result<Value, Diagnostic> {
    let mut documents = read_documents(path)?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => Ok(document),
        (found, _) => Err(Diagnostic::user(
            "FileMalformed",
            format!(
                "expected one document, found {}",
                documents.len() + usize::from(found.is_some())
            ),
        )
        .at(path.display().to_string())),
    }
}
