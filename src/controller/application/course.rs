//! The trace of a change on its way through an application: which look belongs to which trace, and
//! what of it is under way beyond a single look.
//!
//! A look belongs to the trace of what caused it, such as a webhook, or begins one. While a sync is
//! under way, and until the application's health has settled after it, the following looks go on in
//! the same trace.

use argosy_crds::Application;
use argosy_engine::health::HealthStatus;
use argosy_engine::sync::Phase;

use super::assess::Assessment;
use super::operate::Operated;
use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::traces::{Link, Span};

/// What is kept of an application's traces between two looks.
#[derive(Default)]
pub(super) struct Course {
    /// What the next look follows from.
    cause: Option<Link>,
    /// What is under way follows from this.
    origin: Option<Link>,
    /// The look that is under way, or was last.
    look: Option<Link>,
    /// The wave of its sync that is under way.
    wave: Option<Span>,
    /// The wait for the application's health after its sync.
    health: Option<Span>,
}

impl Course {
    /// Says what the next look follows from.
    pub(super) fn follow(&mut self, cause: &Link) {
        self.cause = Some(cause.clone());
    }

    /// What nobody has looked at yet, for an application that nobody had met.
    pub(super) fn not_begun(&mut self) -> Self {
        Self {
            cause: self.cause.take(),
            ..Self::default()
        }
    }

    /// A look: a part of what is under way, or a trace that `begin` begins.
    pub(super) fn begin_look(&mut self, begin: impl FnOnce() -> Span) -> Span {
        if let Some(cause) = self.cause.take() {
            *self = Self {
                origin: Some(cause),
                ..Self::default()
            };
        }
        let span = match &self.origin {
            Some(origin) => origin.span(LOOK),
            None => begin(),
        };
        let link = span.link();
        self.origin.get_or_insert_with(|| link.clone());
        self.look = Some(link);
        span
    }

    /// The end of a look, after which something `goes_on` or not, with a health that has `settled`.
    pub(super) fn end_look(&mut self, look: &Link, goes_on: bool, settled: Option<HealthStatus>) {
        let is_same = self
            .origin
            .as_ref()
            .is_some_and(|origin| origin.is_of(look));
        if !is_same {
            return;
        }
        if let Some(status) = settled
            && let Some(mut health) = self.health.take()
        {
            health.tell("health", status.as_str());
        }
        if !goes_on && settled.is_some() {
            *self = self.not_begun();
        }
    }

    fn look(&self) -> Link {
        self.look.clone().unwrap_or_else(|| Span::none().link())
    }

    fn origin(&self) -> Link {
        self.origin.clone().unwrap_or_else(|| Span::none().link())
    }
}

/// The span of a look at an application.
const LOOK: &str = "reconcile";

/// Begins the span of a look.
pub(super) fn begin(hub: &Hub, name: &ObjectName, application: &Application) -> Span {
    if !hub.traces.is_on() {
        return Span::none();
    }
    let begin = || hub.traces.begin(LOOK);
    let mut span = hub
        .applications
        .course(name, |course| course.begin_look(begin));
    span.tell("application", name);
    span.tell("project", application.spec.project_or_default());
    span
}

/// Begins a part of the look that is under way.
pub(super) fn stage(hub: &Hub, name: &ObjectName, what: &'static str) -> Span {
    if !hub.traces.is_on() {
        return Span::none();
    }
    hub.applications
        .course(name, |course| course.look())
        .span(what)
}

/// Begins a wave, which lasts until the next one begins or the sync ends.
pub(super) fn wave(hub: &Hub, name: &ObjectName, (phase, wave): (Phase, i64)) {
    if !hub.traces.is_on() {
        return;
    }
    hub.applications.course(name, |course| {
        course.wave = None;
        let mut span = course.origin().span("wave");
        span.tell("application", name);
        span.tell("phase", phase);
        span.tell("wave", wave);
        course.wave = Some(span);
    });
}

/// Ends the last wave and begins to wait for the application's health, if its sync has ended.
pub(super) fn operated(hub: &Hub, name: &ObjectName, operated: &Operated) {
    if !hub.traces.is_on() || !matches!(operated, Operated::Ended(_)) {
        return;
    }
    hub.applications.course(name, |course| {
        course.wave = None;
        let mut span = course.origin().span("health");
        span.tell("application", name);
        course.health = Some(span);
    });
}

/// Ends a look.
pub(super) fn end(hub: &Hub, name: &ObjectName, look: Span, assessment: &Assessment) {
    let link = look.link();
    drop(look);
    if !hub.traces.is_on() {
        return;
    }
    let status = assessment.health.status;
    let settled = (status != HealthStatus::Progressing).then_some(status);
    hub.applications.end_look(name, &link, settled);
}

/// The id of the trace of what was just done, which is recorded from now on.
pub(super) fn recorded(hub: &Hub, name: &ObjectName) -> Option<String> {
    if !hub.traces.is_on() {
        return None;
    }
    let look = hub.applications.course(name, |course| course.look());
    look.keep();
    look.trace_id()
}
