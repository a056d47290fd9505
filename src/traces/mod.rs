//! Traces of a commit's way through the hub: the webhook, the expansion of sets, each look at an
//! application with fetch, render, comparison and plan, each wave, and the wait for its health.
//!
//! A trace begins with its cause, a webhook or a look at an application or set, and goes on in
//! whatever follows from it. What turned out to have nothing to do leaves no trace. Spans go to an
//! OpenTelemetry collector in the background: nothing ever waits for it, and spans that it cannot
//! take are counted and dropped. While no collector is named nothing is recorded.
//!
//! A span never holds a credential, nor anything of a manifest.

mod exporter;
mod otlp;
mod settings;
mod span;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus::IntCounterVec;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::diagnostic::Diagnostic;
use crate::http::Network;

use exporter::Exporter;
pub use settings::OtlpSettings;
pub use span::{Link, Span};

/// Begins traces, and sends them to the collector that the settings name.
pub struct Traces {
    clock: Clock,
    network: Network,
    counted: IntCounterVec,
    stop: CancellationToken,
    is_on: AtomicBool,
    exporting: RwLock<Option<Exporting>>,
}

/// What traces are sent by.
#[derive(Clone)]
struct Exporting {
    settings: OtlpSettings,
    exporter: Arc<Exporter>,
}

impl Traces {
    /// Records nothing until [`Self::send_to`] names a collector; `counted` counts spans by what
    /// became of them.
    pub fn new(
        clock: Clock,
        network: Network,
        counted: IntCounterVec,
        stop: &CancellationToken,
    ) -> Self {
        Self {
            clock,
            network,
            counted,
            stop: stop.clone(),
            is_on: AtomicBool::new(false),
            exporting: RwLock::default(),
        }
    }

    /// Sends traces to this collector from now on, or nowhere if there is none. Settings that cannot
    /// be used change nothing. Returns whether anything changed.
    pub fn send_to(&self, settings: &OtlpSettings) -> Result<bool, Diagnostic> {
        let mut exporting = self
            .exporting
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let collector = settings.collector()?;
        let is_same = match (&*exporting, &collector) {
            (Some(before), Some(_)) => before.settings == *settings,
            (before, after) => before.is_none() && after.is_none(),
        };
        if is_same {
            return Ok(false);
        }
        let next = match collector {
            None => None,
            Some(collector) => Some(Exporting {
                settings: settings.clone(),
                exporter: Arc::new(Exporter::spawn(
                    collector,
                    &self.network,
                    self.counted.clone(),
                    &self.stop,
                )?),
            }),
        };
        self.is_on.store(next.is_some(), Ordering::Release);
        *exporting = next;
        Ok(true)
    }

    /// Whether anything is recorded.
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Begins a trace with its first span, as often as the settings want one.
    pub fn begin(&self, name: &'static str) -> Span {
        if !self.is_on() {
            return Span::none();
        }
        let exporting = self.exporting.read();
        let exporting = exporting.unwrap_or_else(PoisonError::into_inner).clone();
        let id = rand::random::<u128>();
        match exporting {
            Some(one) if one.settings.wants(id) => {
                Span::begin(name, id, self.clock.clone(), one.exporter)
            }
            _ => Span::none(),
        }
    }
}
