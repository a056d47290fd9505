//! argosy-generators.
