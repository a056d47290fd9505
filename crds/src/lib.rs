//! argosy-crds.
