//! The gates of a project, asked about one sync.
//!
//! Asking takes its time, which no worker spends: a task of its own asks, and wakes the application
//! when there is news. What was said is kept until the sync goes on or is no longer wanted; after a
//! restart gates are asked anew, so that a gate has to bear being asked twice.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argosy_crds::application::{GateResult, GateStage, Operation};
use argosy_crds::codes::OperationPhase;
use argosy_crds::{AppProject, Application};
use argosy_engine::gate::{self, CLOSED, Gate, Verdict, judge};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::controller::queue::Lane;
use crate::fleet::{ObjectName, Wake};
use crate::hub::Hub;

/// What the gates of a stage have said so far.
#[derive(Clone, Debug)]
pub(super) enum Word {
    /// Nothing yet.
    Asked,
    /// One of them is closed; for a condition.
    Closed(String),
    /// All of them are open.
    Open(Vec<GateResult>),
    /// One of them refuses the sync; for the operation's message.
    Refused(String, Vec<GateResult>),
}

/// What gates are asked about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct About {
    gates: Vec<Gate>,
    operation: Operation,
    revisions: Vec<String>,
}

/// Gates that are being asked, as long as this lives.
pub(super) struct Inquiry {
    about: About,
    word: Arc<Mutex<Word>>,
    /// Whether the last look at the application still wanted to know.
    pub(super) is_wanted: bool,
    _stop: DropGuard,
}

impl Inquiry {
    /// What was said, if it was asked about just this.
    pub(super) fn word(&self, about: &About) -> Option<Word> {
        (self.about == *about).then(|| lock(&self.word).clone())
    }
}

/// What gates have been asked and said of the attempt before, or before a restart.
pub(super) fn recorded(application: &Application) -> Vec<GateResult> {
    let status = application.status.as_ref();
    let state = status.and_then(|status| status.operation_state.as_ref());
    let result = state.and_then(|state| state.sync_result.as_ref());
    result
        .map(|result| result.gates.clone())
        .unwrap_or_default()
}

/// What the gates of a stage say of a sync; they are asked if they have not been. Nobody is asked
/// about a dry run, nor about the healing of drift: what runs already must not suffer from a gate.
pub(super) fn word(
    hub: &Arc<Hub>,
    name: &ObjectName,
    (application, project): (&Application, &AppProject),
    stage: GateStage,
    (operation, revisions): (&Operation, &[String]),
) -> Word {
    let sync = operation.sync.as_ref();
    if sync.is_some_and(|sync| sync.dry_run || sync.auto_heal_attempts_count > 0) {
        return Word::Open(Vec::new());
    }
    let mut gates = match gate::declared(project) {
        Ok(gates) => gates,
        Err(malformed) => return Word::Closed(format!("{CLOSED}: {malformed}")),
    };
    gates.retain(|gate| gate.stage == stage);
    if gates.is_empty() {
        return Word::Open(Vec::new());
    }
    let about = About {
        gates,
        operation: operation.clone(),
        revisions: revisions.to_vec(),
    };
    hub.applications.word(name, &about).unwrap_or_else(|| {
        let inquiry = begin(hub, name, application, about);
        hub.applications.keep_inquiry(name, inquiry);
        Word::Asked
    })
}

fn begin(hub: &Arc<Hub>, name: &ObjectName, application: &Application, about: About) -> Inquiry {
    let word = Arc::new(Mutex::new(Word::Asked));
    let stop = CancellationToken::new();
    let asking = Asking {
        hub: Arc::clone(hub),
        name: name.clone(),
        application: application.clone(),
        about: about.clone(),
        word: Arc::clone(&word),
    };
    let stopped = stop.clone();
    hub.spawn(async move {
        let asking = Box::pin(asking.ask());
        stopped.run_until_cancelled(asking).await;
    });
    Inquiry {
        about,
        word,
        is_wanted: true,
        _stop: stop.drop_guard(),
    }
}

/// Asks one gate after the other.
struct Asking {
    hub: Arc<Hub>,
    name: ObjectName,
    application: Application,
    about: About,
    word: Arc<Mutex<Word>>,
}

impl Asking {
    async fn ask(self) {
        let mut results = Vec::new();
        for gate in &self.about.gates {
            let since = self.hub.clock.now();
            let refusal = self.until_word(gate, since).await.err();
            results.push(GateResult {
                name: gate.name.clone(),
                when: gate.stage,
                phase: match refusal {
                    None => OperationPhase::Succeeded,
                    Some(_) => OperationPhase::Failed,
                },
                message: refusal.clone().unwrap_or_default(),
                started_at: Time(since),
                finished_at: Time(self.hub.clock.now()),
            });
            if let Some(reason) = refusal {
                let message = format!("gate {:?} refuses the sync: {reason}", gate.name);
                return self.tell(Word::Refused(message, results));
            }
        }
        self.tell(Word::Open(results));
    }

    /// Asks one gate until it opens; the error is why it never will.
    async fn until_word(&self, gate: &Gate, since: Timestamp) -> Result<(), String> {
        let (about, hub) = (&self.about, &self.hub);
        let question = gate::question(gate, &self.application, &about.operation, &about.revisions);
        let mut asked = 0_u32;
        let mut told = String::new();
        loop {
            asked = asked.saturating_add(1);
            let waited = hub.clock.now().duration_since(since);
            let left = (gate.timeout - waited).try_into().unwrap_or_default();
            let permitted = hub.fleet.settings().gate_addresses.clone();
            let answer = hub.gates.ask(gate, &question, &permitted, left).await;
            let now = hub.clock.now();
            match judge(gate, &answer, (since, asked), now) {
                Verdict::Open => return Ok(()),
                Verdict::Refused { reason } => return Err(reason),
                Verdict::Closed { reason, again } => {
                    if reason != told {
                        self.tell(Word::Closed(format!("{CLOSED}: {} ({reason})", gate.name)));
                        told = reason;
                    }
                    let wait: Duration = again.duration_since(now).try_into().unwrap_or_default();
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    fn tell(&self, word: Word) {
        *lock(&self.word) = word;
        let wake = Wake::Application(self.name.clone(), Lane::Urgent);
        self.hub.take_up(wake);
    }
}

fn lock(word: &Mutex<Word>) -> MutexGuard<'_, Word> {
    word.lock().unwrap_or_else(PoisonError::into_inner)
}
