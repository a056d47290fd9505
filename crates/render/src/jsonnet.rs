//! Jsonnet programs, whose imports come from the source tree and nowhere else.
//!
//! All imports are found and loaded before anything is evaluated, so that the evaluator has no way
//! to a file. It runs in a thread of its own, with a limit on its stack and on how long it is waited
//! for.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use argosy_crds::application::{ApplicationSourceJsonnet, JsonnetVar};
use jrsonnet_evaluator::{
    AsPathLike, IStr, ResolvePath, SourcePath, SourceVirtual, State, apply_tla,
    async_import::{AsyncImportResolver, ResolvedImportResolver, async_import},
    manifest::JsonFormat,
    rustc_hash::FxHashMap,
    tla::TlaArg,
    trace::PathResolver,
};
use jrsonnet_stdlib::ContextInitializer;
use serde_json::Value;

use crate::{
    environment::Environment, manifest::check_object, path::TreePath, render::RenderError,
    tree::Kind, view::View,
};

/// Calls may nest this deep: the reference implementation's limit.
const MAX_STACK: usize = 500;

/// How long a program may run; honest ones take milliseconds.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// How many programs that did not end in time may go on in the background before no further one is
/// started: the evaluator cannot be stopped from outside.
const MAX_RUNAWAYS: usize = 2;

static RUNAWAYS: AtomicUsize = AtomicUsize::new(0);

/// Evaluates `file`, which gives one object or an array of them.
pub(crate) fn evaluate(
    view: &View,
    directory: &TreePath,
    file: &TreePath,
    options: &ApplicationSourceJsonnet,
    environment: &Environment,
) -> Result<Vec<Value>, RenderError> {
    let refuse = |why: String| RenderError::Jsonnet {
        path: file.clone(),
        why,
    };
    let mut libraries = Vec::new();
    for library in options.libs.iter().rev() {
        libraries.push(TreePath::root().join(&environment.expand(library))?);
    }
    libraries.push(directory.clone());
    let program = Program {
        importer: Importer {
            view: view.clone(),
            libraries,
            missing: Mutex::default(),
        },
        file: file.clone(),
        variables: expand(&options.ext_vars, environment),
        arguments: expand(&options.tlas, environment),
    };
    let text = run_limited(program).map_err(refuse)?;
    let objects = match serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))? {
        Value::Array(objects) => objects,
        object => vec![object],
    };
    let mut checked = Vec::new();
    for object in objects.into_iter().filter(|object| !object.is_null()) {
        check_object(&object).map_err(|why| RenderError::Manifest {
            path: file.clone(),
            why,
        })?;
        checked.push(object);
    }
    Ok(checked)
}

fn expand(variables: &[JsonnetVar], environment: &Environment) -> Vec<JsonnetVar> {
    variables
        .iter()
        .map(|variable| JsonnetVar {
            value: environment.expand(&variable.value),
            ..variable.clone()
        })
        .collect()
}

struct Program {
    importer: Importer,
    file: TreePath,
    variables: Vec<JsonnetVar>,
    arguments: Vec<JsonnetVar>,
}

fn run_limited(program: Program) -> Result<String, String> {
    if RUNAWAYS.load(Ordering::Relaxed) >= MAX_RUNAWAYS {
        return Err("other jsonnet programs did not end in time and still run".into());
    }
    let (send, receive) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("jsonnet".into());
    let thread = thread.spawn(move || {
        if send.send(program.run()).is_err() {
            RUNAWAYS.fetch_sub(1, Ordering::Relaxed);
        }
    });
    thread.map_err(|error| error.to_string())?;
    match receive.recv_timeout(TIME_LIMIT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            RUNAWAYS.fetch_add(1, Ordering::Relaxed);
            Err(format!(
                "the program did not end within {} s",
                TIME_LIMIT.as_secs()
            ))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(
            "the evaluator gave up; code in a variable or argument cannot import files".to_owned(),
        ),
    }
}

