//! An observation together with the observer's word on how much of it was seen.

/// A value that the observer saw whole.
///
/// Deleting and pruning require it. It is made only by [`Complete::vouch`], so a search for that
/// name lists every place that claims to have seen everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complete<T>(T);

impl<T> Complete<T> {
    /// Vouches that `value` is all there was at the time of looking.
    ///
    /// Call it only where the answer came from the authority itself, was read to its end, and
    /// reported no error.
    pub fn vouch(value: T) -> Self {
        Self(value)
    }

    /// Borrows the value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Gives the value up, and the word on its completeness with it.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Derives a value that is complete because this one is.
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Complete<U> {
        Complete(derive(self.0))
    }

    /// Joins two complete observations.
    pub fn zip<U>(self, other: Complete<U>) -> Complete<(T, U)> {
        Complete((self.0, other.0))
    }
}

/// What an observer can say of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed<T> {
    /// All of it was seen.
    Complete(Complete<T>),
    /// Something was seen, and something is known to be missing.
    Partial {
        /// What was seen.
        value: T,
        /// What is missing and why, for a person to read.
        why: String,
    },
    /// Nothing is known.
    Unknown {
        /// Why nothing is known, for a person to read.
        why: String,
    },
}

impl<T> Observed<T> {
    /// A complete observation; see [`Complete::vouch`] for who may say so.
    pub fn complete(value: T) -> Self {
        Self::Complete(Complete::vouch(value))
    }

    /// An observation known to lack something.
    pub fn partial(value: T, why: impl Into<String>) -> Self {
        Self::Partial {
            value,
            why: why.into(),
        }
    }

    /// No observation.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// The value as far as it was seen.
    pub fn seen(&self) -> Option<&T> {
        match self {
            Self::Complete(complete) => Some(complete.get()),
            Self::Partial { value, .. } => Some(value),
            Self::Unknown { .. } => None,
        }
    }

    /// The value if it was seen whole.
    pub fn as_complete(&self) -> Option<&Complete<T>> {
        match self {
            Self::Complete(complete) => Some(complete),
            Self::Partial { .. } | Self::Unknown { .. } => None,
        }
    }

    /// Why the observation is not complete; `None` if it is.
    pub fn gap(&self) -> Option<&str> {
        match self {
            Self::Complete(_) => None,
            Self::Partial { why, .. } | Self::Unknown { why } => Some(why),
        }
    }

    /// Derives an observation that is as complete as this one.
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Complete(complete) => Observed::Complete(complete.map(derive)),
            Self::Partial { value, why } => Observed::Partial {
                value: derive(value),
                why,
            },
            Self::Unknown { why } => Observed::Unknown { why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_observation_yields_the_witness() {
        assert!(Observed::complete(1).as_complete().is_some());
        assert!(
            Observed::partial(1, "page 2 failed")
                .as_complete()
                .is_none()
        );
        assert!(Observed::<u8>::unknown("timeout").as_complete().is_none());
    }

    #[test]
    fn deriving_never_gains_completeness() {
        let derived = Observed::partial(vec![1], "page 2 failed").map(|seen| seen.len());
        assert_eq!(derived, Observed::partial(1, "page 2 failed"));
        assert_eq!(derived.gap(), Some("page 2 failed"));
    }
}
