//! What a seed means: a fleet, what its users do, and what goes wrong. All of it is plain data that
//! is drawn before anything runs, so that a seed is one story and no other.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::content::{Directory, Item, Shape};

/// From this seed on stories are short: of few applications, to which little happens. Many of them
/// are told for what one of a whole fleet costs.
pub(crate) const SHORT: u64 = 1_000_000;

/// From this seed on the stories are short and have two hubs.
pub(crate) const PAIR: u64 = 2_000_000;

/// The directory that the set with the clusters generator deploys.
pub(crate) const SHARED: &str = "shared";

/// The folder whose directories the set with the git generator deploys.
pub(crate) const TENANTS: &str = "tenants";

/// One story.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// How long users and faults are about.
    pub(crate) lasts: Duration,
    /// How many hubs there are, of which one works.
    pub(crate) hubs: usize,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) applications: Vec<Application>,
    /// Every directory of the repository, by its path.
    pub(crate) directories: BTreeMap<String, Directory>,
    /// What happens, in the order of time.
    pub(crate) steps: Vec<(Duration, Step)>,
}

/// A workload cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    /// How long its pods take to become ready.
    pub(crate) available_after: Duration,
    /// How many events its watches can start from.
    pub(crate) history: usize,
    /// Whether it is there from the start, or joins.
    pub(crate) joins: bool,
}

/// An application that somebody made by hand.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) name: String,
    /// The index of its cluster.
    pub(crate) cluster: usize,
    pub(crate) automated: bool,
    /// Whether its objects go with it.
    pub(crate) cascades: bool,
    /// Whether its namespace is there before it, with something in it that is not its own.
    pub(crate) has_neighbour: bool,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A commit to one directory, and whether a webhook tells of it.
    Commit {
        directory: String,
        change: Change,
        pushed: bool,
    },
    /// Somebody edits an object of a directory on some cluster by hand.
    Edit { directory: String, pick: usize },
    /// Somebody deletes one.
    Delete { directory: String, pick: usize },
    /// Somebody asks for a refresh of an application.
    Refresh { pick: usize, hard: bool },
    /// Somebody asks for a sync of one.
    Sync { pick: usize },
    /// Somebody deletes an application that was made by hand.
    Remove { application: usize },
    /// The cluster that joins does.
    Join { cluster: usize },
    /// Something breaks.
    Fault(Fault),
}

/// What a commit does.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Another value in one of the files.
    Value { pick: usize },
    /// Another file.
    Add(Item),
    /// One file less, if another remains.
    Drop { pick: usize },
}

/// What breaks. Where a cluster is named, 0 is the hub's own and the others count from 1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Some requests of one verb are answered so.
    Requests {
        cluster: usize,
        verb: &'static str,
        times: u32,
        answer: Answer,
    },
    /// The cluster is dead for a while.
    Dead { cluster: usize, lasts: Duration },
    /// All watches of a cluster break.
    Watches { cluster: usize },
    /// The repository is out of reach for a while.
    Repository { lasts: Duration },
    /// Somebody has put a finalizer on an object of an application, and takes it away after a while.
    Finalizer { pick: usize, lasts: Duration },
    /// Somebody deletes an application's namespace, and something in it keeps it from going for a
    /// while.
    Namespace { pick: usize, lasts: Duration },
    /// The hub ends at its nth write from now, before or after that is carried out, and starts again
    /// a while later.
    Crash {
        write: u32,
        carried_out: bool,
        lasts: Duration,
    },
    /// The hub that works does not reach its own API server for a while.
    Cut { lasts: Duration },
}

/// How a request fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Code(u16),
    /// A webhook that denies.
    Denied,
    /// A quota that is used up.
    Quota,
    Slow(Duration),
    Disconnect,
    Lose,
}

/// How much there is in a story.
struct Size {
    lasts: Duration,
    hubs: usize,
    clusters: Range<usize>,
    applications: Range<usize>,
    tenants: Range<usize>,
    acts: Range<usize>,
    faults: Range<usize>,
    /// How likely a cluster joins later.
    joins: f64,
}

