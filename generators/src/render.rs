//! From a template and parameters to an Application.

use argosy_crds::application_set::ApplicationSetTemplate;
use argosy_crds::names::finalizer;
use argosy_crds::{Application, ApplicationSet};
use serde::Deserialize as _;
use serde_json::Value;

use crate::error::Failure;
use crate::params::Params;
use crate::template::{Engine, Patch, Rendered, Scope, Tree, fill};

/// Renders the Applications of one generator.
pub(crate) struct Renderer {
    tree: Tree,
    /// The template as written, for sets without parameters.
    plain: Tree,
    patch: Option<Patch>,
    namespace: String,
    adds_finalizer: bool,
}

impl Renderer {
    /// Parses the set's template, over which a generator may have laid its own.
    pub(crate) fn new(
        set: &ApplicationSet,
        over: Option<&ApplicationSetTemplate>,
        engine: &Engine,
    ) -> Result<Self, String> {
        let spec = &set.spec;
        let json = |template: &ApplicationSetTemplate| {
            serde_json::to_value(template)
                .map_err(|error| format!("cannot read the template: {error}"))
        };
        let mut plain = json(&spec.template)?;
        if let Some(over) = over {
            let mut merged = json(over)?;
            fill(&mut merged, plain);
            plain = merged;
        }
        let preserves = spec
            .sync_policy
            .as_ref()
            .is_some_and(|policy| policy.preserve_resources_on_deletion);
        Ok(Self {
            tree: Tree::compile(plain.clone(), engine),
            plain: Tree::Fixed(plain),
            patch: spec
                .template_patch
                .as_ref()
                .map(|text| Patch::compile(text, engine)),
            namespace: set.metadata.namespace.clone().unwrap_or_default(),
            adds_finalizer: !preserves,
        })
    }

    /// The Application; the path of a failure is below the set's `spec`.
    pub(crate) fn render(&self, params: &Params) -> Result<Application, Failure> {
        let scope = Scope::new(params);
        let tree = if params.is_empty() {
            &self.plain
        } else {
            &self.tree
        };
        let adds_finalizer = self.adds_finalizer && !params.is_empty();
        let mut app = if let Some(patch) = &self.patch {
            patched(patch, tree, &scope, adds_finalizer)?
        } else {
            let mut app = read(tree, &scope)?;
            if adds_finalizer {
                add_finalizer(&mut app);
            }
            app
        };
        app.metadata.namespace = Some(self.namespace.clone());
        Ok(app)
    }
}

/// A patch is merged into JSON, and sees the finalizer.
fn patched(
    patch: &Patch,
    tree: &Tree,
    scope: &Scope<'_>,
    adds_finalizer: bool,
) -> Result<Application, Failure> {
    let mut app = tree
        .render(scope)
        .map_err(|failure| failure.below(TEMPLATE))?;
    let has_finalizers = app
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .is_some_and(|finalizers| !finalizers.is_empty());
    if adds_finalizer
        && !has_finalizers
        && let Some(metadata) = app.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.insert(
            "finalizers".to_owned(),
            [finalizer::RESOURCES].as_slice().into(),
        );
    }
    patch
        .apply(&mut app, scope)
        .map_err(|message| Failure::new(message).below(".templatePatch"))?;
    typed(app)
}

const TEMPLATE: &str = ".template";

/// Renders straight into an Application, without a tree of JSON in between: that tree is what most
/// of the time would go into.
fn read(tree: &Tree, scope: &Scope<'_>) -> Result<Application, Failure> {
    Application::deserialize(Rendered::new(tree, scope)).or_else(|_| {
        // Slowly once more, to say where.
        let app = tree
            .render(scope)
            .map_err(|failure| failure.below(TEMPLATE))?;
        typed(app)
    })
}

fn typed(app: Value) -> Result<Application, Failure> {
    serde_path_to_error::deserialize(app).map_err(|error| {
        let path = error.path().to_string();
        Failure::new(error.into_inner().to_string()).below(&format!("{TEMPLATE}.{path}"))
    })
}

/// An Application without finalizers gets the one that deletes its resources.
fn add_finalizer(app: &mut Application) {
    let finalizers = app.metadata.finalizers.get_or_insert_default();
    if finalizers.is_empty() {
        finalizers.push(finalizer::RESOURCES.to_owned());
    }
}
