//! argosy-render.
