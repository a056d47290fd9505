//! What an Application of a rollout waits for, in words.

use std::fmt;

use jiff::Timestamp;

/// How many Applications a text names.
const NAMED: usize = 3;

/// What an Application waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// An earlier step.
    Step {
        /// Its number, from 1.
        step: usize,
        /// The Applications that keep it from being complete, each with how it is.
        applications: Vec<(String, &'static str)>,
    },
    /// The end of the time that an earlier step has to stay healthy.
    Soak {
        /// Its number, from 1.
        step: usize,
        /// When it is over.
        until: Timestamp,
    },
    /// Another Application of its own step to be done.
    Place {
        /// The step's number, from 1.
        step: usize,
        /// How many may be in motion at once.
        limit: usize,
    },
    /// A person: a step of the rollout failed.
    Stopped {
        /// Its number, from 1.
        step: usize,
    },
    /// Its status to name the newest revision.
    Comparison,
    /// An obstacle to its comparison to go away; the type of the condition.
    Obstacle(String),
    /// An operation that the rollout did not begin.
    Operation,
    /// The Application to be written as it is generated.
    Writing,
    /// A sync window to open: the sync was asked for, and its project does not let it begin.
    Window,
    /// A person to approve the sync that was asked for.
    Approval,
    /// The end of a pause that a person asked for.
    Pause,
    /// A newer revision: it was rolled back from this one.
    NewRevision,
    /// A person: no step selects it.
    Unmatched,
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step, applications } => {
                write!(f, "Waiting for step {step}: {}", named(applications))
            }
            Self::Soak { step, until } => {
                write!(f, "Waiting until {until:.0}: step {step} has to stay healthy")
            }
            Self::Place { step, limit: 0 } => {
                write!(f, "Waiting because maxUpdate of step {step} is 0")
            }
            Self::Place { step, limit } => {
                write!(f, "Waiting for a place in step {step}, which updates {limit} at once")
            }
            Self::Stopped { step } => write!(f, "Waiting because step {step} failed"),
            Self::Comparison => f.write_str("Waiting for a comparison with the newest revision"),
            Self::Obstacle(condition) => {
                write!(f, "Waiting for the Application's {condition} to be resolved")
            }
            Self::Operation => f.write_str("Waiting for an operation that is under way"),
            Self::Writing => f.write_str("Waiting for the Application to be written as generated"),
            Self::Window => f.write_str("Waiting for a sync window to open"),
            Self::Approval => f.write_str("Waiting for somebody to approve the sync"),
            Self::Pause => f.write_str("Waiting for the end of the Application's pause"),
            Self::NewRevision => f.write_str("Waiting for a newer revision"),
            Self::Unmatched => f.write_str(
                "No step of the rollout selects this Application, so that it is synced by hand only",
            ),
        }
    }
}

/// The first few of them, and how many more there are.
fn named(applications: &[(String, &'static str)]) -> String {
    let shown: Vec<_> = applications
        .iter()
        .take(NAMED)
        .map(|(name, how)| format!("{name} is {how}"))
        .collect();
    match applications.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
