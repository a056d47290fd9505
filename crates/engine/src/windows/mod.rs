//! Sync windows: when an application may sync, and why not now.
//!
//! The decision is taken again at every step of a sync, from the windows of the project and the
//! time that the caller gives. Nothing here reads a clock.

pub mod cron;
mod explain;
mod read;
mod window;

use argosy_crds::Application;
use argosy_crds::app_project::SyncWindow;
use jiff::Timestamp;

pub use explain::explain;
pub use read::read;
pub use window::{Error, Window, WindowKind};

/// A sync that wants to begin, or to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Whether a person asked for it.
    pub manual: bool,
    /// When it began, if it runs already.
    pub started_at: Option<Timestamp>,
}

/// Whether a sync may happen now, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No window concerns the application.
    NoWindows,
    /// An allow window is open and no deny window is.
    Open,
    /// No deny window is open, and there are no allow windows.
    NotDenied,
    /// Windows are against it, but all of them leave manual syncs alone.
    Manual,
    /// Windows are against it, but it began when they were not, and all of them let it finish.
    Overrun,
    /// Deny windows are open; their positions in the project's list.
    Denied(Vec<usize>),
    /// There are allow windows and none of them is open; their positions in the project's list.
    Closed(Vec<usize>),
}

impl Verdict {
    /// Whether the sync may happen.
    pub fn may_sync(&self) -> bool {
        !matches!(self, Self::Denied(_) | Self::Closed(_))
    }
}

/// The windows of a project that concern one application.
#[derive(Clone, Debug)]
pub struct Windows {
    windows: Vec<(usize, Window)>,
}

impl Windows {
    /// Selects and parses the windows that concern an application.
    ///
    /// # Errors
    /// A window that does not parse, which blocks every sync.
    pub fn of(application: &Application, windows: &[SyncWindow]) -> Result<Self, Error> {
        let mut selected = Vec::new();
        for (position, spec) in windows.iter().enumerate() {
            let window = Window::parse(spec)?;
            if window.concerns(application) {
                selected.push((position, window));
            }
        }
        Ok(Self { windows: selected })
    }

    /// How many windows concern the application.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The windows with their positions in the project's list.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Window)> {
        self.windows
            .iter()
            .map(|(position, window)| (*position, window))
    }

    /// The windows that are open.
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = (usize, &Window)> {
        self.iter().filter(move |(_, window)| window.is_active(now))
    }

    /// Decides whether a sync may happen.
    pub fn verdict(&self, attempt: Attempt, now: Timestamp) -> Verdict {
        if self.is_empty() {
            return Verdict::NoWindows;
        }
        let denies: Vec<_> = self
            .active(now)
            .filter(|(_, window)| window.kind() == WindowKind::Deny)
            .collect();
        if !denies.is_empty() {
            return self.against(&denies, attempt, Verdict::Denied);
        }
        let (open, closed): (Vec<_>, Vec<_>) = self
            .iter()
            .filter(|(_, window)| window.kind() == WindowKind::Allow)
            .partition(|(_, window)| window.is_active(now));
        if !open.is_empty() {
            Verdict::Open
        } else if closed.is_empty() {
            Verdict::NotDenied
        } else {
            self.against(&closed, attempt, Verdict::Closed)
        }
    }

    /// What becomes of an attempt that all of `windows` are against.
    fn against(
        &self,
        windows: &[(usize, &Window)],
        attempt: Attempt,
        refuse: impl FnOnce(Vec<usize>) -> Verdict,
    ) -> Verdict {
        let all =
            |holds: fn(&SyncWindow) -> bool| windows.iter().all(|(_, window)| holds(window.spec()));
        if attempt.manual && all(|window| window.manual_sync) {
            return Verdict::Manual;
        }
        if let Some(started_at) = attempt.started_at
            && all(|window| window.sync_overrun)
        {
            let at_start = Attempt {
                manual: attempt.manual,
                started_at: None,
            };
            if self.verdict(at_start, started_at).may_sync() {
                return Verdict::Overrun;
            }
        }
        refuse(windows.iter().map(|(position, _)| *position).collect())
    }
}