impl Program {
    #[expect(
        clippy::mutable_key_type,
        reason = "the evaluator's interned strings hash by their text, which never changes"
    )]
    fn run(self) -> Result<String, String> {
        let context = ContextInitializer::new(PathResolver::FileName);
        let mut builder = State::builder();
        builder
            .import_resolver(ResolvedImportResolver::new())
            .context_initializer(context.clone());
        let state = builder.build();
        let _entered = state.enter();
        let _depth = jrsonnet_evaluator::stack::limit_stack_depth(MAX_STACK);
        let explain = |error: jrsonnet_evaluator::Error| self.importer.explain(&error.to_string());
        for variable in &self.variables {
            let value = argument(&state, "extvar", variable)?;
            let mut settings = context.settings_mut();
            settings
                .ext_vars
                .insert(variable.name.as_str().into(), value);
        }
        let mut arguments: FxHashMap<IStr, TlaArg> = FxHashMap::default();
        for variable in &self.arguments {
            let value = argument(&state, "top-level-arg", variable)?;
            arguments.insert(variable.name.as_str().into(), value);
        }
        let entry = now(async_import(
            state.clone(),
            &self.importer,
            &self.file.as_str(),
        ))?;
        let value = state.import_resolved(entry).map_err(explain)?;
        let value = apply_tla(&arguments, value).map_err(explain)?;
        value.manifest(JsonFormat::default()).map_err(explain)
    }
}

fn argument(state: &State, kind: &str, variable: &JsonnetVar) -> Result<TlaArg, String> {
    if !variable.code {
        return Ok(TlaArg::String(variable.value.as_str().into()));
    }
    let name = format!("<{kind}:{}>", variable.name);
    state
        .evaluate_snippet(name.as_str(), variable.value.as_str())
        .map(TlaArg::Val)
        .map_err(|error| format!("{name}: {error}"))
}

/// Runs a future that never waits.
fn now<T>(future: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err("an import did not finish".into()),
    }
}

struct Importer {
    view: View,
    /// Where imports are looked for after the importing file's own directory.
    libraries: Vec<TreePath>,
    missing: Mutex<BTreeSet<String>>,
}

impl Importer {
    /// The file that an import means, if there is one.
    fn find(&self, from: &TreePath, path: &str) -> Result<Option<TreePath>, String> {
        if path.starts_with('/') {
            return Ok(None);
        }
        let own = from.parent();
        for base in std::iter::once(&own).chain(&self.libraries) {
            // What climbs out of the repository is as good as missing: nothing is there to be read.
            let Ok(candidate) = base.join(path) else {
                continue;
            };
            let target = self.view.resolve(&candidate);
            match target.map_err(|error| error.to_string())? {
                Some(target) if target.kind == Kind::File => return Ok(Some(candidate)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Replaces the evaluator's complaint about a stand-in by what the user has to know.
    fn explain(&self, message: &str) -> String {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        match missing.iter().find(|path| message.contains(*path)) {
            Some(path) => format!(
                "couldn't open import {path:?}: no match locally or in the Jsonnet library paths"
            ),
            None => message.to_owned(),
        }
    }
}

/// Stands for a file that is not there. An import fails only if it is evaluated, so the stand-in is
/// loaded like a file; its content is no text, which makes using it an error.
const MISSING: &str = "missing import ";

impl AsyncImportResolver for &Importer {
    type Error = String;

    async fn resolve_from(
        &self,
        from: &SourcePath,
        path: &dyn AsPathLike,
    ) -> Result<SourcePath, String> {
        let path = match path.as_path() {
            ResolvePath::Str(text) => text.to_owned(),
            ResolvePath::Path(path) => path.to_string_lossy().into_owned(),
        };
        let virtual_path = |text: &str| SourcePath::new(SourceVirtual(text.into()));
        let Some(SourceVirtual(from)) = from.downcast_ref::<SourceVirtual>() else {
            return Ok(virtual_path(&path));
        };
        let from = TreePath::parse(from).map_err(|error| error.to_string())?;
        if let Some(found) = self.find(&from, &path)? {
            return Ok(virtual_path(found.as_str()));
        }
        let code = self.view.read(&from).map_err(|error| error.to_string())?;
        if String::from_utf8_lossy(&code).contains("importbin") {
            return Err(format!("couldn't open import {path:?}"));
        }
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.insert(path.clone());
        Ok(virtual_path(&format!("{MISSING}{path}")))
    }

    async fn load_file_contents(&self, resolved: &SourcePath) -> Result<Vec<u8>, String> {
        let Some(SourceVirtual(path)) = resolved.downcast_ref::<SourceVirtual>() else {
            return Err("an import has no path".into());
        };
        if path.starts_with(MISSING) {
            return Ok(vec![0xff]);
        }
        let path = TreePath::parse(path).map_err(|error| error.to_string())?;
        self.view.read(&path).map_err(|error| error.to_string())
    }
}
