//! Which data a template names, found without running it.
//!
//! Only what is named from the root counts: inside of `range` and `with` the dot is something else,
//! and only `$` leads back. What cannot be told is left out, or counts as the whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::parse::Definition;
use crate::parse::node::{Branch, Command, Kind, Node, Operand, Pipe};

/// What a template names of its data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// The paths, in the order of the text; one may repeat.
    pub fields: Vec<Reference>,
    /// Whether the data is used as a whole, so that every part of it may be.
    pub whole: bool,
    /// The functions that are called.
    pub functions: BTreeSet<Arc<str>>,
}

/// A path from the root of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The keys.
    pub path: Vec<Arc<str>>,
    /// Whether the template asks in a way that is right for an absent key, too, such as `index`.
    pub lookup: bool,
    /// Whether the template provides for an absent or empty value, such as `if` or `default`.
    pub provided: bool,
}

/// Functions that take a map and a key that need not be there.
const LOOKUPS: [&str; 4] = ["index", "get", "hasKey", "dig"];

/// Functions whose point is a value that is empty.
const PROVIDERS: [&str; 6] = [
    "default", "coalesce", "empty", "ternary", "hasKey", "required",
];

pub(crate) fn of(definition: &Definition) -> References {
    let mut found = References::default();
    nodes(&definition.list, true, &mut found);
    found
}

fn nodes(list: &[Node], at_root: bool, found: &mut References) {
    for node in list {
        match node {
            Node::Text(_) | Node::Break | Node::Continue => {}
            Node::Action(action) => pipe(action, at_root, false, found),
            Node::If(branch) => {
                pipe(&branch.pipe, at_root, true, found);
                bodies(branch, at_root, at_root, found);
            }
            Node::With(branch) | Node::Range(branch) => {
                pipe(&branch.pipe, at_root, true, found);
                bodies(branch, false, at_root, found);
            }
            // What another definition does with its data is its own business.
            Node::Template(_) => found.whole = true,
        }
    }
}

fn bodies(branch: &Branch, list_at_root: bool, otherwise_at_root: bool, found: &mut References) {
    nodes(&branch.list, list_at_root, found);
    if let Some(otherwise) = &branch.otherwise {
        nodes(otherwise, otherwise_at_root, found);
    }
}

fn pipe(pipe: &Pipe, at_root: bool, provided: bool, found: &mut References) {
    let provides = |command: &Command| calls(command, &PROVIDERS);
    let provided = provided || pipe.commands.iter().any(provides);
    for command in &pipe.commands {
        self::command(command, at_root, provided, found);
    }
}

fn calls(command: &Command, names: &[&str]) -> bool {
    match command.args.first().map(|operand| &operand.kind) {
        Some(Kind::Function(name, _)) => names.contains(&&**name),
        _ => false,
    }
}

fn command(command: &Command, at_root: bool, provided: bool, found: &mut References) {
    let mut rest = command.args.as_slice();
    if calls(command, &LOOKUPS)
        && let Some((path, used)) = lookup(&command.args[1..], at_root)
    {
        found.fields.push(Reference {
            path,
            lookup: true,
            provided,
        });
        rest = &command.args[1 + used..];
    }
    for operand in rest {
        self::operand(operand, at_root, provided, found);
    }
}

/// The path of `index .a "b"` or `get .a "b"`, and how many arguments tell it; none where a key is
/// computed or the map is no part of the root.
fn lookup(args: &[Operand], at_root: bool) -> Option<(Vec<Arc<str>>, usize)> {
    let (map, keys) = args.split_first()?;
    let mut path = rooted(&map.kind, at_root)?;
    let known = keys.iter().map_while(|key| match &key.kind {
        Kind::Str(text, _) => Some(Arc::clone(text)),
        _ => None,
    });
    let before = path.len();
    path.extend(known);
    let used = path.len() - before;
    (used > 0).then_some((path, 1 + used))
}

/// The path of an operand that begins at the root.
fn rooted(kind: &Kind, at_root: bool) -> Option<Vec<Arc<str>>> {
    match kind {
        Kind::Dot if at_root => Some(Vec::new()),
        Kind::Field(names) if at_root => Some(names.clone()),
        Kind::Variable(variable, names) if &*variable.name == "$" => Some(names.clone()),
        _ => None,
    }
}

fn operand(operand: &Operand, at_root: bool, provided: bool, found: &mut References) {
    if let Some(path) = rooted(&operand.kind, at_root) {
        if path.is_empty() {
            found.whole = true;
        } else {
            found.fields.push(Reference {
                path,
                lookup: false,
                provided,
            });
        }
        return;
    }
    match &operand.kind {
        Kind::Pipe(inner) => pipe(inner, at_root, provided, found),
        Kind::Chain(inner, _) => self::operand(inner, at_root, provided, found),
        Kind::Function(name, _) => drop(found.functions.insert(Arc::clone(name))),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::{FuncMap, Options, Random, Seams, Template, argocd};

    fn functions() -> FuncMap {
        argocd::functions(&Seams {
            now: std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
            random: Random::new([0; 32]),
        })
    }

    fn paths(text: &str) -> Vec<String> {
        let template = Template::parse("t", text, &functions(), Options::default()).unwrap();
        let references = template.references();
        let mut shown: Vec<_> = references
            .fields
            .iter()
            .map(|one| {
                let mark = match (one.lookup, one.provided) {
                    (true, _) => "?",
                    (_, true) => "!",
                    _ => "",
                };
                format!("{}{mark}", one.path.join("."))
            })
            .collect();
        if references.whole {
            shown.push("(whole)".to_owned());
        }
        shown
    }

    #[test]
    fn fields_are_named_by_their_path() {
        assert_eq!(paths("{{.a.b}}-{{ $.c | upper }}"), ["a.b", "c"]);
        assert_eq!(
            paths("{{ printf \"%s\" (lower .a) | quote }}"),
            ["a"],
            "in parentheses, too"
        );
        assert_eq!(paths("{{ .a | default \"x\" }}"), ["a!"]);
    }

    #[test]
    fn a_looked_up_key_is_part_of_the_path() {
        assert_eq!(
            paths("{{ index .metadata.labels \"env\" }}"),
            ["metadata.labels.env?"]
        );
        assert_eq!(paths("{{ index .path.segments 1 }}"), ["path.segments"]);
        assert_eq!(paths("{{ index . \"a-b\" }}"), ["a-b?"]);
    }

    #[test]
    fn inside_of_range_and_with_only_the_dollar_is_the_root() {
        assert_eq!(
            paths("{{ range .list }}{{ .name }}{{ $.a }}{{ else }}{{ .b }}{{ end }}"),
            ["list!", "a", "b"]
        );
        assert_eq!(paths("{{ if .a }}{{ .b }}{{ end }}"), ["a!", "b"]);
    }

    #[test]
    fn the_data_as_a_whole_may_be_anything() {
        assert_eq!(paths("{{ toYaml . }}"), ["(whole)"]);
    }
}
