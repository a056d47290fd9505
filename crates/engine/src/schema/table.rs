//! The compact text form of a schema: a line a kind, a line a struct.
//!
//! ```text
//! apps/v1 Deployment apps.v1.Deployment
//! : core.v1.Container args=[]s env=[name~name]@core.v1.EnvVar resources=@core.v1.ResourceRequirements
//! ```
//!
//! Types are one letter (`s` text, `i` integer, `n` number, `b` boolean, `q` quantity, `x` integer
//! or string, `t` time, `y` bytes, `*` anything), `{type` a map, `@name` a struct, `[identity~key]type`
//! a list. A `!` behind a struct's name makes it atomic; a `^` before a type retains keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Field, Identity, ListType, PatchMerge, Schema, StructType, Type};

/// Why a table could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read line {line} of the schema table: {problem}")]
pub struct Error {
    /// Counted from one.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Reads a table.
pub fn parse(text: &str) -> Result<Schema, Error> {
    let mut schema = Schema::default();
    let names: BTreeMap<&str, usize> = text
        .lines()
        .filter_map(|line| line.strip_prefix(": "))
        .enumerate()
        .map(|(at, line)| {
            let name = line.split(' ').next().unwrap_or_default();
            (name.trim_end_matches('!'), at)
        })
        .collect();
    for (index, line) in text.lines().enumerate() {
        let wrong = |problem: String| Error {
            line: index + 1,
            problem,
        };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(structure) = line.strip_prefix(": ") {
            let parsed = parse_struct(structure, &names).map_err(wrong)?;
            schema.structs.push(parsed);
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        let [api_version, kind, name] = words[..] else {
            return Err(wrong("a kind needs three words".to_owned()));
        };
        let at = *names
            .get(name)
            .ok_or_else(|| wrong(format!("no struct `{name}`")))?;
        schema
            .roots
            .insert((api_version.to_owned(), kind.to_owned()), at);
    }
    Ok(schema)
}

fn parse_struct(line: &str, names: &BTreeMap<&str, usize>) -> Result<StructType, String> {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let fields = words
        .map(|word| {
            let (field, of) = word
                .split_once('=')
                .ok_or_else(|| format!("field `{word}` has no type"))?;
            let retain_keys = of.starts_with('^');
            let of = parse_type(of.trim_start_matches('^'), names)?;
            Ok((field.to_owned(), Field { of, retain_keys }))
        })
        .collect::<Result<_, String>>()?;
    Ok(StructType {
        name: name.trim_end_matches('!').to_owned(),
        atomic: name.ends_with('!'),
        fields,
        ..StructType::default()
    })
}

fn parse_type(text: &str, names: &BTreeMap<&str, usize>) -> Result<Type, String> {
    Ok(match text {
        "*" => Type::Any,
        "s" => Type::Text,
        "i" => Type::Integer,
        "n" => Type::Number,
        "b" => Type::Boolean,
        "q" => Type::Quantity,
        "x" => Type::IntOrString,
        "t" => Type::Time,
        "y" => Type::Bytes,
        _ => {
            if let Some(value) = text.strip_prefix('{') {
                return Ok(Type::Map(Box::new(parse_type(value, names)?)));
            }
            if let Some(name) = text.strip_prefix('@') {
                let at = names
                    .get(name)
                    .ok_or_else(|| format!("no struct `{name}`"))?;
                return Ok(Type::Struct(*at));
            }
            let (head, item) = text
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
                .ok_or_else(|| format!("unknown type `{text}`"))?;
            return Ok(Type::List(Box::new(parse_list(
                head,
                parse_type(item, names)?,
            ))));
        }
    })
}

fn parse_list(head: &str, item: Type) -> ListType {
    let (identity, patch) = match head.split_once('~') {
        None => (head, PatchMerge::Replace),
        Some((identity, "")) => (identity, PatchMerge::Values),
        Some((identity, key)) => (identity, PatchMerge::Key(key.to_owned())),
    };
    let identity = match identity {
        "" => Identity::Atomic,
        "=" => Identity::Set,
        keys => Identity::Keys(keys.split(',').map(str::to_owned).collect()),
    };
    ListType {
        item,
        identity,
        patch,
    }
}

/// Prints a table that [`parse`] reads back.
pub fn print(schema: &Schema) -> String {
    let mut out = String::new();
    for ((api_version, kind), at) in &schema.roots {
        let name = &schema.structs[*at].name;
        let _ = writeln!(out, "{api_version} {kind} {name}");
    }
    for one in &schema.structs {
        let mark = if one.atomic { "!" } else { "" };
        let _ = write!(out, ": {}{mark}", one.name);
        for (name, field) in &one.fields {
            let retain = if field.retain_keys { "^" } else { "" };
            let _ = write!(out, " {name}={retain}{}", print_type(&field.of, schema));
        }
        out.push('\n');
    }
    out
}

fn print_type(of: &Type, schema: &Schema) -> String {
    match of {
        Type::Any => "*".to_owned(),
        Type::Text => "s".to_owned(),
        Type::Integer => "i".to_owned(),
        Type::Number => "n".to_owned(),
        Type::Boolean => "b".to_owned(),
        Type::Quantity => "q".to_owned(),
        Type::IntOrString => "x".to_owned(),
        Type::Time => "t".to_owned(),
        Type::Bytes => "y".to_owned(),
        Type::Map(value) => format!("{{{}", print_type(value, schema)),
        Type::Struct(at) => format!("@{}", schema.structs[*at].name),
        Type::List(list) => {
            let identity = match &list.identity {
                Identity::Atomic => String::new(),
                Identity::Set => "=".to_owned(),
                Identity::Keys(keys) => keys.join(","),
            };
            let patch = match &list.patch {
                PatchMerge::Replace => String::new(),
                PatchMerge::Values => "~".to_owned(),
                PatchMerge::Key(key) => format!("~{key}"),
            };
            format!("[{identity}{patch}]{}", print_type(&list.item, schema))
        }
    }
}
