//! Defaults of flags that are the user's own: what the environment and the config file say.
//!
//! A flag wins over its variable, the variable over the file, the file over what is built in. What
//! the user said becomes the default of each argument of that name before the command line is
//! parsed, so that no command knows of it and `--help` shows it.

mod file;

use std::path::{Path, PathBuf};

use clap::{Arg, Command, ValueEnum as _};
use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::surroundings::Surroundings;
use file::{ConfigFile, Form, Parsed, Said, name_of};

/// A flag whose default is the user's.
struct Setting {
    /// The flag without its dashes, and the key of the file.
    key: &'static str,
    /// The variable that sets it.
    variable: &'static str,
    /// What holds if nobody says anything.
    built_in: &'static str,
    /// What the file says.
    in_file: fn(&ConfigFile) -> Option<String>,
}

const SETTINGS: [Setting; 5] = [
    Setting {
        key: "kubeconfig",
        variable: "KUBECONFIG",
        built_in: "~/.kube/config",
        in_file: |file| text(file.kubeconfig.as_ref()),
    },
    Setting {
        key: "context",
        variable: "ARGOSY_CONTEXT",
        built_in: "the kubeconfig's current one",
        in_file: |file| text(file.context.as_ref()),
    },
    Setting {
        key: "namespace",
        variable: "ARGOSY_NAMESPACE",
        built_in: "argocd",
        in_file: |file| text(file.namespace.as_ref()),
    },
    Setting {
        key: OUTPUT,
        variable: "ARGOSY_OUTPUT",
        built_in: "what each command says",
        in_file: |file| file.output.as_ref().map(name_of),
    },
    Setting {
        key: COLOR,
        variable: "ARGOSY_COLOR",
        built_in: "auto",
        in_file: |file| file.color.as_ref().map(name_of),
    },
];

/// The flag whose variable is not declared with each argument, because commands differ in the forms
/// they know.
const OUTPUT: &str = "output";

const COLOR: &str = "color";

fn text(said: Option<&Said>) -> Option<String> {
    said.map(|said| said.0.clone())
}

/// The defaults of all settings, and the file that was looked at.
pub(super) struct Defaults {
    /// The file, whether it is there or not.
    pub(super) file: Option<PathBuf>,
    /// One for each setting.
    pub(super) values: Vec<InEffect>,
}

/// The default of one setting.
#[derive(Debug, Serialize)]
pub(super) struct InEffect {
    /// The flag without its dashes.
    pub(super) setting: &'static str,
    /// What holds where the flag is not given.
    pub(super) value: String,
    /// Where that comes from.
    pub(super) from: Origin,
}

/// Where a default comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub(super) enum Origin {
    /// A variable of the environment.
    Variable(&'static str),
    /// A line of the file.
    File(String),
    /// The program.
    BuiltIn,
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Variable(name) => format!("${name}"),
            Origin::File(place) => place,
            Origin::BuiltIn => "built-in".to_owned(),
        }
    }
}

impl Defaults {
    /// Reads the file, if there is one, and the environment.
    pub(super) fn read(surroundings: &Surroundings) -> Result<Self, Diagnostic> {
        let variable = |name: &str| surroundings.variable(name);
        let Some(place) = file::place(variable) else {
            let values = values(&Parsed::default(), Path::new(""), variable)?;
            return Ok(Self { file: None, values });
        };
        let parsed = match std::fs::read_to_string(&place.path) {
            Ok(text) => file::parse(&text, &place.path)?,
            // A home that the user may not even enter, as some containers have, holds no file either.
            Err(_) if !place.is_named && !place.path.exists() => Parsed::default(),
            Err(error) => {
                let unreadable =
                    Diagnostic::config("ConfigFileUnreadable", "cannot read the config file")
                        .at(place.path.display().to_string())
                        .because(&error);
                return Err(if place.is_named {
                    unreadable.fix("`$ARGOSY_CONFIG` names it; correct or unset that variable")
                } else {
                    unreadable
                });
            }
        };
        let values = values(&parsed, &place.path, variable)?;
        Ok(Self {
            file: Some(place.path),
            values,
        })
    }

