//! argosy-gotemplate.
