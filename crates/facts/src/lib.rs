//! What was observed of the world, and how completely.
//!
//! Every fact that can lead to a deletion carries [`Observed`]: an empty answer is only believed
//! when the observer vouches for it. A function that deletes or prunes takes [`Complete`], which
//! nothing but an observer's explicit word can make; so a failed listing, a partial page or a
//! cache that has not synced cannot be mistaken for "there is nothing".
//!
//! This crate does no I/O, has no clock, and must never gain a way to turn a partial answer into a
//! complete one.

mod observed;
mod secret;

pub use observed::{Complete, Observed};
pub use secret::Secret;