    /// The command line with these defaults.
    pub(super) fn apply(&self, command: Command) -> Command {
        // Help is printed before the flag of that name is known.
        let color = self.values.iter().find(|value| value.setting == COLOR);
        let color = color.and_then(|value| value.value.parse().ok());
        let command = command.color(color.unwrap_or_default());
        let said = self.values.iter().filter(|value| match value.from {
            Origin::File(_) => true,
            // The others are read with the arguments that declare them, or with the kubeconfig.
            Origin::Variable(_) => value.setting == OUTPUT,
            Origin::BuiltIn => false,
        });
        said.fold(command, |command, value| {
            with_default(command, value.setting, &value.value)
        })
    }
}

/// Gives an argument of this command and of all below it a default, where it takes that value.
fn with_default(mut command: Command, key: &str, value: &str) -> Command {
    let taking = command
        .get_arguments()
        .find(|one| one.get_long() == Some(key) && takes(one, value))
        .map(|one| one.get_id().clone());
    if let Some(id) = taking {
        command = command.mut_arg(id, |argument| argument.default_value(value.to_owned()));
    }
    command.mut_subcommands(|inner| with_default(inner, key, value))
}

/// Whether a default may be this one. That of a form is one of those it has; a command without a
/// default form does something else without the flag, and another `--output` is a file.
fn takes(argument: &Arg, value: &str) -> bool {
    if argument.get_long() != Some(OUTPUT) {
        return true;
    }
    !argument.get_default_values().is_empty()
        && argument
            .get_possible_values()
            .iter()
            .any(|possible| possible.matches(value, false))
}

