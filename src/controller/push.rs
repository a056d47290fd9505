//! What a webhook concerns: the repository or provider is asked anew, and who reads it looks again.

use std::sync::Arc;

use argosy_crds::ApplicationSet;

use super::application;
use super::application_set::{self, pull_requests};
use super::queue::Lane;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;
use crate::source::shown_url;
use crate::source::webhook::{PullRequestEvent, PushEvent, Target};

impl Hub {
    /// Wakes the applications and sets that a push concerns.
    pub fn take_push(self: &Arc<Self>, event: &PushEvent) {
        let mut span = self.traces.begin("webhook");
        let link = span.link();
        let target = Target::new(event);
        for url in self
            .repository_urls()
            .iter()
            .filter(|url| target.is_repository(url))
        {
            self.sources.refresh(url);
            self.charts.refresh(url);
            self.metrics.webhooks.pushed(&shown_url(url));
            span.tell("repository", shown_url(url));
        }
        let (apps, sets) = self.concerned(&target);
        span.tell("revision", &event.revision);
        span.tell("applications", apps.len());
        span.tell("applicationsets", sets.len());
        drop(span);
        let (hub, cause) = (Arc::clone(self), link.clone());
        self.spawn(async move { application::take_push(&hub, apps, &cause).await });
        for set in sets {
            if self.traces.is_on() {
                self.application_sets.follow(&set, &link);
            }
            self.take_up(Wake::ApplicationSet(set, Lane::Urgent));
        }
        self.ask_anew(|_, set| pull_requests::has_plugin(set));
    }

    /// Wakes the sets whose generators list the pull requests of a repository.
    pub fn take_pull_request(self: &Arc<Self>, event: &PullRequestEvent) {
        self.ask_anew(|name, set| {
            let generators = pull_requests::generators(&self.application_sets, name, set);
            generators.iter().any(|generator| event.concerns(generator))
                || pull_requests::has_plugin(set)
        });
    }

    /// Wakes the sets that are concerned, to ask anew whom they ask outside.
    fn ask_anew(self: &Arc<Self>, concerned: impl Fn(&ObjectName, &ApplicationSet) -> bool) {
        let sets: Vec<_> = {
            let index = self.fleet.index();
            let sets = index.application_sets.iter();
            sets.filter(|(name, set)| concerned(name, set))
                .map(|(name, _)| name.clone())
                .collect()
        };
        for set in sets {
            let answers = &self.application_sets.answers;
            answers.ask_anew(&set, self.clock.now());
            self.take_up(Wake::ApplicationSet(set, Lane::Urgent));
        }
    }

    fn concerned(&self, target: &Target<'_>) -> (Vec<ObjectName>, Vec<ObjectName>) {
        let index = self.fleet.index();
        let apps = index
            .applications
            .iter()
            .filter(|(_, app)| target.concerns(app).is_some());
        let reads = |name: &ObjectName, set: &ApplicationSet| {
            let reads = application_set::git_reads(self, name, set);
            reads.maybe_more || reads.known.iter().any(|read| target.concerns_read(read))
        };
        let sets = index
            .application_sets
            .iter()
            .filter(|(name, set)| reads(name, set));
        (
            apps.map(|(name, _)| name.clone()).collect(),
            sets.map(|(name, _)| name.clone()).collect(),
        )
    }
}
