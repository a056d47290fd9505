//! What this crate decides, against the recorded answers of Argo CD.

mod compare;
mod health;
mod recorded;
