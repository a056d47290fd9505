//! The state of a cluster and every change it can make: a synchronous machine that takes a request
//! and gives an answer and events. It does no I/O but the journal's.

mod accept;
mod admit;
mod collect;
mod create;
mod defaults;
mod definition;
mod delete;
mod failure;
mod identity;
mod list;
mod names;
mod object;
mod selector;
mod state;
mod table;
mod typed;
mod update;
mod validate;

pub(crate) use create::CreateOptions;
pub(crate) use delete::DeleteOptions;
pub(crate) use failure::{Cause, Failure};
pub(crate) use list::{ListOptions, Page};
pub(crate) use object::{at, get_text, name_of, namespace_of, seconds};
pub(crate) use selector::Selector;
pub(crate) use state::{Key, State, WriteOptions};
pub(crate) use table::Event;
pub(crate) use update::Change;
