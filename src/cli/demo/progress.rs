//! What happens, as it happens: a bar that moves in place on a terminal, a few plain lines elsewhere.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::cli::output;
use crate::demo::View;

/// Lines about the count come no closer than this where they cannot replace each other.
const PLAIN_INTERVAL: Duration = Duration::from_millis(500);

/// The two ways of telling.
pub(super) struct Progress {
    began: Instant,
    bar: ProgressBar,
    on_terminal: bool,
    plain: Cell<Option<(usize, Instant)>>,
}

impl Progress {
    pub(super) fn new(began: Instant) -> Self {
        // Hidden until there is something to count.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            began,
            bar,
            on_terminal: std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
            plain: Cell::new(None),
        }
    }

    /// When the demo began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// Something happened.
    pub(super) fn step(&self, text: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        self.bar
            .suspend(|| output::line(format!("{seconds:6.1}s  {text}")));
    }

    /// The applications came a bit further.
    pub(super) fn coming_up(&self, view: &View) {
        let (done, total) = (view.settled(), view.rows.len());
        if !self.on_terminal {
            self.plainly(done, total);
            return;
        }
        if self.bar.is_hidden() && total > 0 {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        let waiting = view.rows.iter().find(|(_, row)| !row.settled);
        let message = waiting.map_or_else(String::new, |(name, row)| {
            format!("{name}: {}, {}", row.sync, row.health)
        });
        self.bar.set_message(message);
    }

    fn plainly(&self, done: usize, total: usize) {
        let now = Instant::now();
        let is_due = self
            .plain
            .get()
            .is_none_or(|(told, at)| told != done && (now - at >= PLAIN_INTERVAL || done == total));
        if is_due && total > 0 {
            self.step(&format!(
                "{done} of {total} applications are Synced and Healthy"
            ));
            self.plain.set(Some((done, now)));
        }
    }

    /// Nothing moves any more.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
