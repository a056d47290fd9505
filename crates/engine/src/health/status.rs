//! The words for health, and which of two is worse.

use std::fmt;

use argosy_crds::codes::HealthStatusCode;

/// Argo CD's health codes, from best to worst; `Unset` is what a script says that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum HealthStatus {
    /// A script returned a table without a status; treated as healthy by the aggregate.
    #[default]
    Unset,
    /// It does what it is for.
    Healthy,
    /// It waits for someone to let it go on.
    Suspended,
    /// It is not there yet and may get there by itself.
    Progressing,
    /// It should be in the cluster and is not.
    Missing,
    /// It failed, or did not get there in time.
    Degraded,
    /// Its state could not be told.
    Unknown,
}

impl HealthStatus {
    /// The code as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "",
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }

    /// Reads a code; `None` for a word that is none.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" => Self::Unset,
            "Healthy" => Self::Healthy,
            "Suspended" => Self::Suspended,
            "Progressing" => Self::Progressing,
            "Missing" => Self::Missing,
            "Degraded" => Self::Degraded,
            "Unknown" => Self::Unknown,
            _ => return None,
        })
    }

    /// The code as a status field has it; `None` where a script said nothing.
    pub fn code(self) -> Option<HealthStatusCode> {
        Some(match self {
            Self::Unset => return None,
            Self::Healthy => HealthStatusCode::Healthy,
            Self::Suspended => HealthStatusCode::Suspended,
            Self::Progressing => HealthStatusCode::Progressing,
            Self::Missing => HealthStatusCode::Missing,
            Self::Degraded => HealthStatusCode::Degraded,
            Self::Unknown => HealthStatusCode::Unknown,
        })
    }

    /// Whether this is worse news than `other`; saying nothing is as good as healthy.
    pub fn is_worse_than(self, other: Self) -> bool {
        self.max(Self::Healthy) > other.max(Self::Healthy)
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A judgement with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Health {
    /// The code.
    pub status: HealthStatus,
    /// Why, in Argo CD's words; often empty when healthy.
    pub message: String,
}

impl Health {
    /// A judgement and its reason.
    pub fn new(status: HealthStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    pub(crate) fn healthy(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Healthy, message)
    }

    pub(crate) fn progressing(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Progressing, message)
    }

    pub(crate) fn degraded(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Degraded, message)
    }

    pub(crate) fn suspended(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Suspended, message)
    }

    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self::new(HealthStatus::Unknown, message)
    }
}
