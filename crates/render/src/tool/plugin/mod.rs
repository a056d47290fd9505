//! Config management plugins: commands that the hub's owner declares for sources of their kind, by
//! the contract of Argo CD's sidecars.
//!
//! A plugin gets a private copy of the repository, a clean environment with what Argo CD tells it, and
//! the limits of every tool. What it reads cannot be seen, so that all of the repository counts as
//! read. It is shown no credential but, where its declaration asks for them, those of the repository
//! that it renders. It is the one thing here that runs what others wrote: whoever may write what a
//! plugin reads can do what the plugin lets them.

mod declaration;
mod run;
#[cfg(test)]
mod tests;
mod variables;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::{
    identity, output,
    program::{Limits, Slots},
};
use crate::{
    glob::{self, GlobError},
    needs::{Fetched, Need},
    path::TreePath,
    render::{RenderError, Request, Tool},
    view::View,
    views::Views,
};
use declaration::{Declaration, Rule};
use run::{Given, Run};
use variables::variables;

/// How many answers of discovery commands are remembered.
const ANSWERS: usize = 10_000;

/// The plugins of a folder.
pub struct Plugins {
    /// In the order in which they are asked whether a source is theirs.
    all: Vec<Declaration>,
    folder: PathBuf,
    /// Where their programs are looked for, in the form of `PATH`.
    search: OsString,
    identity: String,
    limits: Limits,
    slots: Slots,
    answers: Mutex<BTreeMap<Question, bool>>,
}

/// Whether the plugin of this name is for a directory of a tree.
type Question = (String, String, TreePath);

/// Why plugins cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PluginsError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A file declares no plugin.
    #[error("{} declares no plugin: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Two plugins have the same name and version.
    #[error("more than one file of {} declares the plugin '{name}'", folder.display())]
    Twice {
        /// The folder.
        folder: PathBuf,
        /// The name, with the version after a dash.
        name: String,
    },
}

impl Plugins {
    /// Reads every `.yaml` and `.yml` file of a folder, each of which declares a plugin. Their
    /// programs lie in the folder or in those of `search`, which has the form of `PATH`.
    pub fn load(folder: &Path, search: &OsStr) -> Result<Self, PluginsError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |why| PluginsError::Unreadable { path, why }
        };
        let folder = folder.canonicalize().map_err(unreadable(folder))?;
        let mut all = Vec::new();
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let path = entry.map_err(unreadable(&folder))?.path();
            let is_declaration = path
                .extension()
                .is_some_and(|it| it == "yaml" || it == "yml");
            if path.is_file() && is_declaration {
                let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
                all.push(Declaration::parse(&text).map_err(|why| {
                    let path = path.clone();
                    PluginsError::Malformed { path, why }
                })?);
            }
            files.push(path);
        }
        // The order of Argo CD's sockets.
        all.sort_by_cached_key(|declaration| format!("{}.sock", declaration.name));
        if let Some(two) = all.windows(2).find(|two| two[0].name == two[1].name) {
            let name = two[0].name.clone();
            return Err(PluginsError::Twice { folder, name });
        }
        let paths = std::iter::once(folder.clone()).chain(std::env::split_paths(search));
        // A folder whose name cannot stand in PATH is searched for no program.
        let search = std::env::join_paths(paths).unwrap_or_else(|_| search.to_owned());
        let commands = all.iter().flat_map(Declaration::programs);
        files.extend(commands.filter_map(|name| run::find(name, &search)));
        files.sort();
        files.dedup();
        Ok(Self {
            identity: format!("{}\n{all:?}", identity(files.into_iter())),
            all,
            folder,
            search,
            limits: Limits::default(),
            slots: Slots::one_a_core(),
            answers: Mutex::default(),
        })
    }

    /// What sources call them, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|declaration| declaration.name.as_str())
    }

    /// Names the plugins with their programs: others may render differently.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Whether one of them is for a source that names none.
    pub(crate) fn recognise(&self, view: &View, directory: &TreePath) -> Result<bool, RenderError> {
        let found = self.responsible(view, directory);
        Ok(found.map_err(|failure| failure.of(directory))?.is_some())
    }

    /// The first plugin whose rule says that a source is its own.
    fn responsible(
        &self,
        view: &View,
        directory: &TreePath,
    ) -> Result<Option<&Declaration>, Failure> {
        for declaration in &self.all {
            let is_it = match &declaration.rule {
                None => false,
                Some(Rule::File(pattern)) => has_file(view, directory, pattern)?,
                Some(Rule::Command(words)) => {
                    self.remembered(declaration, words, view, directory)?
                }
            };
            if is_it {
                return Ok(Some(declaration));
            }
        }
        Ok(None)
    }

    /// What a plugin's command says of a source, which it is asked once for each tree.
    fn remembered(
        &self,
        declaration: &Declaration,
        words: &[String],
        view: &View,
        directory: &TreePath,
    ) -> Result<bool, Failure> {
        let tree = view.identity().map_err(RenderError::from)?;
        let question = (declaration.name.clone(), tree, directory.clone());
        let answers = || self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = answers().get(&question) {
            return Ok(*known);
        }
        let answer = self.ask(declaration, words, view, directory, &BTreeMap::new())?;
        let mut answers = answers();
        if answers.len() >= ANSWERS {
            answers.clear();
        }
        answers.insert(question, answer);
        Ok(answer)
    }

    /// Runs a plugin's discovery command.
    fn ask(
        &self,
        declaration: &Declaration,
        words: &[String],
        view: &View,
        directory: &TreePath,
        variables: &BTreeMap<String, String>,
    ) -> Result<bool, Failure> {
        let given = Given {
            variables,
            exclusions: &[],
            access: None,
        };
        let run = Run::prepare(self, declaration, view, directory, &given)?;
        Ok(!run.may("discover.find", words)?.is_empty())
    }

    /// The plugin that a source names, or else the one that recognises it.
    fn chosen(
        &self,
        view: &View,
        directory: &TreePath,
        request: &Request<'_>,
        variables: &BTreeMap<String, String>,
    ) -> Result<&Declaration, Failure> {
        let plugin = request.source.plugin.as_deref();
        let name = plugin.map_or("", |plugin| plugin.name.as_str());
        if name.is_empty() {
            let found = self.responsible(view, directory)?;
            return found.ok_or_else(|| {
                Failure::Plain(format!(
                    "could not find plugin supporting the given repository: none of {} recognises \
                     it; name one in spec.source.plugin.name",
                    self.listed()
                ))
            });
        }
        let named = self.all.iter().find(|declaration| declaration.name == name);
        let named = named.ok_or_else(|| {
            Failure::Plain(format!(
                "there is no plugin with name '{name}'; there are {}",
                self.listed()
            ))
        })?;
        let fits = match &named.rule {
            None => true,
            Some(Rule::File(pattern)) => has_file(view, directory, pattern)?,
            Some(Rule::Command(words)) => self.ask(named, words, view, directory, variables)?,
        };
        if fits {
            return Ok(named);
        }
        Err(Failure::Plain(format!(
            "couldn't find plugin with name '{name}' supporting the given repository: what \
             spec.discover of its declaration looks for is not there"
        )))
    }

    fn listed(&self) -> String {
        let names: Vec<_> = self.names().map(|name| format!("'{name}'")).collect();
        if names.is_empty() {
            "no plugins at all".to_owned()
        } else {
            names.join(", ")
        }
    }

    /// The program of a command.
    fn program(&self, name: &str) -> Option<PathBuf> {
        run::find(name, &self.search)
    }

    /// Where their programs may lie.
    fn places(&self) -> Vec<PathBuf> {
        let search = std::env::split_paths(&self.search);
        std::iter::once(self.folder.clone()).chain(search).collect()
    }
}

