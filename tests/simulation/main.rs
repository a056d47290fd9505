//! The whole hub in a simulation: a seed draws a fleet, what people do to it and what goes wrong, and
//! some laws have to hold whatever that is.
//!
//! Everything runs on one thread in simulated time, and the hub reaches the world through its seams
//! alone, so that a seed is the same story each time. `ARGOSY_SEED=7` plays one seed and tells what
//! happened; `ARGOSY_SEEDS=500` says how many are played of each length.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod content;
mod disk;
mod held;
mod hubs;
mod laws;
mod plan;
mod repository;
mod silence;
mod story;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::plan::{PAIR, SHORT};
use crate::story::{Story, tell};

/// How many stories of whole fleets are played when nobody says.
const FLEETS: u64 = 10;

/// How many short stories are played when nobody says.
const SHORTS: u64 = 200;

/// How many short stories of two hubs are played when nobody says.
const PAIRS: u64 = 25;

/// Seeds that have shown a fault.
const FOUND: [u64; 4] = [102, 1_000_278, 1_000_415, 2_000_322];

/// How many seeds are played twice.
const TWICE: u64 = 3;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Plays a seed; the error is all that there is to say.
fn play(seed: u64) -> Result<Story, String> {
    match catch_unwind(|| tell(seed)) {
        Ok(story) if story.broken.is_empty() => Ok(story),
        Ok(story) => Err(story.to_string()),
        Err(_) => Err(format!(
            "seed {seed}: the simulation itself panicked, see above"
        )),
    }
}

#[test]
fn the_laws_hold_in_every_story() {
    if let Some(seed) = number("ARGOSY_SEED") {
        let story = tell(seed);
        println!("{story}");
        assert!(story.broken.is_empty(), "seed {seed} breaks a law");
        return;
    }
    let seeds = number("ARGOSY_SEEDS");
    let fleets = 0..seeds.unwrap_or(FLEETS);
    let shorts = SHORT..SHORT + seeds.unwrap_or(SHORTS);
    let pairs = PAIR..PAIR + seeds.unwrap_or(PAIRS);
    let all = fleets.chain(shorts).chain(pairs);
    let seeds: Vec<_> = FOUND.into_iter().chain(all).collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|threads| {
        for _ in 0..cores {
            threads.spawn(|| {
                let drawn = || seeds.get(next.fetch_add(1, Ordering::Relaxed));
                while let Some(&seed) = drawn() {
                    if let Err(story) = play(seed) {
                        failed.lock().unwrap().insert(seed, story);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} seeds break a law: {:?}; the first of them:\n{}",
        failed.len(),
        seeds.len(),
        failed.keys(),
        failed.values().next().unwrap()
    );
}

#[test]
fn a_seed_is_the_same_story_each_time() {
    for seed in 0..TWICE {
        let (one, other) = (tell(seed).trace, tell(seed).trace);
        let differs = one.iter().zip(&other).position(|(one, other)| one != other);
        let at = differs.unwrap_or(one.len().min(other.len()));
        assert!(
            one == other,
            "seed {seed} differs from request {at} on:\n{:?}\n{:?}",
            one.get(at),
            other.get(at)
        );
    }
}
