//! What a changed registration of a repository concerns: who reads the repository looks again.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_crds::Application;
use argosy_crds::codes::condition;

use super::application_set;
use super::queue::Lane;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;
use crate::source::Repositories;

impl Hub {
    /// Reads the registrations anew and wakes the applications and sets that read by one that
    /// changed. Who has no manifests is woken, too: what is missing may be a chart's dependency,
    /// which nobody knows before it is fetched.
    pub(super) fn take_repositories(self: &Arc<Self>) {
        let before = self.repositories();
        self.read_repositories();
        let after = self.repositories();
        let (apps, sets) = self.readers(&mut Changes::new(&before, &after));
        for app in apps {
            self.take_up(Wake::Application(app, Lane::Routine));
        }
        for set in sets {
            self.take_up(Wake::ApplicationSet(set, Lane::Routine));
        }
    }

    fn readers(&self, changes: &mut Changes<'_>) -> (Vec<ObjectName>, Vec<ObjectName>) {
        let index = self.fleet.index();
        let mut reads = |app: &Application| {
            let project = app.spec.project_or_default();
            let sources = app.spec.sources();
            let mut urls = sources.iter().map(|source| source.repo_url.as_str());
            urls.any(|url| changes.concern(url, project))
        };
        let apps: Vec<_> = index
            .applications
            .iter()
            .filter(|(_, app)| lacks_manifests(app) || reads(app))
            .map(|(name, _)| name.clone())
            .collect();
        let sets = index.application_sets.iter().filter(|(_, set)| {
            let project = &set.spec.template.spec.project;
            let urls = application_set::repository_urls(set);
            urls.iter().any(|url| changes.concern(url, project))
        });
        let sets = sets.map(|(name, _)| name.clone()).collect();
        (apps, sets)
    }
}

fn lacks_manifests(app: &Application) -> bool {
    let conditions = app.status.iter().flat_map(|status| &status.conditions);
    conditions
        .into_iter()
        .any(|one| one.type_ == condition::COMPARISON_ERROR)
}

/// What two readings of the registrations say of a URL in a project, asked once each.
struct Changes<'a> {
    before: &'a Repositories,
    after: &'a Repositories,
    known: BTreeMap<(String, String), bool>,
}

impl<'a> Changes<'a> {
    fn new(before: &'a Repositories, after: &'a Repositories) -> Self {
        Self {
            before,
            after,
            known: BTreeMap::new(),
        }
    }

    fn concern(&mut self, url: &str, project: &str) -> bool {
        let of = |all: &Repositories| all.find(url, project).fingerprint();
        let key = (url.to_owned(), project.to_owned());
        *self
            .known
            .entry(key)
            .or_insert_with(|| of(self.before) != of(self.after))
    }
}
