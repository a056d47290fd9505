//! One plugin at work on one source: its commands, one after the other, in a private copy of the
//! repository that is removed in any case.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use argosy_glob::path_match::Pattern;

use super::{Failure, Plugins, declaration::Declaration};
use crate::{
    access::GitAccess,
    path::TreePath,
    render::RenderError,
    tool::{
        family::Family,
        group::Group,
        program::{Ended, bare, finish},
        sandbox::Sandbox,
        workspace::{self, Workspace},
    },
    view::View,
};

/// How much of what a command complains about is shown: what it says last tells most.
const COMPLAINT: usize = 4096;

/// What a run has besides the repository.
pub(super) struct Given<'a> {
    /// The variables of its commands.
    pub(super) variables: &'a BTreeMap<String, String>,
    /// What the copy leaves out: patterns of Go's `filepath.Match` for whole paths.
    pub(super) exclusions: &'a [String],
    /// What its git may read.
    pub(super) access: Option<&'a GitAccess>,
}

/// A plugin in its copy of the repository.
pub(super) struct Run<'a> {
    plugins: &'a Plugins,
    declaration: &'a Declaration,
    directory: &'a TreePath,
    variables: &'a BTreeMap<String, String>,
    /// The variables by which its git has access to the repository.
    access: Vec<(String, String)>,
    workspace: Workspace,
}

impl<'a> Run<'a> {
    /// Copies the repository.
    pub(super) fn prepare(
        plugins: &'a Plugins,
        declaration: &'a Declaration,
        view: &View,
        directory: &'a TreePath,
        given: &Given<'a>,
    ) -> Result<Self, Failure> {
        let patterns = given.exclusions.iter().map(|text| {
            let bad = |error| format!("`reposerver.plugin.tar.exclusions` holds {text:?}: {error}");
            Pattern::parse(text).map_err(bad)
        });
        let exclusions: Vec<_> = patterns.collect::<Result<_, _>>()?;
        let workspace = Workspace::new().map_err(|error| error.to_string())?;
        let access = given
            .access
            .map(|access| access.variables(|file| workspace.input(file)));
        let run = Self {
            plugins,
            declaration,
            directory,
            variables: given.variables,
            access: access
                .transpose()
                .map_err(|error| error.to_string())?
                .unwrap_or_default(),
            workspace,
        };
        let unseen = view.unseen().map_err(RenderError::from)?;
        let copied = run
            .workspace
            .everything(&unseen, declaration.keeps_modes, &exclusions);
        copied.map_err(|error| run.workspace.hide(&error.to_string()))?;
        let needs = view.needs();
        if needs.is_empty() {
            return Ok(run);
        }
        // No command works with texts in the places of files.
        Err(RenderError::Needs(needs.into_iter().collect()).into())
    }

    /// What a command prints that has to succeed; `name` is the field that names it.
    pub(super) fn must(&self, name: &str, words: &[String]) -> Result<String, String> {
        let ended = self.command(name, words)?;
        if ended.status.success() {
            return Ok(ended.output);
        }
        let complaint = self.workspace.hide(&ended.complaints);
        let complaint = match last(&complaint) {
            "" => "it says nothing on standard error",
            complaint => complaint,
        };
        Err(self.of(name, words, &format!("{}: {complaint}", ended.status)))
    }

    /// What a command prints; nothing if it fails by itself.
    pub(super) fn may(&self, name: &str, words: &[String]) -> Result<String, String> {
        let ended = self.command(name, words)?;
        match ended.status.code() {
            Some(0) => Ok(ended.output),
            Some(_) => Ok(String::new()),
            None => Err(self.of(name, words, &ended.status.to_string())),
        }
    }

    fn command(&self, name: &str, words: &[String]) -> Result<Ended, String> {
        let refuse = |why: &str| self.of(name, words, why);
        let (program, arguments) = words
            .split_first()
            .ok_or_else(|| refuse("names no program"))?;
        let path = self.plugins.program(program).ok_or_else(|| {
            refuse(
                "there is no such program in the plugins' folder or on the hub's PATH; install it \
                 there",
            )
        })?;
        let folder = self.workspace.at(self.directory);
        let mut command = bare(&path, &folder, &self.workspace.home());
        command
            .args(arguments)
            .env("PATH", &self.plugins.search)
            .envs(self.variables)
            .envs(self.access.iter().map(|(name, value)| (name, value)));
        let sandbox = Sandbox {
            programs: &self.plugins.places(),
            own: self.workspace.folder(),
            // A plugin may be there to ask something.
            network: true,
        };
        let family = Family(self.workspace.folder());
        let ended = self.plugins.slots.with(|| {
            let child = sandbox.spawn(command);
            let child = child.map_err(|error| format!("cannot be started: {error}"))?;
            finish(Group(child), self.plugins.limits, Some(&family))
        });
        ended.map_err(|why| refuse(&self.workspace.hide(&why)))
    }

    fn of(&self, name: &str, words: &[String], why: &str) -> String {
        let plugin = &self.declaration.name;
        let program = words.first().map_or("", String::as_str);
        format!("plugin '{plugin}': its {name} command `{program}`: {why}")
    }
}

/// The end of a text that is too long to show.
fn last(text: &str) -> &str {
    let from = text.len().saturating_sub(COMPLAINT);
    &text[text.ceil_char_boundary(from)..]
}

/// The program of a command: a path as it is, and a name in the folders of `search`.
pub(super) fn find(program: &str, search: &OsStr) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(Path::new(program).to_owned());
    }
    std::env::split_paths(search).find_map(|folder| workspace::program(&folder, program))
}
