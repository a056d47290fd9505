//! The API types of `argoproj.io/v1alpha1`: `Application`, `ApplicationSet` and `AppProject`.
//!
//! The types follow Argo CD's field by field, with Go's idea of emptiness: an empty text, list or
//! map is the same as none and is not written, and where the two differ the field is an `Option`.
//! Fields that are not known are ignored, `null` reads as absent. The CRD manifests are generated
//! from these types. Nothing here decides anything: no defaults, no validation.

mod wire;

pub mod app_project;
pub mod application;
pub mod application_set;
pub mod codes;
mod kind;
pub mod manifest;
pub mod names;
mod schema;

pub use app_project::{AppProject, AppProjectSpec};
pub use application::{Application, ApplicationSource, ApplicationSpec, ApplicationStatus};
pub use application_set::{ApplicationSet, ApplicationSetSpec, ApplicationSetStatus};
