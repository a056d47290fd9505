//! `argosy app manifests --offline`: what the source of an Application in a file renders to, with its
//! tracking marks. Nothing is fetched.

use std::{path::Path, sync::Arc};

use argosy_crds::{Application, ApplicationSource};
use argosy_engine::{
    application::instance_name,
    repo_url,
    tracking::{Method, Tracking},
};
use argosy_render::{BuildFacts, DirectoryTree, Environment, Refs, Request, render};
use serde_json::{Value, json};

use super::{Args, as_yaml};
use crate::{
    cli::{CommandResult, Outcome, output, plugins_args},
    diagnostic::Diagnostic,
};

pub(super) fn run(args: &Args) -> CommandResult {
    let (file, root) = (
        needed(args.app.as_deref(), "--app")?,
        needed(args.local_repo_root.as_deref(), "--local-repo-root")?,
    );
    let app: Application =
        serde_json::from_value(output::read_document(file)?).map_err(|error| {
            Diagnostic::user(
                "ApplicationMalformed",
                "the file does not hold an Application",
            )
            .at(file.display().to_string())
            .because(&error)
        })?;
    let source = rendered_source(&app).ok_or_else(|| {
        Diagnostic::user("NoSource", "the application has no source to render")
            .fix("give it `spec.source`, or one of `spec.sources` without `ref`")
    })?;
    let name = instance_name(
        app.metadata.namespace.as_deref().unwrap_or_default(),
        app.metadata.name.as_deref().unwrap_or_default(),
        &args.hub.namespace,
    );
    let namespace = &app.spec.destination.namespace;
    let environment = Environment::standard(&BuildFacts {
        app_name: &name,
        namespace,
        project: app.spec.project_or_default(),
        revision: args.revision.as_deref().unwrap_or_default(),
        repo_url: &source.repo_url,
        path: &source.path,
        target_revision: &source.target_revision,
    });
    let tree = open(root)?;
    let refs = references(&app, args)?;
    let request = Request {
        namespace,
        kube_version: &args.kube_version,
        api_versions: &args.api_version,
        kustomize_build_options: args.kustomize_build_options.as_deref().unwrap_or_default(),
        refs: refs.as_ref(),
        ..Request::new(&source, &name, &environment)
    };
    let tools = plugins_args::tools(args.plugins.as_deref())?;
    let rendered = render(Arc::new(tree), &request, &tools).map_err(|error| {
        Diagnostic::user("ManifestGenerationFailed", error.to_string())
            .at(root.display().to_string())
    })?;
    for warning in &rendered.warnings {
        output::note(format!("warning: {warning}"));
    }
    let tracking = Tracking {
        method: Method::parse(&args.tracking_method),
        ..Tracking::default()
    };
    let mut manifests = rendered.manifests;
    for manifest in manifests.iter_mut().filter(|manifest| !is_crd(manifest)) {
        check_metadata(manifest)?;
        tracking.mark(manifest, &name, namespace);
    }
    let answer = json!({
        "sourceType": rendered.source_type.as_str(),
        "manifests": &manifests,
    });
    output::document(args.output, &answer, || as_yaml(&manifests))?;
    Ok(Outcome::Success)
}

/// What only this way needs.
fn needed<'a>(path: Option<&'a Path>, option: &str) -> Result<&'a Path, Diagnostic> {
    path.ok_or_else(|| {
        Diagnostic::user("OptionMissing", format!("{option} is missing"))
            .fix("name the file with the Application and the folder of its repository")
    })
}

fn open(folder: &Path) -> Result<DirectoryTree, Diagnostic> {
    DirectoryTree::open(folder).map_err(|error| {
        Diagnostic::user("FolderUnreadable", "cannot read the repository's folder")
            .at(folder.display().to_string())
            .because(&error)
    })
}

/// The folders behind the sources with a `ref`; `None` for an application with one source.
fn references(app: &Application, args: &Args) -> Result<Option<Refs>, Diagnostic> {
    if app.spec.sources.is_empty() {
        return Ok(None);
    }
    let mut refs = Refs::default();
    for source in &app.spec.sources {
        if source.ref_name.is_empty() {
            continue;
        }
        let same = |url: &str| repo_url::normalise(url) == repo_url::normalise(&source.repo_url);
        let (_, folder) = args
            .ref_repo
            .iter()
            .find(|(url, _)| same(url))
            .ok_or_else(|| {
                Diagnostic::user(
                    "RefRepoMissing",
                    format!(
                        "the repository of the source `{}` is not given",
                        source.ref_name
                    ),
                )
                .fix(format!(
                    "name its folder with --ref-repo {}=DIR",
                    source.repo_url
                ))
            })?;
        refs = refs.with(&source.ref_name, Arc::new(open(folder)?));
    }
    Ok(Some(refs))
}

/// The one source that renders: of several, the first that is not only referred to.
fn rendered_source(app: &Application) -> Option<ApplicationSource> {
    let sources = app.spec.sources();
    let rendered = sources.iter().find(|source| source.ref_name.is_empty());
    rendered.or(sources.first()).cloned()
}

fn is_crd(manifest: &Value) -> bool {
    manifest["kind"] == "CustomResourceDefinition"
        && manifest["apiVersion"]
            .as_str()
            .is_some_and(|version| version.starts_with("apiextensions.k8s.io/"))
}

/// Marks go into labels and annotations, which therefore have to be what Kubernetes says they are.
fn check_metadata(manifest: &Value) -> Result<(), Diagnostic> {
    let refuse = |what: &str| {
        Diagnostic::user(
            "ManifestGenerationFailed",
            format!(
                "failed to set app instance tracking info on {} {}: {what}",
                manifest["kind"], manifest["metadata"]["name"]
            ),
        )
        .fix("quote the value, so that YAML reads it as text")
    };
    if !matches!(&manifest["metadata"], Value::Null | Value::Object(_)) {
        return Err(refuse("`metadata` is not a mapping"));
    }
    for field in ["labels", "annotations"] {
        match &manifest["metadata"][field] {
            Value::Null => {}
            Value::Object(entries) => {
                if let Some((key, _)) = entries.iter().find(|(_, value)| !value.is_string()) {
                    return Err(refuse(&format!("`metadata.{field}.{key}` is not a string")));
                }
            }
            _ => return Err(refuse(&format!("`metadata.{field}` is not a mapping"))),
        }
    }
    Ok(())
}
