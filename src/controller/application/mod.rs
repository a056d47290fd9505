//! The application controller: what git says, onto the cluster.
//!
//! Each reconcile reads everything anew: the application, its project and cluster, its manifests,
//! what lives there. What it keeps in memory between two of them ([`Memory`]) is a sync under way
//! and caches; a restart rebuilds both.

pub mod actions;
mod actor;
mod approval;
mod assess;
mod attempt;
mod begin;
mod course;
mod deletion;
mod dependencies;
mod desired;
mod destination;
mod differences;
mod fields;
mod gates;
mod held;
mod live;
mod manifests;
mod memory;
mod news;
mod objects;
mod observe;
mod operate;
mod origin;
mod orphans;
mod plan;
mod planned;
mod push;
mod rehearsal;
pub mod renders;
mod report;
mod results;
mod resume;
mod rollback;
mod rules;
mod shadow;
mod start;
mod status;
mod steps;
mod terminate;
mod updates;
mod write;

use std::sync::Arc;
use std::time::Duration;

use argosy_crds::{Application, names};
use argosy_engine::operation::pause_of;

use super::worker::Next;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;

pub use differences::{Against, Difference, Differences, differences};
pub use live::watch_in_advance;
pub use manifests::{Manifests, manifests};
pub use memory::{Memory, Remarks};
pub(super) use origin::permits;
pub use orphans::orphaned;
pub use planned::{Wanted, sync_plan};
pub(super) use push::take_push;
pub use renders::RenderCounts;
pub use rules::{name_of_instance, owner_of};
pub use shadow::{Report, Shadow, Verdict};
pub use terminate::see_to as see_to_its_end;
pub use updates::Updates;

/// How soon an application is looked at again that is being looked at in another queue.
const OTHERS: Duration = Duration::from_millis(50);

/// Brings one application a step further.
pub async fn reconcile(hub: Arc<Hub>, name: ObjectName) -> Next {
    if !hub.knows_its_fleet() {
        // Everything is woken once it does.
        return Next::WhenWoken;
    }
    // Before everything has been listed once, a project that is not there may only not have been
    // seen yet; the end of the listing wakes every application.
    if !hub.fleet.index().is_ready() {
        return Next::WhenWoken;
    }
    let settings = hub.fleet.settings();
    if !settings.watches_applications_in(&name.namespace, &hub.config.namespace) {
        return Next::WhenWoken;
    }
    let Some(_alone) = hub.applications.alone(&name) else {
        return Next::After(OTHERS);
    };
    let Some(application) = read(&hub, &name).await else {
        pass_on(&hub, &name);
        return Next::WhenWoken;
    };
    if rules::is_skipped(&application) {
        return Next::WhenWoken;
    }
    if let Some(shadow) = &hub.shadow {
        return shadow::look(&hub, shadow, &name, &application).await;
    }
    if application.is_deleting() {
        return deletion::proceed(&hub, &name, &application).await;
    }
    let broken_off = hub.applications.looks(&name);
    let broken_off = broken_off.cancelled();
    tokio::select! {
        biased;
        () = broken_off => terminate::abandon(&hub, &name).await,
        next = proceed(&hub, &name, &application) => next,
    }
}

/// Looks at everything and does what there is to do.
async fn proceed(hub: &Arc<Hub>, name: &ObjectName, application: &Application) -> Next {
    let started = tokio::time::Instant::now();
    let look = course::begin(hub, name, application);
    Box::pin(refresh(hub, name, application)).await;
    let observed = observe::observe(hub, name, application).await;
    let mut assessment = assess::assess(hub, name, application, observed).await;
    let operated = operate::operate(hub, name, application, &mut assessment).await;
    course::operated(hub, name, &operated);
    let next = report::report(hub, name, application, &assessment, operated).await;
    course::end(hub, name, look, &assessment);
    hub.metrics
        .applications
        .reconciled(&name.namespace, &assessment.server, started.elapsed());
    match end_of_pause(hub, application) {
        Some(end) => next.no_later_than(end),
        None => next,
    }
}

/// How long until a pause of the application ends by itself.
fn end_of_pause(hub: &Hub, application: &Application) -> Option<Duration> {
    let now = hub.clock.now();
    let until = pause_of(application, now)?.until?;
    until.duration_since(now).try_into().ok()
}

/// Has the repositories asked anew where somebody asks for a refresh; a hard one renders anew, too.
async fn refresh(hub: &Hub, name: &ObjectName, application: &Application) {
    let Some(wanted) = application.annotation(names::annotation::REFRESH) else {
        return;
    };
    for source in application.spec.sources().iter() {
        hub.sources.refresh(&source.repo_url);
        if wanted == "hard" {
            hub.charts.forget(&source.repo_url).await;
        } else {
            hub.charts.refresh(&source.repo_url);
        }
    }
    if wanted == "hard" {
        hub.applications
            .forget_rendered(name, &hub.config.namespace);
    }
}

/// Wakes whoever desires what an application had that is gone, and may have it now.
fn pass_on(hub: &Arc<Hub>, name: &ObjectName) {
    if hub.fleet.index().applications.get(name).is_some() {
        return;
    }
    let instance = rules::instance_name(name, &hub.config.namespace);
    for cluster in hub.clusters.all() {
        for heir in cluster.live.heirs(&instance) {
            hub.take_up(Wake::Live(heir));
        }
    }
}

/// The application, if it is there and can be read; one that cannot be gets the condition.
async fn read(hub: &Hub, name: &ObjectName) -> Option<Arc<Application>> {
    let body = {
        let index = hub.fleet.index();
        index.applications.get(name).map(|entry| entry.body.clone())
    };
    match body {
        Some(Ok(application)) => {
            let uid = application.metadata.uid.as_deref().unwrap_or_default();
            hub.applications.meet(name, uid);
            Some(application)
        }
        Some(Err(malformed)) => {
            write::malformed(hub, name, &malformed).await;
            None
        }
        None => {
            hub.applications.forget(name, &hub.config.namespace);
            hub.metrics.applications.gone();
            None
        }
    }
}
