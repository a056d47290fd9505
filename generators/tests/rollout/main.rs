//! Rollouts, in a world of statuses: laws that hold for every order of events, and stories.

mod laws;
mod stories;
mod world;
