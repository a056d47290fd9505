//! What this crate decides, against the recorded answers of Argo CD.

mod compare;
mod diff;
mod health;
mod laws;
mod recorded;
mod respect;
mod server;