const FLEET: Size = Size {
    lasts: Duration::from_mins(5),
    hubs: 1,
    clusters: 2..5,
    applications: 2..5,
    tenants: 0..3,
    acts: 6..14,
    faults: 1..7,
    joins: 0.4,
};

const FEW: Size = Size {
    lasts: Duration::from_secs(40),
    hubs: 1,
    clusters: 1..2,
    applications: 1..3,
    tenants: 0..1,
    acts: 1..4,
    faults: 1..4,
    joins: 0.0,
};

const FEW_OF_TWO_HUBS: Size = Size {
    lasts: Duration::from_mins(1),
    hubs: 2,
    ..FEW
};

impl Plan {
    /// The story of a seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let size = match seed {
            ..SHORT => FLEET,
            SHORT..PAIR => FEW,
            PAIR.. => FEW_OF_TWO_HUBS,
        };
        let clusters = clusters(&mut dice, &size);
        let applications = applications(&mut dice, &size, &clusters);
        let names = applications.iter().map(|one| format!("apps/{}", one.name));
        let tenants =
            (0..dice.random_range(size.tenants.clone())).map(|n| format!("{TENANTS}/t{n}"));
        let places: Vec<_> = names.chain(tenants).chain([SHARED.to_owned()]).collect();
        let directories = places
            .into_iter()
            .map(|place| (place, directory(&mut dice)))
            .collect();
        let mut plan = Self {
            seed,
            lasts: size.lasts,
            hubs: size.hubs,
            clusters,
            applications,
            directories,
            steps: Vec::new(),
        };
        plan.steps = steps(&mut dice, &size, &plan);
        plan
    }

    /// Whether nothing goes wrong.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut steps = self.steps.iter();
        !steps.any(|(_, step)| matches!(step, Step::Fault(_)))
    }

    /// How often somebody asks for a refresh.
    pub(crate) fn refreshes(&self) -> usize {
        let steps = self.steps.iter();
        let refreshes = steps.filter(|(_, step)| matches!(step, Step::Refresh { .. }));
        refreshes.count()
    }

    /// How often somebody changes or deletes a live object of a directory by hand.
    pub(crate) fn changes_by_hand(&self, of: &str) -> usize {
        let is_one = |step: &Step| match step {
            Step::Edit { directory, .. } | Step::Delete { directory, .. } => directory == of,
            _ => false,
        };
        self.steps.iter().filter(|(_, step)| is_one(step)).count()
    }
}

fn clusters(dice: &mut StdRng, size: &Size) -> Vec<Cluster> {
    let count = dice.random_range(size.clusters.clone());
    let late = dice.random_bool(size.joins);
    (0..count)
        .map(|n| Cluster {
            name: format!("c{n}"),
            available_after: Duration::from_millis(dice.random_range(50..3000)),
            history: *[20, 100, 1000].choose(dice).unwrap(),
            joins: late && n + 1 == count,
        })
        .collect()
}

fn applications(dice: &mut StdRng, size: &Size, clusters: &[Cluster]) -> Vec<Application> {
    let there = clusters.iter().filter(|cluster| !cluster.joins).count();
    (0..dice.random_range(size.applications.clone()))
        .map(|n| Application {
            name: format!("a{n}"),
            cluster: dice.random_range(0..there),
            automated: dice.random_bool(0.8),
            cascades: dice.random_bool(0.7),
            has_neighbour: dice.random_bool(0.5),
        })
        .collect()
}

fn directory(dice: &mut StdRng) -> Directory {
    let mut directory = Directory::default();
    for n in 0..dice.random_range(1..4) {
        directory.add(Item {
            name: format!("config-{n}"),
            shape: Shape::Config,
            wave: wave(dice),
        });
    }
    if dice.random_bool(0.5) {
        directory.add(Item {
            name: "web".to_owned(),
            shape: Shape::Deployment,
            wave: wave(dice),
        });
    }
    for phase in ["PreSync", "Sync", "PostSync"] {
        if dice.random_bool(0.25) {
            let policies = ["", "HookSucceeded", "BeforeHookCreation"];
            directory.add(Item {
                name: format!("job-{}", phase.to_lowercase()),
                shape: Shape::Hook {
                    phase,
                    policy: policies.choose(dice).unwrap(),
                },
                wave: 0,
            });
        }
    }
    directory
}

