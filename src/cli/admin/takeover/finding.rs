//! What a take-over finds.

use std::fmt;

use serde::Serialize;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Weight {
    /// Does not work here, or not safely.
    Fails,
    /// Works otherwise.
    Differs,
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fails => "fails",
            Self::Differs => "differs",
        })
    }
}

/// One thing that would behave differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Finding {
    /// How much it matters.
    pub(super) weight: Weight,
    /// The object, `Kind namespace/name`.
    pub(super) object: String,
    /// The field, key or annotation.
    pub(super) place: String,
    /// What Argosy does, and what to do about it.
    pub(super) message: String,
}

/// Collects what is found of one object.
pub(super) struct Findings<'a> {
    object: String,
    all: &'a mut Vec<Finding>,
}

impl<'a> Findings<'a> {
    /// Nothing of this object yet.
    pub(super) fn of(object: impl Into<String>, all: &'a mut Vec<Finding>) -> Self {
        Self {
            object: object.into(),
            all,
        }
    }

    /// Something does not work.
    pub(super) fn fails(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Weight::Fails, place.into(), message.into());
    }

    /// Something works otherwise.
    pub(super) fn differs(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Weight::Differs, place.into(), message.into());
    }

    fn add(&mut self, weight: Weight, place: String, message: String) {
        self.all.push(Finding {
            weight,
            object: self.object.clone(),
            place,
            message,
        });
    }
}
