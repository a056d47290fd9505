//! What is known of the fields of a kind: their types, and how their lists are keyed.
//!
//! The bundled table covers Kubernetes' own kinds; a cluster's OpenAPI documents can be read into
//! the same form, and then know its custom kinds too. A kind without an entry is compared as plain
//! JSON, and [`mistakes`] finds none in it.

mod documents;
mod mistakes;
mod openapi;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub use documents::{Documents, Own};
pub use mistakes::{Mistake, mistakes};
pub use openapi::read as read_openapi;
pub use table::{Error, parse, print};

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Nothing is known; any JSON.
    Any,
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// An amount such as `500m` or `1Gi`.
    Quantity,
    /// A number or a string, which are different values.
    IntOrString,
    /// A point in time in RFC 3339.
    Time,
    /// Base64 text.
    Bytes,
    /// String keys to one type.
    Map(Box<Self>),
    /// A list.
    List(Box<ListType>),
    /// A set of named fields, by its place in the schema.
    Struct(usize),
}

/// A list's items and how they are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListType {
    /// Type of each item.
    pub item: Type,
    /// How server-side apply identifies items.
    pub identity: Identity,
    /// How a strategic merge patch treats the list.
    pub patch: PatchMerge,
}

/// How server-side apply identifies the items of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The list is one value.
    Atomic,
    /// Each item is its own identity.
    Set,
    /// The values of these fields identify an item.
    Keys(Vec<String>),
}

/// How a strategic merge patch treats a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchMerge {
    /// The patch's list replaces the live one.
    Replace,
    /// Plain values are merged as a set.
    Values,
    /// Items are merged by the value of this field.
    Key(String),
}

/// Named fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StructType {
    /// A name unique in its schema; for printing only.
    pub name: String,
    /// Server-side apply owns the whole of it or nothing.
    pub atomic: bool,
    /// The fields by name.
    pub fields: BTreeMap<String, Field>,
    /// The fields without which an object is refused.
    pub required: BTreeSet<String>,
    /// Any other field may be there, too.
    pub open: bool,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub of: Type,
    /// A strategic merge patch drops the keys of it that the patch does not name.
    pub retain_keys: bool,
}

/// The kinds of one source and the structs they are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub(crate) structs: Vec<StructType>,
    /// `apiVersion` and kind to the kind's struct.
    pub(crate) roots: BTreeMap<(String, String), usize>,
}

impl Schema {
    /// The type of a struct field; `None` if the struct has no such field.
    pub fn field(&self, of: usize, name: &str) -> Option<&Field> {
        self.structs.get(of)?.fields.get(name)
    }

    /// The place of a struct by its name, such as `core.v1.PodSpec`.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.structs.iter().position(|one| one.name == name)
    }

    /// Whether these are Kubernetes' own kinds, whose empty lists and maps the API server does not
    /// store.
    pub fn is_bundled(&self) -> bool {
        std::ptr::eq(self, bundled())
    }

    /// Every field without which an object is refused, with the name of its struct.
    pub fn required(&self) -> impl Iterator<Item = (&str, &str)> {
        let structs = self.structs.iter();
        structs.flat_map(|one| one.required.iter().map(|field| (&*one.name, &**field)))
    }

    /// Marks fields as required: lines of a struct's name and the fields of it.
    fn require(&mut self, lines: &str) {
        let lines = lines.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            if let Some(at) = self.named(name) {
                self.structs[at].required = words.map(str::to_owned).collect();
            }
        }
    }

    /// A struct by its place.
    pub fn structure(&self, of: usize) -> Option<&StructType> {
        self.structs.get(of)
    }
}

/// Somewhere that types of kinds can be looked up.
pub trait SchemaSource {
    /// The schema that knows the kind and the kind's place in it.
    fn find(&self, api_version: &str, kind: &str) -> Option<(&Schema, usize)>;
}

impl SchemaSource for Schema {
    fn find(&self, api_version: &str, kind: &str) -> Option<(&Schema, usize)> {
        let at = self.roots.get(&(api_version.to_owned(), kind.to_owned()))?;
        Some((self, *at))
    }
}

/// The table of Kubernetes' own kinds.
pub fn bundled() -> &'static Schema {
    &BUNDLED
}

static BUNDLED: LazyLock<Schema> = LazyLock::new(|| {
    let table = parse(include_str!("kubernetes.txt"));
    let mut schema = table.expect("because a test reads the same bundled table");
    schema.require(include_str!("required.txt"));
    schema
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_table_knows_a_deployments_ports() {
        let (schema, at) = bundled()
            .find("apps/v1", "Deployment")
            .expect("a built-in kind");
        let mut place = at;
        for step in ["spec", "template", "spec"] {
            let field = schema.field(place, step).expect(step);
            let Type::Struct(next) = field.of else {
                panic!("{step} is a struct")
            };
            place = next;
        }
        let Some(Field {
            of: Type::List(containers),
            ..
        }) = schema.field(place, "containers")
        else {
            panic!("containers is a list")
        };
        assert_eq!(containers.identity, Identity::Keys(vec!["name".into()]));
        assert_eq!(containers.patch, PatchMerge::Key("name".into()));
    }

    #[test]
    fn what_is_required_is_a_field() {
        let schema = bundled();
        let lines = include_str!("required.txt").lines();
        for line in lines.filter(|line| !line.starts_with('#')) {
            let (name, fields) = line.split_once(' ').expect(line);
            let at = schema.named(name).expect(name);
            for field in fields.split(' ') {
                assert!(schema.field(at, field).is_some(), "{name} {field}");
            }
        }
    }

    #[test]
    fn printing_and_parsing_the_table_is_stable() {
        let text = print(bundled());
        assert_eq!(print(&parse(&text).expect("its own print")), text);
    }
}
