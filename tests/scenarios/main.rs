//! Whole-system stories: a hub, clusters and a repository, and what happens to them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod blind;
mod busy;
mod chart_server;
mod charts;
mod compare;
mod crash;
mod deletion;
mod dependencies;
mod faults;
mod fleet;
mod gates;
mod generator_faults;
mod git_server;
mod guard;
mod healing;
mod identity;
mod killable;
mod kinds;
mod life;
mod midway;
mod namespace;
mod observed;
mod obstacles;
mod order;
mod outside;
mod outside_faults;
mod outside_server;
mod outside_tls;
mod pause;
mod program;
mod rendered;
mod repositories;
mod rollback;
mod rollout;
mod rules;
mod seam;
mod secrets;
mod set_inputs;
mod sets;
mod settings;
mod stories;
mod supersede;
mod validate;
