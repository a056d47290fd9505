//! A generator with parameters of earlier children in it.

use argosy_crds::application_set::ApplicationSetGenerator;
use serde_json::{Map, Value};

use crate::error::{Failure, Stop};
use crate::params::Params;
use crate::template::{Engine, Scope, Tree, TreeKey};

/// A child of a matrix, parsed once and rendered for each set of earlier parameters.
pub(super) struct Interpolated<'g> {
    entry: &'g ApplicationSetGenerator,
    tree: Tree,
}

impl<'g> Interpolated<'g> {
    pub(super) fn compile(
        entry: &'g ApplicationSetGenerator,
        engine: &Engine,
    ) -> Result<Self, Stop> {
        let json = serde_json::to_value(entry)
            .map_err(|error| Stop::failed(format!("cannot read the generator: {error}")))?;
        let tree = compile_entry(json, engine);
        Ok(Self { entry, tree })
    }

    /// Whether earlier parameters make no difference to it.
    pub(super) fn is_fixed(&self) -> bool {
        self.tree.is_fixed()
    }

    pub(super) fn render(&self, params: &Params) -> Result<ApplicationSetGenerator, Failure> {
        let rendered = self.tree.render(&Scope::new(params))?;
        let mut entry: ApplicationSetGenerator =
            serde_json::from_value(rendered).map_err(|error| {
                Failure::new(format!("cannot read the rendered generator: {error}"))
            })?;
        // The entry's own selector counts as it is written, although it has to be renderable.
        entry.selector.clone_from(&self.entry.selector);
        Ok(entry)
    }
}

fn compile_entry(entry: Value, engine: &Engine) -> Tree {
    let Value::Object(entry) = entry else {
        return Tree::compile(entry, engine);
    };
    let generators = entry.into_iter().map(|(key, value)| {
        let tree = match value {
            Value::Object(spec) if key != "selector" => compile_generator(&key, spec, engine),
            other => Tree::compile(other, engine),
        };
        (TreeKey::Fixed(key), tree)
    });
    Tree::map(generators.collect())
}

fn compile_generator(name: &str, spec: Map<String, Value>, engine: &Engine) -> Tree {
    // A child's template is never used, and yet rendered, except that a nested matrix or merge has
    // none in Argo CD's API.
    let is_nested = matches!(name, "matrix" | "merge");
    let fields = spec
        .into_iter()
        .filter(|(key, _)| key != "template" || !is_nested)
        .map(|(key, value)| {
            let tree = match (key.as_str(), value) {
                ("generators", Value::Array(children)) => Tree::list(
                    children
                        .into_iter()
                        .map(|child| compile_entry(child, engine))
                        .collect(),
                ),
                ("values", Value::Object(values)) => compile_values(values, engine),
                (_, value) => Tree::compile(value, engine),
            };
            (TreeKey::Fixed(key), tree)
        });
    Tree::map(fields.collect())
}

/// Values may also name parameters that the child itself has yet to generate; those that do are
/// left for it. Their keys are no templates.
fn compile_values(values: Map<String, Value>, engine: &Engine) -> Tree {
    let values = values.into_iter().map(|(key, value)| {
        let tree = match value {
            Value::String(text) if engine.is_go() && text.contains("{{") => {
                Tree::Later(engine.compile_strict(&text), text)
            }
            other => Tree::compile(other, engine),
        };
        (TreeKey::Fixed(key), tree)
    });
    Tree::map(values.collect())
}
