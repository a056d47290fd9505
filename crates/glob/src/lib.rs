//! The glob dialects that Argo CD's API exposes, each exactly as its users meet it.
//!
//! | where | dialect | module |
//! | --- | --- | --- |
//! | directories of the git generator | Go's `path.Match` | [`path_match`] |
//! | files of the git generator | git pathspecs | [`pathspec`] |
//! | files of the git generator, opted in | doublestar | [`doublestar`] |
//! | project destinations, source repositories, windows | gobwas | [`gobwas`] |
//! | namespace allow-lists and other lists | gobwas or `/regular expression/` | [`list`] |
//!
//! Text in, verdict out: no file system, no state. The dialects differ in what looks equal (does `*`
//! cross `/`, does `?` match nothing), so none of them may be expressed through another.

pub mod doublestar;
pub mod gobwas;
pub mod list;
pub mod path_match;
pub mod pathspec;
