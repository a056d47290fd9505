//! The user's config file: where it lies and what it may say.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_path_to_error::Segment;

use crate::diagnostic::Diagnostic;

/// What the file may say: the default of a flag, under the flag's own name.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    /// A kubeconfig; `~/` is the home directory, and what is relative is so to the config file.
    pub(super) kubeconfig: Option<Said>,
    /// A context of the kubeconfig.
    pub(super) context: Option<Said>,
    /// The namespace of the hub, its Applications and projects.
    pub(super) namespace: Option<Said>,
    /// The form of answers, for the commands that know it.
    pub(super) output: Option<Form>,
    /// When answers are in colours.
    pub(super) color: Option<When>,
}

/// A text that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Said(pub(super) String);

impl TryFrom<String> for Said {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Err("it is empty; leave the key out instead");
        }
        Ok(Self(text))
    }
}

/// The forms of which several commands know one; each command says with `--help` which it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    Text,
    Table,
    Wide,
    Json,
    Yaml,
    Name,
    Markdown,
}

/// The values of `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

/// What a value is called on the command line.
pub(super) fn name_of(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Where the file is looked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The path.
    pub(super) path: PathBuf,
    /// Whether the user named it, so that it has to be there.
    pub(super) is_named: bool,
}

/// The place that `$ARGOSY_CONFIG` names, else the one below `$XDG_CONFIG_HOME` or `~/.config`.
pub(super) fn place(variable: impl Fn(&str) -> Option<String>) -> Option<Place> {
    if let Some(path) = variable("ARGOSY_CONFIG") {
        let path = path.into();
        return Some(Place {
            path,
            is_named: true,
        });
    }
    let folder = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        // The specification has relative ones ignored.
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(Path::new(&variable("HOME")?).join(".config")))?;
    Some(Place {
        path: folder.join("argosy/config.yaml"),
        is_named: false,
    })
}

/// A file as it was read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// What it says.
    pub(super) file: ConfigFile,
    document: Option<argosy_yaml::Document>,
}

impl Parsed {
    /// The line on which a key stands.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        let position = self.document.as_ref()?.position_of(&format!("/{key}"))?;
        Some(position.line)
    }
}

/// Reads the text of the file at `path`; what is wrong in it is named by line.
pub(super) fn parse(text: &str, path: &Path) -> Result<Parsed, Diagnostic> {
    let wrong = |line: Option<usize>, why: &dyn std::error::Error| {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        Diagnostic::config("ConfigFileMalformed", "cannot use the config file")
            .at(format!("{}{line}", path.display()))
            .because(&std::io::Error::other(why.to_string()))
            .fix("`argosy config --help` lists what it may say")
    };
    // Strictly, because of a key that stands twice one would not be heeded.
    argosy_yaml::from_str_strict(text).map_err(|error| wrong(error.line(), &error))?;
    let documents = argosy_yaml::parse_documents(text);
    let documents = documents.map_err(|error| wrong(error.line(), &error))?;
    let Some(document) = documents.into_iter().next() else {
        return Ok(Parsed::default());
    };
    if !document.value.is_object() {
        let why = std::io::Error::other("it has keys with values, and this is something else");
        return Err(wrong(None, &why));
    }
    let file = serde_path_to_error::deserialize(&document.value).map_err(|error| {
        let key = match error.path().iter().next() {
            Some(Segment::Map { key }) => key.as_str(),
            _ => "",
        };
        let position = document.position_of(&format!("/{key}"));
        let why = std::io::Error::other(format!("{key}: {}", error.inner()));
        wrong(position.map(|position| position.line), &why)
    })?;
    Ok(Parsed {
        file,
        document: Some(document),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let path = Path::new("/home/ada/config.yaml");
        parse(text, path).expect_err(text).to_string()
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_what_would_be_right() {
        let unknown = told("namespace: fleet\n# mine\ncontxt: prod\n");
        assert!(unknown.contains("config.yaml:3\n"), "{unknown}");
        for key in [
            "contxt",
            "`context`",
            "`kubeconfig`",
            "`namespace`",
            "`output`",
            "`color`",
        ] {
            assert!(unknown.contains(key), "{key}: {unknown}");
        }
        let value = told("output: xml\n");
        assert!(value.contains("config.yaml:1\n"), "{value}");
        assert!(
            value.contains("output: ") && value.contains("`wide`"),
            "{value}"
        );
        assert!(told("color: always\nnamespace: ''\n").contains("config.yaml:2\n"));
        assert!(told("namespace: 7\n").contains("expected a string"));
        assert!(told("context: a\ncontext: b\n").contains("config.yaml:2\n"));
        assert!(told("- context\n").contains("keys with values"));
    }

    #[test]
    fn a_file_that_says_nothing_sets_nothing() {
        for text in ["", "# nothing yet\n", "context:\n"] {
            let parsed = parse(text, Path::new("f")).expect("well-formed");
            assert_eq!(parsed.file, ConfigFile::default(), "{text:?}");
        }
    }

    #[test]
    fn the_file_that_the_page_shows_is_one() {
        let page = include_str!("../../../docs/config.md");
        let block = page
            .split("```")
            .find_map(|part| part.strip_prefix("yml\n"));
        let parsed = parse(block.expect("a block"), Path::new("docs/config.md")).expect("right");
        assert_eq!(parsed.file.output, Some(Form::Wide));
    }

    #[test]
    fn the_file_lies_where_the_environment_says() {
        let place = |set: &[(&str, &str)]| {
            let found = place(|name| {
                let set = set.iter().find(|(one, _)| *one == name);
                set.map(|(_, value)| (*value).to_owned())
            });
            found.map(|place| (place.path.display().to_string(), place.is_named))
        };
        let home = ("HOME", "/home/ada");
        let below = |folder: &str| Some((format!("{folder}/argosy/config.yaml"), false));
        assert_eq!(place(&[home]), below("/home/ada/.config"));
        assert_eq!(
            place(&[home, ("XDG_CONFIG_HOME", "/etc/ada")]),
            below("/etc/ada")
        );
        assert_eq!(
            place(&[home, ("XDG_CONFIG_HOME", "etc")]),
            below("/home/ada/.config")
        );
        let named = [home, ("XDG_CONFIG_HOME", "/x"), ("ARGOSY_CONFIG", "a.yaml")];
        assert_eq!(place(&named), Some(("a.yaml".to_owned(), true)));
        assert_eq!(place(&[]), None);
    }
}
