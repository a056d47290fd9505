//! What the hub's configuration says about expanding.

use jiff::Timestamp;

/// How the patterns of the git generator's files are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Globbing {
    /// As git's pathspecs: `*` crosses `/`.
    #[default]
    Pathspec,
    /// As doublestar: `*` stays in a segment, `**` does not.
    Doublestar,
}

/// The key of `argocd-cmd-params-cm` that sets [`Settings::max_parameter_sets`]; Argosy's own.
pub const MAX_PARAMETER_SETS: &str = "applicationsetcontroller.max.parameter.sets";

/// What the hub's configuration says about expanding.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How patterns of files are read.
    pub globbing: Globbing,
    /// How many sets of parameters one ApplicationSet may have; beyond it the expansion fails.
    pub max_parameter_sets: usize,
    /// The time that templates see.
    pub now: Timestamp,
}

impl Default for Settings {
    /// Pathspecs, 250,000 sets of parameters, the beginning of time.
    fn default() -> Self {
        Self {
            globbing: Globbing::default(),
            max_parameter_sets: 250_000,
            now: Timestamp::UNIX_EPOCH,
        }
    }
}
