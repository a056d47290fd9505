//! What a project permits, and the proof that it does.
//!
//! [`Permitted`] can only be had from [`Rules`]; whatever writes to a cluster asks for it, for hooks
//! of every phase and for deletions too. Nothing here asks a cluster.

mod integrity;
mod permitted;
mod rules;
mod service_account;
mod validate;

pub use integrity::{Signature, Signing, Unsigned};
pub use permitted::{Denied, Permitted, PermittedPlan, Placement};
pub use rules::{Refusal, Rules};
pub use service_account::{Impersonation, NoServiceAccount, service_account};
pub use validate::{Error, validate};
