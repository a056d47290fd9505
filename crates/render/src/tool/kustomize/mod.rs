//! Kustomize: the source's fields are edited into a private copy, then it is built.

mod edits;
mod options;
mod references;
mod version;

use std::fs;

use argosy_crds::application::ApplicationSourceKustomize;
use serde_json::Value;

use super::{
    engine::Engine,
    output,
    program::{Job, Program, Slots},
    workspace::Workspace,
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
                |version| Engine::Program(Program::new(version.program.clone(), &self.slots)),
            );
            let settings = version.map_or(request.kustomize_build_options, |version| {
                version.build_options.as_str()
            });
            let workspace = Workspace::new(&engine.folder()).map_err(|error| error.to_string())?;
            let build = Build {
                view: views.own(),
                workspace: &workspace,
                directory,
                engine: &engine,
            };
            let command = options::build(&options, settings, request, self.charts.as_ref())?;
            let used = build
                .copy(&options)
                .map_err(|error| workspace.hide(&error.to_string()))?;
            for edit in edits::commands(&options, request.environment)? {
                build.run(&edit, false)?;
            }
            build.patch(&options)?;
            if let Some(edit) = edits::add_components(used.components) {
                build.run(&edit, false)?;
            }
            output::objects(&build.run(&command, used.schema)?)
        };
        render().map_err(|why| RenderError::Tool {
            tool: "kustomize",
            directory: directory.clone(),
            why,
        })
    }
}

/// What a kustomization with the source's fields uses.
struct Used {
    /// The components to add.
    components: Vec<String>,
    /// Whether it brings a schema, which the library keeps.
    schema: bool,
}

/// One kustomization in its workspace.
struct Build<'a> {
    view: &'a View,
    workspace: &'a Workspace,
    directory: &'a TreePath,
    engine: &'a Engine,
}

impl Build<'_> {
    /// Copies everything that is used.
    fn copy(&self, options: &ApplicationSourceKustomize) -> Result<Used, ReferenceError> {
        let mut references = References::new(self.view, self.workspace);
        references.kustomization(self.directory)?;
        for patch in &options.patches {
            if !patch.path.is_empty() {
                references.follow(self.directory, &patch.path)?;
            }
        }
        let mut components = Vec::new();
        for component in &options.components {
            let paths = self.component(component)?;
            if paths.is_empty() && options.ignore_missing_components {
                continue;
            }
            references.follow(self.directory, component)?;
            for path in paths {
                references.kustomization(&path)?;
            }
            components.push(component.clone());
        }
        Ok(Used {
            components,
            schema: references.schema,
        })
    }

    /// The directories that a component of the source means.
    fn component(&self, component: &str) -> Result<Vec<TreePath>, ReferenceError> {
        let Ok(path) = self.directory.join(component) else {
            return Ok(Vec::new());
        };
        if glob::is_pattern(component) {
            let unusable = |error: glob::GlobError| {
                ReferenceError::Unreadable(path.clone(), error.to_string())
            };
            return glob::expand(self.view, &path).map_err(unusable);
        }
        let target = self.view.resolve(&path)?;
        Ok(target.map(|target| target.path).into_iter().collect())
    }

    /// Adds the source's patches to the kustomization as it has become.
    fn patch(&self, options: &ApplicationSourceKustomize) -> Result<(), String> {
        if options.patches.is_empty() {
            return Ok(());
        }
        let folder = self.workspace.at(self.directory);
        let file = NAMES.iter().map(|name| folder.join(name));
        let file = file
            .into_iter()
            .find(|file| file.is_file())
            .ok_or("kustomization file not found in the path")?;
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let value = argosy_yaml::from_str(&text).map_err(|error| error.to_string())?;
        let patched = edits::add_patches(value, options)?;
        fs::write(&file, argosy_yaml::to_string(&patched)).map_err(|error| error.to_string())
    }

    fn run(&self, arguments: &[String], leaves_traces: bool) -> Result<String, String> {
        let job = Job {
            arguments,
            folder: &self.workspace.at(self.directory),
            home: &self.workspace.home(),
            leaves_traces,
        };
        let printed = self.engine.run(&job);
        printed.map_err(|why| without_warnings(&self.workspace.hide(&why)))
    }
}

/// A complaint without what kustomize says about fields that it would name otherwise today.
fn without_warnings(complaint: &str) -> String {
    let lines = complaint
        .lines()
        .filter(|line| !line.starts_with("# Warning"));
    lines.collect::<Vec<_>>().join("\n")
}
