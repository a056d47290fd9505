//! Spans: what is under way, and the trace that it belongs to. A span ends when it is dropped.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::exporter::Exporter;
use crate::clock::Clock;

/// How many spans of a trace are held back that may yet turn out to have had nothing to do.
const HELD: usize = 512;

/// A trace: all spans of it share its id.
struct Trace {
    id: u128,
    clock: Clock,
    exporter: Arc<Exporter>,
    /// What has ended before it was clear whether anybody wants to see the trace; `None` since then.
    held: Mutex<Option<Vec<Finished>>>,
}

/// Something that goes on. It does nothing where no traces are recorded, or not this one.
#[must_use = "a span ends when it is dropped"]
pub struct Span(Option<Box<Open>>);

struct Open {
    trace: Arc<Trace>,
    id: u64,
    parent: Option<u64>,
    name: &'static str,
    start: Timestamp,
    attributes: Vec<(&'static str, String)>,
    failure: Option<String>,
}

/// What others follow from: a place in a trace, or that there is none of it.
#[derive(Clone)]
pub struct Link(Option<(Arc<Trace>, u64)>);

/// A span that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finished {
    pub(super) trace: u128,
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) name: &'static str,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) attributes: Vec<(&'static str, String)>,
    pub(super) failure: Option<String>,
}

impl Trace {
    fn take(&self, span: Finished) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *held {
            None => self.exporter.send(span),
            Some(held) if held.len() < HELD => held.push(span),
            Some(_) => {}
        }
    }

    fn keep(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for span in held.take().into_iter().flatten() {
            self.exporter.send(span);
        }
    }
}

impl Span {
    /// One of which nothing is recorded.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// The first span of a trace.
    pub(super) fn begin(
        name: &'static str,
        trace: u128,
        clock: Clock,
        exporter: Arc<Exporter>,
    ) -> Self {
        let trace = Arc::new(Trace {
            id: trace,
            clock,
            exporter,
            held: Mutex::new(Some(Vec::new())),
        });
        Self::open(name, trace, None)
    }

    fn open(name: &'static str, trace: Arc<Trace>, parent: Option<u64>) -> Self {
        Self(Some(Box::new(Open {
            // Zero is no id.
            id: rand::random::<u64>().max(1),
            parent,
            name,
            start: trace.clock.now(),
            attributes: Vec::new(),
            failure: None,
            trace,
        })))
    }

    /// Says something about it.
    pub(crate) fn tell(&mut self, key: &'static str, value: impl fmt::Display) {
        if let Some(open) = &mut self.0 {
            open.attributes.push((key, value.to_string()));
        }
    }

    /// Says that it failed, and why.
    pub(crate) fn fail(&mut self, why: &str) {
        if let Some(open) = &mut self.0 {
            open.failure = Some(why.to_owned());
        }
    }

    /// Ends with what came of it.
    pub(crate) fn end_with<T, E>(
        mut self,
        result: Result<T, E>,
        why: impl FnOnce(&E) -> &str,
    ) -> Result<T, E> {
        if let Err(error) = &result {
            self.fail(why(error));
        }
        result
    }

    /// What follows from it.
    pub(crate) fn link(&self) -> Link {
        let open = self.0.as_ref();
        Link(open.map(|open| (Arc::clone(&open.trace), open.id)))
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(open) = self.0.take() else { return };
        let Open {
            trace,
            id,
            parent,
            name,
            start,
            attributes,
            failure,
        } = *open;
        trace.take(Finished {
            trace: trace.id,
            id,
            parent,
            name,
            start,
            end: trace.clock.now(),
            attributes,
            failure,
        });
    }
}

impl Link {
    /// Begins something that follows from this.
    pub(crate) fn span(&self, name: &'static str) -> Span {
        match &self.0 {
            Some((trace, parent)) => Span::open(name, Arc::clone(trace), Some(*parent)),
            None => Span::none(),
        }
    }

    /// Has the trace recorded: something was done that somebody may want to follow.
    pub(crate) fn keep(&self) {
        if let Some((trace, _)) = &self.0 {
            trace.keep();
        }
    }

    /// The id of the trace in hexadecimal, as logs and statuses show it.
    pub(crate) fn trace_id(&self) -> Option<String> {
        let (trace, _) = self.0.as_ref()?;
        Some(format!("{:032x}", trace.id))
    }

    /// Whether both belong to one trace.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some((a, _)), Some((b, _))) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{IntCounterVec, Opts};
    use tokio::sync::mpsc::Receiver;

    use super::*;

    fn begin(room: usize) -> (Span, Receiver<Finished>, IntCounterVec) {
        let counted = IntCounterVec::new(Opts::new("spans", "spans"), &["result"]).unwrap();
        let (exporter, sent) = Exporter::into_channel(room, counted.clone());
        let clock = Clock::from_fn(|| Timestamp::UNIX_EPOCH);
        let span = Span::begin("reconcile", 7, clock, Arc::new(exporter));
        (span, sent, counted)
    }

    #[test]
    fn what_had_nothing_to_do_leaves_no_trace_and_what_had_is_whole() {
        let (look, mut sent, _) = begin(8);
        drop(look.link().span("fetch"));
        drop(look);
        assert!(sent.try_recv().is_err(), "nobody kept it");

        let (look, mut sent, _) = begin(8);
        let link = look.link();
        drop(link.span("fetch"));
        link.keep();
        drop(look);
        drop(link.span("wave"));
        let names: Vec<_> = std::iter::from_fn(|| sent.try_recv().ok()).collect();
        let told = names.iter().map(|span| (span.name, span.parent.is_some()));
        let expected = [("fetch", true), ("reconcile", false), ("wave", true)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        let id = "00000000000000000000000000000007";
        assert_eq!(link.trace_id().as_deref(), Some(id));
    }

    #[test]
    fn what_does_not_fit_is_counted_and_dropped() {
        let (look, _sent, counted) = begin(1);
        look.link().keep();
        drop(look.link().span("fetch"));
        drop(look);
        assert_eq!(counted.with_label_values(&["dropped"]).get(), 1);
    }

    #[test]
    fn where_nothing_is_recorded_nothing_follows() {
        let link = Span::none().link();
        link.keep();
        assert_eq!(link.span("fetch").link().trace_id(), None);
        assert!(link.is_of(&Span::none().link()));
    }
}