/// The default of each setting.
fn values(
    parsed: &Parsed,
    path: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<InEffect>, Diagnostic> {
    let home = variable("HOME");
    let values = SETTINGS.iter().map(|setting| {
        let Setting {
            key,
            variable: name,
            ..
        } = *setting;
        let (value, from) = if let Some(value) = variable(name) {
            (value, Origin::Variable(name))
        } else if let Some(value) = (setting.in_file)(&parsed.file) {
            let line = parsed.line_of(key).unwrap_or(1);
            let value = match key {
                "kubeconfig" => resolved(&value, path, home.as_deref()),
                _ => value,
            };
            (value, Origin::File(format!("{}:{line}", path.display())))
        } else {
            (setting.built_in.to_owned(), Origin::BuiltIn)
        };
        InEffect {
            setting: key,
            value,
            from,
        }
    });
    let values: Vec<_> = values.collect();
    let form = values
        .iter()
        .find(|one| one.setting == OUTPUT && one.from != Origin::BuiltIn);
    match form {
        Some(one) if Form::from_str(&one.value, false).is_err() => Err(unknown_form(&one.value)),
        _ => Ok(values),
    }
}

fn unknown_form(value: &str) -> Diagnostic {
    let known: Vec<_> = Form::value_variants().iter().map(name_of).collect();
    Diagnostic::user("FormUnknown", format!("there is no form `{value}`"))
        .at("$ARGOSY_OUTPUT")
        .fix(format!("one of: {}", known.join(", ")))
}

/// A path as the file means it.
fn resolved(path: &str, file: &Path, home: Option<&str>) -> String {
    let path = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => file.parent().unwrap_or(Path::new("")).join(path),
    };
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    const FILE: &str = "/home/ada/.config/argosy/config.yaml";

    fn defaults(text: &str, set: &[(&str, &str)]) -> Result<Defaults, Diagnostic> {
        let path = Path::new(FILE);
        let variable = |name: &str| {
            let set = set.iter().find(|(one, _)| *one == name);
            set.map(|(_, value)| (*value).to_owned())
        };
        let values = values(&file::parse(text, path)?, path, variable)?;
        let file = Some(path.to_owned());
        Ok(Defaults { file, values })
    }

    fn one<'a>(defaults: &'a Defaults, setting: &str) -> (&'a str, String) {
        let mut values = defaults.values.iter();
        let value = values.find(|one| one.setting == setting).expect("known");
        (&value.value, value.from.clone().into())
    }

    /// What a command line comes to: the value of an argument of its innermost command.
    fn parsed(defaults: &Defaults, line: &str, argument: &str) -> Option<String> {
        let command = defaults.apply(Cli::command());
        let matches = command.try_get_matches_from(line.split(' ')).expect(line);
        let mut inner = &matches;
        while let Some((_, below)) = inner.subcommand() {
            inner = below;
        }
        let mut raw = inner.get_raw(argument)?;
        Some(raw.next()?.to_string_lossy().into_owned())
    }

    #[test]
    fn a_variable_wins_over_the_file_and_the_file_over_what_is_built_in() {
        let text = "context: prod\nnamespace: fleet\n";
        let defaults = defaults(text, &[("ARGOSY_CONTEXT", "dev")]).expect("right");
        assert_eq!(
            one(&defaults, "context"),
            ("dev", "$ARGOSY_CONTEXT".to_owned())
        );
        assert_eq!(one(&defaults, "namespace"), ("fleet", format!("{FILE}:2")));
        assert_eq!(one(&defaults, "color"), ("auto", "built-in".to_owned()));
    }

    #[test]
    fn what_the_file_says_is_the_default_of_every_command_that_has_the_flag() {
        let text = "context: prod\nnamespace: fleet\nkubeconfig: ~/k\noutput: yaml\ncolor: never\n";
        let defaults = defaults(text, &[("HOME", "/home/ada")]).expect("right");
        for line in [
            "argosy app list",
            "argosy hub",
            "argosy app get web",
            "argosy window list p",
        ] {
            assert_eq!(
                parsed(&defaults, line, "context").as_deref(),
                Some("prod"),
                "{line}"
            );
            assert_eq!(
                parsed(&defaults, line, "namespace").as_deref(),
                Some("fleet"),
                "{line}"
            );
            assert_eq!(
                parsed(&defaults, line, "kubeconfig").as_deref(),
                Some("/home/ada/k")
            );
            assert_eq!(
                parsed(&defaults, line, "color").as_deref(),
                Some("never"),
                "{line}"
            );
        }
        let flag = parsed(
            &defaults,
            "argosy app list --context dev -o wide",
            "context",
        );
        assert_eq!(flag.as_deref(), Some("dev"));
        let flag = parsed(&defaults, "argosy app list --context dev -o wide", OUTPUT);
        assert_eq!(flag.as_deref(), Some("wide"));
    }

    #[test]
    fn a_form_holds_where_a_command_knows_it_and_nowhere_else() {
        let wide = defaults("", &[("ARGOSY_OUTPUT", "wide")]).expect("right");
        assert_eq!(
            parsed(&wide, "argosy app list", OUTPUT).as_deref(),
            Some("wide")
        );
        assert_eq!(
            parsed(&wide, "argosy app get web", OUTPUT).as_deref(),
            Some("text")
        );
        let yaml = defaults("output: yaml\n", &[]).expect("right");
        assert_eq!(
            parsed(&yaml, "argosy app get web", OUTPUT).as_deref(),
            Some("yaml")
        );
        // There the flag means something else than a form, or its absence does.
        assert_eq!(parsed(&yaml, "argosy install", OUTPUT), None);
        assert_eq!(parsed(&yaml, "argosy admin export", OUTPUT), None);
        let wrong = defaults("", &[("ARGOSY_OUTPUT", "xml")])
            .err()
            .expect("wrong")
            .to_string();
        assert!(
            wrong.contains("$ARGOSY_OUTPUT") && wrong.contains("wide, json"),
            "{wrong}"
        );
    }

    #[test]
    fn a_kubeconfig_is_found_from_home_and_from_the_file() {
        let file = Path::new("/etc/ada/config.yaml");
        assert_eq!(resolved("~/k", file, Some("/home/ada")), "/home/ada/k");
        assert_eq!(
            resolved("fleet/k", file, Some("/home/ada")),
            "/etc/ada/fleet/k"
        );
        assert_eq!(resolved("/k", file, None), "/k");
    }
}
