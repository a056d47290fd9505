//! Kustomize: the source's fields are edited into a copy of the kustomization, then it is built.

mod edits;
mod options;
mod references;
mod version;

use argosy_crds::application::ApplicationSourceKustomize;
use serde_json::Value;

use super::{
    engine::{Done, Engine, Job},
    output,
    program::{Program, Slots},
    selection::Selection,
};
use crate::{
    glob,
    path::TreePath,
    render::{RenderError, Request, Tool},
    view::View,
    views::Views,
};
pub use options::check_build_options;
use references::{NAMES, ReferenceError, References};
pub use version::{KustomizeVersion, kustomize_versions};

/// Renders kustomizations.
pub(super) struct Kustomize {
    pub(super) engine: Engine,
    /// Renders charts inside kustomizations, where that is enabled.
    pub(super) charts: Option<Program>,
    /// What other versions run in.
    pub(super) slots: Slots,
}

impl Tool for Kustomize {
    fn render(
        &self,
        views: &Views,
        directory: &TreePath,
        request: &Request<'_>,
    ) -> Result<Vec<Value>, RenderError> {
        let render = || -> Result<Vec<Value>, String> {
            let options = request.source.kustomize.as_deref();
            let options = options.cloned().unwrap_or_default();
            let version = version::chosen(&options.version, request.kustomize_versions)?;
            let engine = version.map_or_else(
                || self.engine.clone(),
                |version| Engine::Program(self.program(version)),
            );
            let settings = version.map_or(request.kustomize_build_options, |version| {
                version.build_options.as_str()
            });
            let build = options::build(&options, settings, request, self.charts.as_ref())?;
            let edits = edits::commands(&options, request.environment)?;
            let used =
                Used::find(views.own(), directory, &options).map_err(|error| error.to_string())?;
            let kustomization = Kustomization {
                directory,
                engine: &engine,
            };
            output::objects(&kustomization.render(used, &options, edits, build)?)
        };
        render().map_err(|why| RenderError::Tool {
            tool: "kustomize",
            directory: directory.clone(),
            why,
        })
    }
}

impl Kustomize {
    fn program(&self, version: &KustomizeVersion) -> Program {
        let charts = self.charts.as_ref();
        let programs = charts.map_or(&[][..], |charts| charts.programs.as_slice());
        Program::new(version.program.clone(), programs, &self.slots)
    }
}

/// What a kustomization with the source's fields uses.
struct Used {
    /// All files.
    selection: Selection,
    /// The components to add.
    components: Vec<String>,
    /// Whether it brings a schema, which the library keeps.
    schema: bool,
}

impl Used {
    fn find(
        view: &View,
        directory: &TreePath,
        options: &ApplicationSourceKustomize,
    ) -> Result<Self, ReferenceError> {
        let mut references = References::new(view);
        references.kustomization(directory)?;
        for patch in &options.patches {
            if !patch.path.is_empty() {
                references.follow(directory, &patch.path)?;
            }
        }
        let mut components = Vec::new();
        for component in &options.components {
            let paths = places(view, directory, component)?;
            if paths.is_empty() && options.ignore_missing_components {
                continue;
            }
            references.follow(directory, component)?;
            for path in paths {
                references.kustomization(&path)?;
            }
            components.push(component.clone());
        }
        Ok(Self {
            components,
            schema: references.schema,
            selection: references.selection,
        })
    }
}

/// The directories that a component of the source means.
fn places(
    view: &View,
    directory: &TreePath,
    component: &str,
) -> Result<Vec<TreePath>, ReferenceError> {
    let Ok(path) = directory.join(component) else {
        return Ok(Vec::new());
    };
    if glob::is_pattern(component) {
        let unusable =
            |error: glob::GlobError| ReferenceError::Unreadable(path.clone(), error.to_string());
        return glob::expand(view, &path).map_err(unusable);
    }
    let target = view.resolve(&path)?;
    Ok(target.map(|target| target.path).into_iter().collect())
}

/// A kustomization at its place.
struct Kustomization<'a> {
    directory: &'a TreePath,
    engine: &'a Engine,
}

impl Kustomization<'_> {
    /// What `build` prints after the edits and patches of the source.
    fn render(
        &self,
        mut used: Used,
        options: &ApplicationSourceKustomize,
        edits: Vec<Vec<String>>,
        build: Vec<String>,
    ) -> Result<String, String> {
        let mut commands = edits;
        if !options.patches.is_empty() {
            self.patch(&mut used.selection, options, &std::mem::take(&mut commands))?;
        }
        commands.extend(edits::add_components(used.components));
        commands.push(build);
        let done = self.run(&Job {
            selection: &used.selection,
            directory: self.directory,
            commands: &commands,
            wanted: None,
            leaves_traces: used.schema,
        })?;
        Ok(done.output)
    }

    /// Adds the source's patches to the kustomization as the edits leave it. No command does this.
    fn patch(
        &self,
        selection: &mut Selection,
        options: &ApplicationSourceKustomize,
        edits: &[Vec<String>],
    ) -> Result<(), String> {
        let mut paths = NAMES.iter().filter_map(|name| self.directory.child(name));
        let path = paths.find(|path| selection.content(path).is_some());
        let path = path.ok_or("kustomization file not found in the path")?;
        let text = self.edited(selection, &path, edits)?;
        let value = argosy_yaml::from_str(&text).map_err(|error| error.to_string())?;
        let patched = argosy_yaml::to_string(&edits::add_patches(value, options)?);
        let put = selection.put(&path, patched.into_bytes());
        put.map_err(|error| error.to_string())
    }

    /// The kustomization's own file as the edits leave it.
    fn edited(
        &self,
        selection: &Selection,
        path: &TreePath,
        edits: &[Vec<String>],
    ) -> Result<String, String> {
        if edits.is_empty() {
            let content = selection.content(path).unwrap_or_default();
            return argosy_yaml::decode(content).map_err(|error| error.to_string());
        }
        let done = self.run(&Job {
            selection,
            directory: self.directory,
            commands: edits,
            wanted: Some(path),
            leaves_traces: false,
        })?;
        Ok(done.wanted)
    }

    fn run(&self, job: &Job<'_>) -> Result<Done, String> {
        self.engine.run(job).map_err(|why| essence(&why))
    }
}

/// A complaint without what kustomize says about fields that it would name otherwise today, and
/// about how its commands are used.
fn essence(complaint: &str) -> String {
    let lines = complaint.lines().take_while(|line| *line != "Usage:");
    let lines = lines.filter(|line| !line.starts_with("# Warning"));
    lines.collect::<Vec<_>>().join("\n")
}
