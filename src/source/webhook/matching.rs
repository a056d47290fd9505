//! Which applications a push concerns.

use argosy_crds::{Application, ApplicationSource};
use argosy_engine::application::refresh;
use argosy_engine::repo_url::normalise;
use argosy_generators::reads::GitRead;
use regex::Regex;
use url::Url;

use super::{PushEvent, payload::short_name};
use crate::source::constraint::{Constraint, Version};

/// What a push asks of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Compare anew.
    Normal,
    /// Render the dry source anew.
    Hydrate,
}

/// A push, made ready to be held against many applications.
pub struct Target<'a> {
    event: &'a PushEvent,
    urls: Vec<Regex>,
}

impl<'a> Target<'a> {
    /// Prepares an event. An address of the repository that is none is left out.
    pub fn new(event: &'a PushEvent) -> Self {
        Self {
            event,
            urls: event
                .urls
                .iter()
                .filter_map(|url| any_form_of(url))
                .collect(),
        }
    }

    /// What the push asks of `application`; `None` if it does not concern it.
    pub fn concerns(&self, application: &Application) -> Option<Refresh> {
        if let Some(hydrator) = &application.spec.source_hydrator
            && self.concerns_source(application, &hydrator.dry_source())
        {
            return Some(Refresh::Hydrate);
        }
        application
            .spec
            .sources()
            .iter()
            .any(|source| self.concerns_source(application, source))
            .then_some(Refresh::Normal)
    }

    /// Whether the push may change what an ApplicationSet reads.
    pub fn concerns_read(&self, read: &GitRead) -> bool {
        self.is_repository(&read.repo_url)
            && self.moves(&read.revision)
            && read.is_touched_by(&self.event.changed_files)
    }

    /// Whether a source's URL means the repository that was pushed to.
    pub fn is_repository(&self, url: &str) -> bool {
        // A repository on this machine has no host; Argo CD has none of these.
        let same =
            |pushed: &String| url.starts_with("file://") && normalise(pushed) == normalise(url);
        self.urls.iter().any(|form| form.is_match(url)) || self.event.urls.iter().any(same)
    }

    fn concerns_source(&self, application: &Application, source: &ApplicationSource) -> bool {
        self.is_repository(&source.repo_url)
            && self.moves(&source.target_revision)
            && self.touches_files(application, source)
    }

    fn moves(&self, target: &str) -> bool {
        if matches!(short_name(target), "" | "HEAD") {
            return self.event.default_branch;
        }
        let target = ["refs/heads/", "refs/tags/"]
            .iter()
            .find_map(|prefix| target.strip_prefix(prefix))
            .unwrap_or(target);
        let revision = &self.event.revision;
        target == revision
            || Constraint::parse(target)
                .zip(Version::parse(revision))
                .is_some_and(|(constraint, version)| constraint.is_satisfied_by(&version))
    }

    /// Relative paths in the annotation are relative to the source in question.
    fn touches_files(&self, application: &Application, source: &ApplicationSource) -> bool {
        let paths = refresh::paths_of(application, std::slice::from_ref(source));
        refresh::concerns(&paths, &self.event.changed_files)
    }
}

/// Matches every address under which sources may know the repository with this web address:
/// https, ssh and scp-like, with or without port, user and `.git`.
fn any_form_of(web_url: &str) -> Option<Regex> {
    let url = Url::parse(web_url).ok()?;
    let host = regex::escape(url.host_str()?);
    let path = regex::escape(url.path().trim_start_matches('/'));
    let user = r"[\w.][\w.-]{0,30}[\w.$-]?";
    Regex::new(&format!(
        r"(?i)^((https?|ssh)://)?({user}@)?((alt)?ssh\.)?{host}(:\d+)?[:/]{path}(\.git)?$"
    ))
    .ok()
}
