//! Desired against live: what differs, what must go, and how sure that is.
//!
//! Two faces share the normalisers and the schema. [`object`] and [`application`] serve the hub,
//! which applies server-side: they find every field that *might* differ, and the caller lets a dry
//! run on the server confirm a suspect. [`three_way`] gives Argo CD's client-side verdict, for the
//! offline `diff`. A comparison never changes what it is given, and a Secret's values never leave it
//! unmasked.

mod application;
mod fields;
mod leaf;
mod object;
mod ownership;
mod path;
mod respect;
mod server;
mod three_way;

use serde_json::Value;

pub use application::{
    Comparison, Condition, ConditionKind, Owner, ResourceComparison, Settings, application, unseen,
};
pub use argosy_crds::names::FIELD_MANAGER;
pub use object::{Rules, Verdict, object};
pub use respect::respecting;
pub use server::predicted_changes;
pub use three_way::{ThreeWay, three_way};

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, as a JSON pointer into the live object (into the desired one where live lacks it).
    pub pointer: String,
    /// What git says; `None` if git no longer has the field.
    pub desired: Option<Value>,
    /// What the cluster says; `None` if it lacks the field.
    pub live: Option<Value>,
}