impl Tool for Plugins {
    fn render(
        &self,
        views: &Views,
        directory: &TreePath,
        request: &Request<'_>,
    ) -> Result<Vec<Value>, RenderError> {
        let access = request.fetched.and_then(Fetched::access);
        let render = || -> Result<Vec<Value>, Failure> {
            let (view, variables) = (views.own(), variables(request)?);
            let declaration = self.chosen(view, directory, request, &variables)?;
            if declaration.has_access && request.fetched.is_some() && access.is_none() {
                return Err(RenderError::Needs(vec![Need::GitAccess]).into());
            }
            let given = Given {
                variables: &variables,
                exclusions: request.plugin_exclusions,
                access: access.filter(|_| declaration.has_access),
            };
            let run = Run::prepare(self, declaration, view, directory, &given)?;
            if let Some(init) = &declaration.init {
                run.must("init", init)?;
            }
            let printed = run.must("generate", &declaration.generate)?;
            output::objects(&printed)
                .map_err(|why| Failure::Plain(format!("plugin '{}': {why}", declaration.name)))
        };
        let rendered = render().map_err(|failure| match failure {
            Failure::Plain(why) => Failure::Plain(match access {
                Some(access) => access.redact(why),
                None => why,
            }),
            failure @ Failure::Render(_) => failure,
        });
        rendered.map_err(|failure| failure.of(directory))
    }
}

/// Why a plugin gives nothing.
enum Failure {
    /// By itself.
    Plain(String),
    /// The source's files cannot be read.
    Render(RenderError),
}

impl Failure {
    fn of(self, directory: &TreePath) -> RenderError {
        match self {
            Self::Plain(why) => RenderError::Tool {
                tool: "plugin",
                directory: directory.clone(),
                why,
            },
            Self::Render(error) => error,
        }
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Plain(why)
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        Self::Render(error)
    }
}

fn has_file(view: &View, directory: &TreePath, pattern: &TreePath) -> Result<bool, Failure> {
    match glob::expand_below(view, directory.clone(), pattern) {
        Ok(found) => Ok(!found.is_empty()),
        Err(GlobError::Tree(error)) => Err(RenderError::from(error).into()),
        Err(GlobError::Pattern(error)) => Err(Failure::Plain(error.to_string())),
    }
}
