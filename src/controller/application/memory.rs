//! What is kept of applications between two reconciles.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use argosy_crds::application::OperationState;
use argosy_crds::codes::SyncStatusCode;
use argosy_engine::health::HealthStatus;
use argosy_engine::object::ResourceKey;
use argosy_engine::status::Pace;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::course::Course;
use super::desired::Desired;
use super::gates::{About, Inquiry, Word};
use super::operate::{Retry, RunningSync};
use super::orphans::Orphans;
use super::renders::{RenderCounts, Renders};
use super::rules::instance_name;
use crate::disk::Disk;
use crate::fleet::ObjectName;
use crate::metrics::RenderMetrics;
use crate::traces::Link;

/// What is kept of all applications.
pub struct Memory {
    applications: Mutex<BTreeMap<ObjectName, Remembered>>,
    /// Those that are being looked at.
    busy: Mutex<BTreeSet<ObjectName>>,
    /// Renders, shared by all applications.
    pub(super) renders: Renders,
    /// What lives in namespaces beside them.
    pub(super) orphans: Orphans,
}

/// What is kept of one application.
#[derive(Default)]
struct Remembered {
    /// Which one it is of all that ever had its name.
    uid: String,
    running: Option<RunningSync>,
    retry: Option<Retry>,
    ended: Option<Box<OperationState>>,
    desired: Option<Arc<Desired>>,
    settled: BTreeMap<ResourceKey, Settled>,
    /// How often in a row an ignore rule was of no use, by the rule's text.
    unused_rules: BTreeMap<String, u32>,
    held_back: Option<Timestamp>,
    /// How often its status was written.
    pace: Pace,
    /// The gates that are being asked about its sync.
    inquiry: Option<Inquiry>,
    /// Breaks off the look that is under way, as long as there is one.
    look: Weak<CancellationToken>,
    /// The operation of which somebody sees to it that it ends, by its beginning.
    ending: Option<Timestamp>,
    out_of_sync_since: Option<Timestamp>,
    orphans: Option<usize>,
    /// The trace that its looks belong to.
    course: Course,
}

/// What only the memory tells of an application, for whoever shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Since when it has differed from git without a break, as far as that was seen.
    pub out_of_sync_since: Option<Timestamp>,
    /// What lives in its namespace and belongs to nobody, where that is looked for.
    pub orphans: Option<usize>,
    /// Whether a prune or hook of its sync waits for a person.
    pub awaits_confirmation: bool,
}

impl Remarks {
    fn of(one: &Remembered) -> Self {
        let running = one.running.as_ref();
        Self {
            out_of_sync_since: one.out_of_sync_since,
            orphans: one.orphans,
            awaits_confirmation: running.is_some_and(|running| running.awaits_confirmation),
        }
    }
}

/// Nobody else looks at the application meanwhile.
pub(super) struct Alone<'a> {
    memory: &'a Memory,
    name: ObjectName,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.memory.busy().remove(&self.name);
    }
}

/// The server's word that an object needs nothing: hashes of what lives, and what was desired of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) live: u64,
    pub(super) desired: u64,
}

impl Memory {
    /// Nothing of any application yet; renders are kept on `disk`, too.
    pub(crate) fn new(disk: &Disk, renders: Arc<RenderMetrics>) -> io::Result<Self> {
        Ok(Self {
            applications: Mutex::default(),
            busy: Mutex::default(),
            orphans: Orphans::default(),
            renders: Renders::open(disk, renders)?,
        })
    }

