//! argosy-engine.
