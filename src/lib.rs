//! The hub and the CLI.
