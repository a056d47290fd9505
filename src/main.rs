//! The `argosy` binary.
fn main() {}
