//! What a plugin's file says: Argo CD's `ConfigManagementPlugin`.
//!
//! Pure. A file that cannot be meant as it stands is an error with its place, and never a plugin that
//! does less.

use argosy_glob::doublestar;
use serde::Deserialize;

use crate::path::TreePath;

const KIND: &str = "ConfigManagementPlugin";
const GROUP: &str = "argoproj.io/";

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    /// What a source calls it: its name, and its version after a dash where it has one.
    pub(super) name: String,
    /// The sources that it is for.
    pub(super) rule: Option<Rule>,
    /// What runs before the manifests are printed.
    pub(super) init: Option<Vec<String>>,
    /// What prints the manifests.
    pub(super) generate: Vec<String>,
    /// Whether programs of the repository can be run.
    pub(super) keeps_modes: bool,
    /// Whether its git may read the source's repository.
    pub(super) has_access: bool,
}

/// How a plugin recognises the sources that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A file that matches this path from the source's directory on; `**` stands for any directories.
    File(TreePath),
    /// A command that prints something.
    Command(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    metadata: Option<Metadata>,
    spec: Option<Spec>,
}

#[derive(Deserialize)]
struct Metadata {
    name: Option<String>,
}

/// Parameters are announced to people, and concurrency cannot matter where each run has files of its
/// own; both are read so that a mistake in them is told, and used for nothing.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Spec {
    version: Option<String>,
    init: Option<Command>,
    generate: Option<Command>,
    discover: Option<Discover>,
    #[serde(rename = "parameters")]
    _parameters: Option<Parameters>,
    preserve_file_mode: Option<bool>,
    provide_git_creds: Option<bool>,
    #[serde(rename = "lockRepo")]
    _lock_repo: Option<bool>,
    #[serde(rename = "allowConcurrency")]
    _allow_concurrency: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Command {
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Discover {
    file_name: Option<String>,
    find: Option<Find>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Find {
    glob: Option<String>,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Parameters {
    #[serde(rename = "static")]
    _announced: Option<Vec<serde_json::Map<String, serde_json::Value>>>,
    #[serde(rename = "dynamic")]
    _asked: Option<Command>,
}

impl Declaration {
    /// Reads a file. The error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let value = argosy_yaml::from_str(text).map_err(|error| error.to_string())?;
        let file: File = serde_json::from_value(value).map_err(|error| error.to_string())?;
        if file.kind != KIND || !file.api_version.starts_with(GROUP) {
            return Err(format!(
                "apiVersion and kind are {:?} and {:?}, and not {GROUP}v1alpha1 and {KIND}",
                file.api_version, file.kind
            ));
        }
        let name = file.metadata.and_then(|metadata| metadata.name);
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or("metadata.name is empty")?;
        let spec = file.spec.unwrap_or_default();
        let generate = spec.generate.and_then(Command::words);
        let find = spec.discover.unwrap_or_default();
        Ok(Self {
            name: match spec.version {
                Some(version) if !version.is_empty() => format!("{name}-{version}"),
                _ => name,
            },
            rule: find.rule()?,
            init: spec.init.and_then(Command::words),
            generate: generate.ok_or("spec.generate.command is empty")?,
            keeps_modes: spec.preserve_file_mode == Some(true),
            has_access: spec.provide_git_creds == Some(true),
        })
    }
}

impl Declaration {
    /// The programs that it runs.
    pub(super) fn programs(&self) -> impl Iterator<Item = &str> {
        let rule = match &self.rule {
            Some(Rule::Command(words)) => words.first(),
            _ => None,
        };
        let init = self.init.as_ref().and_then(|words| words.first());
        let programs = [rule, init, self.generate.first()];
        programs.into_iter().flatten().map(String::as_str)
    }
}

impl Command {
    /// The program and its arguments; `None` without a program.
    fn words(self) -> Option<Vec<String>> {
        let mut words = self.command.filter(|words| !words.is_empty())?;
        words.extend(self.args.into_iter().flatten());
        Some(words)
    }
}

impl Discover {
    /// The first rule that there is counts, and no other.
    fn rule(self) -> Result<Option<Rule>, String> {
        let find = self.find.unwrap_or_default();
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(name) = some(self.file_name) {
            return file("fileName", &without_doublestars(&name)).map(Some);
        }
        if let Some(glob) = some(find.glob) {
            return file("find.glob", &glob).map(Some);
        }
        let command = Command {
            command: find.command,
            args: find.args,
        };
        Ok(command.words().map(Rule::Command))
    }
}

fn file(field: &str, pattern: &str) -> Result<Rule, String> {
    let refuse = |why: String| format!("spec.discover.{field} is {pattern:?}: {why}");
    if !doublestar::is_valid(pattern) {
        return Err(refuse("is no pattern".to_owned()));
    }
    let path = TreePath::parse(pattern.trim_start_matches('/'));
    path.map(Rule::File)
        .map_err(|error| refuse(error.to_string()))
}

/// A pattern of Go's `filepath.Match`, which knows neither `**` nor alternatives.
fn without_doublestars(pattern: &str) -> String {
    let mut pattern = pattern.replace('{', "\\{").replace('}', "\\}");
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata: {name: cdk}\n";

    fn parse(spec: &str) -> Result<Declaration, String> {
        Declaration::parse(&format!("{HEAD}spec: {spec}\n"))
    }

    fn files(pattern: &str) -> Rule {
        Rule::File(TreePath::parse(pattern).unwrap())
    }

    #[test]
    fn a_file_of_argo_cds_is_read() {
        let spec = r#"{version: v1.0, init: {command: [sh], args: [-c, "make"]}, generate: {command: [sh, -c],
            args: ["cat x"]}, discover: {fileName: "./s*.yaml", find: {glob: "**/x", command: [a]}},
            parameters: {static: [{name: a, title: A, required: true, array: [x]}], dynamic: {command: [echo]}},
            preserveFileMode: true, lockRepo: false, provideGitCreds: false}"#;
        let declaration = parse(spec).unwrap();
        assert_eq!(declaration.name, "cdk-v1.0");
        assert_eq!(declaration.init.unwrap(), ["sh", "-c", "make"]);
        assert_eq!(declaration.generate, ["sh", "-c", "cat x"]);
        assert_eq!(declaration.rule, Some(files("s*.yaml")));
        assert!(declaration.keeps_modes);
    }

    #[test]
    fn the_first_rule_counts_and_none_is_none() {
        let rule = |discover: &str| {
            let spec = format!("{{generate: {{command: [x]}}, discover: {discover}}}");
            parse(&spec).unwrap().rule
        };
        assert_eq!(
            rule("{find: {glob: '**/x', command: [a]}}"),
            Some(files("**/x"))
        );
        assert_eq!(
            rule("{find: {command: [sh, -c], args: [find]}}"),
            Some(Rule::Command(vec!["sh".into(), "-c".into(), "find".into()]))
        );
        assert_eq!(
            rule("{fileName: '/sub/**{a,b}'}"),
            Some(files(r"sub/*\{a,b\}"))
        );
        assert_eq!(rule("{find: {args: [find]}}"), None);
        assert_eq!(rule("null"), None);
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        for (spec, text) in [
            ("{}", "spec.generate.command is empty"),
            ("{generate: {args: [x]}}", "spec.generate.command is empty"),
            (
                "{generate: {command: [x]}, discovery: {}}",
                "unknown field `discovery`",
            ),
            ("{generate: {command: x}}", "invalid type"),
            (
                "{generate: {command: [x]}, discover: {fileName: '[a'}}",
                "is no pattern",
            ),
            (
                "{generate: {command: [x]}, discover: {find: {glob: '../x'}}}",
                "outside root",
            ),
        ] {
            let error = parse(spec).unwrap_err();
            assert!(error.contains(text), "{spec}: {error}");
        }
        for (head, text) in [
            ("kind: ConfigMap", "kind are"),
            (
                "apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin",
                "metadata.name is empty",
            ),
        ] {
            let error = Declaration::parse(head).unwrap_err();
            assert!(error.contains(text), "{head}: {error}");
        }
    }
}
