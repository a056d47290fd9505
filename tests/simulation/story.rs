//! A seed played from its beginning to the silence after its end.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use crate::laws;
use crate::plan::Plan;
use crate::wire::Entry;
use crate::world::World;

/// How long everything may take to settle after the last fault.
const PATIENCE: Duration = Duration::from_mins(15);

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How long the hub may not know of a commit that no webhook told it.
const POLL: Duration = Duration::from_secs(130);

/// What is told of the end may still be on its way: a revision that changes nothing is told with the
/// next poll.
const AFTERMATH: Duration = POLL;

/// For how long nothing may be written from then on: several polls of the repository.
const SILENCE: Duration = Duration::from_mins(5);

/// What the hub says when a reconcile of its own panics.
const PANIC: &str = "did not come to its end";

/// How a seed went.
pub(crate) struct Story {
    seed: u64,
    plan: String,
    said: String,
    /// Every request of the hub, in order.
    pub(crate) trace: Vec<String>,
    /// The laws that were broken, and how.
    pub(crate) broken: Vec<String>,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, plan, .. } = self;
        writeln!(f, "{plan}\n")?;
        if std::env::var_os("ARGOSY_SEED").is_some() {
            writeln!(
                f,
                "requests:\n{}\n\nlog:\n{}",
                self.trace.join("\n"),
                self.said
            )?;
        }
        writeln!(f, "broken: {}", self.broken.join("\n        "))?;
        write!(
            f,
            "replay: ARGOSY_SEED={seed} cargo test --test simulation the_laws"
        )
    }
}

/// What the hub logs.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Plays a seed.
pub(crate) fn tell(seed: u64) -> Story {
    let plan = Plan::draw(seed);
    let shown = format!("{plan:#?}");
    let said = Said::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .without_time()
        .with_writer(said.clone())
        .finish();
    let (trace, mut broken) = tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(Box::pin(happen(plan)))
    });
    let said = String::from_utf8_lossy(&said.lock()).into_owned();
    let panics = said.lines().filter(|line| line.contains(PANIC));
    broken.extend(panics.map(str::to_owned));
    Story {
        seed,
        plan: shown,
        said,
        trace,
        broken,
    }
}

async fn happen(plan: Plan) -> (Vec<String>, Vec<String>) {
    let mut world = World::new(plan).await;
    world.play().await;
    let mut broken = settle(&mut world).await;
    if broken.is_empty() {
        broken = keep_silent(&mut world).await;
    }
    broken.extend(laws::touched_neighbours(&world).await);
    broken.append(&mut world.stripped);
    let entries = world.log.since(0);
    broken.extend(laws::broken_by_writes(&world, &entries));
    broken.extend(laws::broken_terms(&entries));
    if world.plan.is_quiet() {
        broken.extend(laws::costly_operations(&world, &entries));
    }
    let trace = entries.iter().map(Entry::line).collect();
    (trace, broken)
}

/// Lets everything come to rest; what does not in time.
async fn settle(world: &mut World) -> Vec<String> {
    // The last commits are known after a poll; then people sync what does not sync itself.
    let end = world.plan.lasts;
    let mut at = end + POLL;
    world.go_on_until(at).await;
    for name in world.waiting_for_people() {
        world.sync(&name).await;
    }
    loop {
        at += LOOK;
        world.go_on_until(at).await;
        let unsettled = laws::unsettled(world).await;
        if unsettled.is_empty() || at > end + PATIENCE {
            return unsettled;
        }
    }
}

/// Lets time pass; what is written although nothing changes.
async fn keep_silent(world: &mut World) -> Vec<String> {
    world.go_on_until(world.log.elapsed() + AFTERMATH).await;
    let from = world.log.len();
    world.go_on_until(world.log.elapsed() + SILENCE).await;
    let needless = world.log.since(from);
    let needless = needless.iter().filter(|entry| entry.is_write());
    needless
        .map(|entry| format!("a needless write: {}", entry.line()))
        .collect()
}