fn wave(dice: &mut StdRng) -> i32 {
    *[0, 0, 0, -1, 2].choose(dice).unwrap()
}

fn steps(dice: &mut StdRng, size: &Size, plan: &Plan) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    let mut at = |dice: &mut StdRng, step| {
        let millis = u64::try_from(size.lasts.as_millis()).unwrap();
        steps.push((Duration::from_millis(dice.random_range(0..millis)), step));
    };
    for n in 0..dice.random_range(size.acts.clone()) {
        let step = act(dice, plan, n);
        at(dice, step);
    }
    // One story in eight goes without a fault: what a quiet fleet costs is measured there.
    if dice.random_bool(0.875) {
        for _ in 0..dice.random_range(size.faults.clone()) {
            let fault = fault(dice, plan);
            at(dice, Step::Fault(fault));
        }
    }
    for (cluster, one) in plan.clusters.iter().enumerate() {
        if one.joins {
            at(dice, Step::Join { cluster });
        }
    }
    steps.sort_by_key(|(at, _)| *at);
    steps
}

fn act(dice: &mut StdRng, plan: &Plan, n: usize) -> Step {
    let directories: Vec<_> = plan.directories.keys().cloned().collect();
    let directory = directories.choose(dice).unwrap().clone();
    let pick = dice.random_range(0..16);
    match dice.random_range(0..100) {
        0..45 => Step::Commit {
            directory,
            change: match dice.random_range(0..10) {
                0..6 => Change::Value { pick },
                6..8 => Change::Add(Item {
                    name: format!("more-{n}"),
                    shape: Shape::Config,
                    wave: wave(dice),
                }),
                _ => Change::Drop { pick },
            },
            pushed: dice.random_bool(0.7),
        },
        45..60 => Step::Edit { directory, pick },
        60..75 => Step::Delete { directory, pick },
        75..85 => Step::Refresh {
            pick,
            hard: dice.random_bool(0.5),
        },
        85..94 => Step::Sync { pick },
        _ => Step::Remove {
            application: pick % plan.applications.len(),
        },
    }
}

fn fault(dice: &mut StdRng, plan: &Plan) -> Fault {
    let cluster = dice.random_range(0..=plan.clusters.len());
    let lasts = Duration::from_millis(dice.random_range(100..60_000));
    if plan.hubs > 1 && dice.random_bool(0.3) {
        return Fault::Cut { lasts };
    }
    match dice.random_range(0..100) {
        0..40 => Fault::Requests {
            cluster,
            verb: ["patch", "patch", "get", "list", "watch", "create", "delete"]
                .choose(dice)
                .unwrap(),
            times: dice.random_range(1..5),
            answer: answer(dice),
        },
        40..55 => Fault::Dead { cluster, lasts },
        55..65 => Fault::Watches { cluster },
        65..72 => Fault::Repository { lasts },
        72..78 => Fault::Finalizer {
            pick: dice.random_range(0..64),
            lasts,
        },
        78..82 => Fault::Namespace {
            pick: dice.random_range(0..64),
            lasts,
        },
        _ => Fault::Crash {
            write: dice.random_range(0..25),
            carried_out: dice.random_bool(0.5),
            lasts: lasts / 4,
        },
    }
}

fn answer(dice: &mut StdRng) -> Answer {
    match dice.random_range(0..11) {
        9 => Answer::Denied,
        10 => Answer::Quota,
        0 => Answer::Slow(Duration::from_millis(dice.random_range(10..20_000))),
        1 => Answer::Disconnect,
        2 | 3 => Answer::Lose,
        4 => Answer::Code(422),
        5 => Answer::Code(410),
        other => Answer::Code([409, 429, 500][other % 3]),
    }
}
