//! What a push concerns: the repository is asked anew, and who reads it looks again.

use std::sync::Arc;

use argosy_crds::ApplicationSet;

use super::application_set;
use super::queue::Lane;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;
use crate::source::webhook::{PushEvent, Target};

impl Hub {
    /// Wakes the applications and sets that a push concerns.
    pub fn take_push(self: &Arc<Self>, event: &PushEvent) {
        let target = Target::new(event);
        for url in self
            .repository_urls()
            .iter()
            .filter(|url| target.is_repository(url))
        {
            self.sources.refresh(url);
        }
        let (apps, sets) = self.concerned(&target);
        for app in apps {
            self.take_up(Wake::Application(app, Lane::Urgent));
        }
        for set in sets {
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
