//! argosy-glob.
