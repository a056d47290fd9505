//! How a template is parsed and run: what a missing key means, and how much it may do.

use crate::error::OptionError;

/// What looking up a key that a map does not have gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value; prints as `<no value>`.
    #[default]
    Default,
    /// The zero value of the map's element type.
    Zero,
    /// An error.
    Error,
}

/// The bounds within which a template runs; beyond them it fails with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many nodes may be visited.
    pub steps: u64,
    /// How deeply templates may call each other.
    pub depth: usize,
    /// How many bytes may be written; no single string grows beyond it either.
    pub output: usize,
}

impl Default for Limits {
    /// A million steps, 100 nested templates, 16 MiB.
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            depth: 100,
            output: 16 << 20,
        }
    }
}

/// Options of a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What a missing key means.
    pub missing_key: MissingKey,
    /// The bounds.
    pub limits: Limits,
}

impl Options {
    /// Applies an option as Go's `Template.Option` reads it, such as `missingkey=error`.
    pub fn parse_option(&mut self, option: &str) -> Result<(), OptionError> {
        self.missing_key = match option {
            "missingkey=invalid" | "missingkey=default" => MissingKey::Default,
            "missingkey=zero" => MissingKey::Zero,
            "missingkey=error" => MissingKey::Error,
            _ => return Err(OptionError(option.to_owned())),
        };
        Ok(())
    }
}