    /// Looks at an application as the only one; `None` if somebody else does. Its queue sees to that
    /// as long as it stays in one, which is its cluster's: it leaves it when it goes or moves.
    pub(super) fn alone(&self, name: &ObjectName) -> Option<Alone<'_>> {
        let is_first = self.busy().insert(name.clone());
        is_first.then(|| Alone {
            memory: self,
            name: name.clone(),
        })
    }

    fn busy(&self) -> MutexGuard<'_, BTreeSet<ObjectName>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at an application. What is kept of another that had its name before is not about it.
    pub(super) fn meet(&self, name: &ObjectName, uid: &str) {
        let mut applications = self.lock();
        let one = applications.entry(name.clone()).or_default();
        if one.uid != uid {
            let is_first = one.uid.is_empty();
            let course = is_first.then(|| one.course.not_begun());
            *one = Remembered {
                uid: uid.to_owned(),
                course: course.unwrap_or_default(),
                ..Remembered::default()
            };
        }
    }

    /// Says what the next look at an application follows from.
    pub(in crate::controller) fn follow(&self, name: &ObjectName, cause: &Link) {
        self.course(name, |course| course.follow(cause));
    }

    /// What is kept of an application's traces.
    pub(super) fn course<T>(&self, name: &ObjectName, ask: impl FnOnce(&mut Course) -> T) -> T {
        ask(&mut self.lock().entry(name.clone()).or_default().course)
    }

    /// Ends a look in the application's traces; `settled` is the health that it has come to.
    pub(super) fn end_look(&self, name: &ObjectName, look: &Link, settled: Option<HealthStatus>) {
        if let Some(one) = self.lock().get_mut(name) {
            let goes_on = one.running.is_some() || one.retry.is_some();
            one.course.end_look(look, goes_on, settled);
        }
    }

    /// Takes the sync that is under way; it has to be put back if it goes on.
    pub(super) fn take_running(&self, name: &ObjectName) -> Option<RunningSync> {
        self.lock().get_mut(name)?.running.take()
    }

    /// Keeps a sync that goes on.
    pub(super) fn keep_running(&self, name: &ObjectName, running: RunningSync) {
        self.lock().entry(name.clone()).or_default().running = Some(running);
    }

    /// Keeps the end of a sync that could not be written into the status.
    pub(super) fn keep_ended(&self, name: &ObjectName, state: Box<OperationState>) {
        self.lock().entry(name.clone()).or_default().ended = Some(state);
    }

    /// Takes the end of a sync that still has to be written.
    pub(super) fn take_ended(&self, name: &ObjectName) -> Option<Box<OperationState>> {
        self.lock().get_mut(name)?.ended.take()
    }

    /// Notes that what was announced of the sync under way did not get into the status.
    pub(super) fn not_announced(&self, name: &ObjectName) {
        let mut applications = self.lock();
        if let Some(running) = applications
            .get_mut(name)
            .and_then(|one| one.running.as_mut())
        {
            running.announced = false;
            running.recorded_hooks = 0;
        }
    }

    /// The retry that is due or will be.
    pub(super) fn retry(&self, name: &ObjectName) -> Option<Retry> {
        self.lock().get(name)?.retry.clone()
    }

    /// Keeps a retry for its time.
    pub(super) fn keep_retry(&self, name: &ObjectName, retry: Retry) {
        self.lock().entry(name.clone()).or_default().retry = Some(retry);
    }

    /// Forgets a retry that has begun, or is not wanted any more.
    pub(super) fn drop_retry(&self, name: &ObjectName) {
        if let Some(one) = self.lock().get_mut(name) {
            one.retry = None;
        }
    }

    /// What is remarkable of each of these applications, in their order.
    pub fn remarks<'a>(&self, names: impl IntoIterator<Item = &'a ObjectName>) -> Vec<Remarks> {
        let applications = self.lock();
        let known = names.into_iter().map(|name| applications.get(name));
        known
            .map(|one| one.map_or_else(Remarks::default, Remarks::of))
            .collect()
    }

    /// Notes whether the application differs from git; `recorded` is since when, as far as its
    /// status tells, for one that nobody has looked at since the start. What is unknown changes
    /// nothing.
    pub(super) fn note_sync(
        &self,
        name: &ObjectName,
        status: SyncStatusCode,
        recorded: Option<Timestamp>,
        now: Timestamp,
    ) {
        let mut applications = self.lock();
        let one = applications.entry(name.clone()).or_default();
        match status {
            SyncStatusCode::Synced => one.out_of_sync_since = None,
            SyncStatusCode::OutOfSync => {
                one.out_of_sync_since.get_or_insert(recorded.unwrap_or(now));
            }
            SyncStatusCode::Unknown => {}
        }
    }

    /// Notes how many resources belong to nobody; `None` where nobody looks for them.
    pub(super) fn note_orphans(&self, name: &ObjectName, orphans: Option<usize>) {
        self.lock().entry(name.clone()).or_default().orphans = orphans;
    }

    /// How many bytes of renders are kept in memory.
    pub fn render_bytes(&self) -> u64 {
        self.renders.bytes()
    }

    /// How many renders were made, and how many were not needed.
    pub fn render_counts(&self) -> RenderCounts {
        self.renders.counts()
    }

    /// What gates say of a sync; `None` if they were not asked about just this.
    pub(super) fn word(&self, name: &ObjectName, about: &About) -> Option<Word> {
        let mut applications = self.lock();
        let inquiry = applications.get_mut(name)?.inquiry.as_mut()?;
        let word = inquiry.word(about)?;
        inquiry.is_wanted = true;
        Some(word)
    }

    /// Keeps what gates are asked; what they were asked before is forgotten.
    pub(super) fn keep_inquiry(&self, name: &ObjectName, inquiry: Inquiry) {
        self.lock().entry(name.clone()).or_default().inquiry = Some(inquiry);
    }

    /// Forgets what gates were asked for a sync that nobody wants any more: nobody has asked for
    /// their word since this was called last.
    pub(super) fn sift_inquiry(&self, name: &ObjectName) {
        if let Some(one) = self.lock().get_mut(name) {
            one.inquiry = one.inquiry.take().filter(|inquiry| inquiry.is_wanted);
            if let Some(inquiry) = &mut one.inquiry {
                inquiry.is_wanted = false;
            }
        }
    }

    /// The manifests that were rendered last.
    pub(super) fn desired(&self, name: &ObjectName) -> Option<Arc<Desired>> {
        self.lock().get(name)?.desired.clone()
    }

    /// Keeps what was rendered, for when the repository cannot be reached.
    pub(super) fn keep_desired(&self, name: &ObjectName, desired: &Arc<Desired>) {
        self.lock().entry(name.clone()).or_default().desired = Some(Arc::clone(desired));
    }

    /// Whether the server has said that exactly this needs nothing.
    pub(super) fn is_settled(&self, name: &ObjectName, key: &ResourceKey, word: &Settled) -> bool {
        self.lock()
            .get(name)
            .is_some_and(|one| one.settled.get(key) == Some(word))
    }

    /// Keeps the server's word.
    pub(super) fn settle(&self, name: &ObjectName, key: ResourceKey, word: Settled) {
        self.lock()
            .entry(name.clone())
            .or_default()
            .settled
            .insert(key, word);
    }

    /// Counts the looks at an application at which an ignore rule named nothing, and returns the
    /// rules for which that was so `often` times in a row. `told` is what was returned last.
    pub(super) fn unused_rules<'a>(
        &self,
        name: &ObjectName,
        rules: impl Iterator<Item = (&'a str, bool)>,
        often: u32,
        told: &str,
    ) -> Vec<String> {
        let mut applications = self.lock();
        let counts = &mut applications.entry(name.clone()).or_default().unused_rules;
        let mut counted = BTreeMap::new();
        for (rule, is_used) in rules {
            // After a restart what was told stays told.
            let before = counts.get(rule).copied();
            let before = before.unwrap_or(if told.contains(rule) { often } else { 0 });
            let unused = if is_used { 0 } else { before.saturating_add(1) };
            counted.insert(rule.to_owned(), unused);
        }
        *counts = counted;
        let unused = counts.iter().filter(|(_, count)| **count >= often);
        unused.map(|(rule, _)| rule.clone()).collect()
    }

    /// Forgets what was rendered and what servers said of it, so that both are found out anew.
    pub(super) fn forget_rendered(&self, name: &ObjectName, hub_namespace: &str) {
        self.renders.forget(&instance_name(name, hub_namespace));
        if let Some(one) = self.lock().get_mut(name) {
            one.settled.clear();
        }
    }

    /// How much longer a write may wait that waits for `delay` at most; `None` if it is due.
    pub(super) fn hold_back(
        &self,
        name: &ObjectName,
        now: Timestamp,
        delay: Duration,
    ) -> Option<Duration> {
        let since = *self
            .lock()
            .entry(name.clone())
            .or_default()
            .held_back
            .get_or_insert(now);
        let waited = now.duration_since(since).try_into().unwrap_or_default();
        delay.checked_sub(waited).filter(|left| !left.is_zero())
    }

    /// How long a write has to wait that nobody waits for; `None` if it is due.
    pub(super) fn wait_for_turn(&self, name: &ObjectName, now: Timestamp) -> Option<Duration> {
        let pace = self.lock().get(name)?.pace;
        let wait: Duration = pace.wait(now).try_into().unwrap_or_default();
        Some(wait).filter(|wait| !wait.is_zero())
    }

    /// Notes that the status is being written.
    pub(super) fn writes(&self, name: &ObjectName, now: Timestamp) {
        self.lock()
            .entry(name.clone())
            .or_default()
            .pace
            .written(now);
    }

    /// Says that the status tells everything: nothing is held back any more.
    pub(super) fn written(&self, name: &ObjectName) {
        if let Some(one) = self.lock().get_mut(name) {
            one.held_back = None;
        }
    }

    /// Begins a look at an application, which lasts as long as the answer lives and may be broken off.
    pub(super) fn looks(&self, name: &ObjectName) -> Arc<CancellationToken> {
        let look = Arc::new(CancellationToken::new());
        self.lock().entry(name.clone()).or_default().look = Arc::downgrade(&look);
        look
    }

    /// Notes that the operation of an application that began then has to end; whether that is new.
    pub(super) fn is_to_end(&self, name: &ObjectName, begun: Timestamp) -> bool {
        let mut applications = self.lock();
        let one = applications.entry(name.clone()).or_default();
        one.ending.replace(begun) != Some(begun)
    }

    /// Forgets the operation of an application and breaks off the look that is under way; whether
    /// there is one.
    pub(super) fn break_off(&self, name: &ObjectName) -> bool {
        let mut applications = self.lock();
        let Some(one) = applications.get_mut(name) else {
            return false;
        };
        (one.running, one.retry) = (None, None);
        let look = one.look.upgrade();
        if let Some(look) = &look {
            look.cancel();
        }
        look.is_some()
    }

    /// Forgets an application that is gone.
    pub(super) fn forget(&self, name: &ObjectName, hub_namespace: &str) {
        self.lock().remove(name);
        self.renders.gone(&instance_name(name, hub_namespace));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectName, Remembered>> {
        self.applications
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Metrics, MetricsConfig};

    fn memory(folder: &std::path::Path) -> Memory {
        let metrics = Metrics::new(&MetricsConfig::default()).unwrap();
        Memory::new(&Disk::below(folder), metrics.renders).unwrap()
    }

    #[test]
    fn drift_lasts_until_the_application_is_synced() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        let name = ObjectName::new("argocd", "web");
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let since = || memory.remarks([&name])[0].out_of_sync_since;
        memory.note_sync(&name, SyncStatusCode::OutOfSync, Some(at(5)), at(9));
        memory.note_sync(&name, SyncStatusCode::Unknown, None, at(10));
        memory.note_sync(&name, SyncStatusCode::OutOfSync, Some(at(10)), at(11));
        assert_eq!(since(), Some(at(5)));
        memory.note_sync(&name, SyncStatusCode::Synced, None, at(12));
        assert_eq!(since(), None);
        memory.note_sync(&name, SyncStatusCode::OutOfSync, None, at(13));
        assert_eq!(since(), Some(at(13)));
    }

    #[test]
    fn what_is_kept_of_an_application_is_not_that_of_the_next_one_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        let name = ObjectName::new("argocd", "web");
        memory.meet(&name, "one");
        memory.keep_ended(&name, Box::default());
        memory.meet(&name, "one");
        assert!(memory.take_ended(&name).is_some());
        memory.keep_ended(&name, Box::default());
        memory.meet(&name, "another");
        assert!(memory.take_ended(&name).is_none());
    }

    #[test]
    fn an_application_is_looked_at_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        let name = ObjectName::new("argocd", "web");
        let first = memory.alone(&name);
        assert!(first.is_some() && memory.alone(&name).is_none());
        assert!(memory.alone(&ObjectName::new("argocd", "db")).is_some());
        drop(first);
        assert!(memory.alone(&name).is_some());
    }

    #[test]
    fn a_write_is_held_back_once_for_as_long_as_it_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        let name = ObjectName::new("argocd", "web");
        let (start, delay) = (Timestamp::UNIX_EPOCH, Duration::from_secs(3));
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(memory.hold_back(&name, start, delay), Some(delay));
        let left = memory.hold_back(&name, after(2), delay);
        assert_eq!(left, Some(Duration::from_secs(1)));
        assert_eq!(memory.hold_back(&name, after(3), delay), None);
        memory.written(&name);
        assert_eq!(memory.hold_back(&name, after(4), delay), Some(delay));
    }
}
