//! argosy-yaml.
