//! A story as it happens: the clusters, the repository, the people, and the hub with its crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use argosy::blocking::Blocking;
use argosy::clock::Clock;
use argosy::cluster::Dial;
use argosy::http::Network;
use argosy::hub::Hub;
use argosy::seams::Seams;
use argosy::setup;
use argosy::signatures::Signatures;
use argosy::source::webhook::PushEvent;
use argosy::surroundings::Surroundings;
use argosy_render::Tools;
use argosy_sim::{Fault as SimFault, Rule, SimCluster, SimConfig, WorkloadConfig};
use argosy_test_support::manifest::{automated, manual};
use argosy_test_support::wait::resource;
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::content::Directory;
use crate::held::Held;
use crate::hubs::Hubs;
use crate::plan::{Answer, Change, Fault, Plan, SHARED, Step, TENANTS};
use crate::repository::Host;
use crate::wire::{Life, Log};

/// The repository of the fleet.
pub(crate) const REPOSITORY: &str = "https://git.example.com/fleet.git";

/// The name of the hub's own cluster.
pub(crate) const HUB: &str = "hub";

/// When every story begins, in seconds since 1970.
const EPOCH: i64 = 1_800_000_000;

/// How soon people try again what they insist on.
const INSISTENCE: Duration = Duration::from_secs(1);

/// Who applies what people apply.
const PERSON: &str = "ada";

/// What an application deploys, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deployed {
    pub(crate) application: String,
    pub(crate) directory: String,
    pub(crate) cluster: String,
    pub(crate) namespace: String,
}

/// Something that ends by itself.
enum Due {
    Hub(usize),
    Cut(Arc<Life>),
    Cluster(String),
    Repository,
    Held(Held),
}

/// Everything there is.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) log: Log,
    sims: BTreeMap<String, SimCluster>,
    host: Host,
    /// Every state that each directory ever had.
    pub(crate) history: BTreeMap<String, Vec<Directory>>,
    commits: u64,
    edits: u64,
    joined: BTreeSet<String>,
    /// The applications that somebody deleted.
    pub(crate) removed: BTreeSet<String>,
    agenda: Vec<(Duration, Due)>,
    /// What somebody else has put on objects and the hub has taken away.
    pub(crate) stripped: Vec<String>,
    hubs: Hubs,
}

impl World {
    /// Makes everything but the hub.
    pub(crate) async fn new(plan: Plan) -> Self {
        let log = Log::new();
        let hub = sim(&log, (HUB, plan.seed), None, 1000);
        let client = Client::new(hub.service(), "default");
        setup::install_crds(&client).await.unwrap();
        setup::namespace(&client, "argocd").await.unwrap();
        let mut sims = BTreeMap::from([(HUB.to_owned(), hub)]);
        for (n, one) in plan.clusters.iter().enumerate() {
            let seed = plan.seed.wrapping_add(n as u64 + 1);
            let name = (one.name.as_str(), seed);
            let made = sim(&log, name, Some(one.available_after), one.history);
            sims.insert(one.name.clone(), made);
        }
        let mut world = Self {
            hubs: Hubs::new(plan.hubs, &log),
            log,
            sims,
            host: Host::default(),
            history: BTreeMap::new(),
            commits: 0,
            edits: 0,
            joined: BTreeSet::new(),
            removed: BTreeSet::new(),
            agenda: Vec::new(),
            stripped: Vec::new(),
            plan,
        };
        world.commit();
        world.settle_in().await;
        world
    }

    /// What stands in the API servers when the story begins.
    async fn settle_in(&mut self) {
        for cluster in self.sims.keys().filter(|name| *name != HUB) {
            let neighbour = |namespace: &str| {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "0"},
                       "metadata": {"name": "neighbour", "namespace": namespace}})
            };
            self.make(cluster, neighbour("default")).await.unwrap();
        }
        for one in self
            .plan
            .applications
            .iter()
            .filter(|one| one.has_neighbour)
        {
            let cluster = &self.plan.clusters[one.cluster].name;
            let namespace =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one.name}});
            self.make(cluster, namespace).await.unwrap();
            let neighbour = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "0"},
                                   "metadata": {"name": "neighbour", "namespace": one.name}});
            self.make(cluster, neighbour).await.unwrap();
        }
        for n in 0..self.plan.clusters.len() {
            if !self.plan.clusters[n].joins {
                self.join(n).await;
            }
        }
        for one in &self.plan.applications {
            let server = server(&self.plan.clusters[one.cluster].name);
            let path = format!("apps/{}", one.name);
            let mut app = if one.automated {
                automated(&one.name, REPOSITORY, &path, &server)
            } else {
                manual(&one.name, REPOSITORY, &path, &server)
            };
            if !one.cascades {
                app["metadata"]["finalizers"] = json!([]);
            }
            app["spec"]["syncPolicy"]["retry"] = retry();
            self.make(HUB, app).await.unwrap();
        }
        for set in [shared_set(), tenants_set()] {
            self.make(HUB, set).await.unwrap();
        }
    }

    /// A person's client of a cluster.
    pub(crate) fn client(&self, cluster: &str) -> Client {
        Client::new(self.sims[cluster].service(), "default")
    }

    /// What is deployed, and what was.
    pub(crate) fn ever_deployed(&self) -> Vec<Deployed> {
        let by_hand = self.plan.applications.iter().map(|one| Deployed {
            application: one.name.clone(),
            directory: format!("apps/{}", one.name),
            cluster: self.plan.clusters[one.cluster].name.clone(),
            namespace: one.name.clone(),
        });
        let shared = self.joined.iter().map(|cluster| Deployed {
            application: format!("{SHARED}-{cluster}"),
            directory: SHARED.to_owned(),
            cluster: cluster.clone(),
            namespace: SHARED.to_owned(),
        });
        let tenants = self.plan.directories.keys().filter_map(|directory| {
            let name = directory.strip_prefix(TENANTS)?.trim_start_matches('/');
            Some(Deployed {
                application: name.to_owned(),
                directory: directory.clone(),
                cluster: self.plan.clusters[0].name.clone(),
                namespace: name.to_owned(),
            })
        });
        by_hand.chain(shared).chain(tenants).collect()
    }

    /// What is deployed.
    pub(crate) fn deployed(&self) -> Vec<Deployed> {
        let mut all = self.ever_deployed();
        all.retain(|one| !self.removed.contains(&one.application));
        all
    }

    /// Lets the story happen, from its beginning to the last fault.
    pub(crate) async fn play(&mut self) {
        for seat in 0..self.hubs.count() {
            self.start_hub(seat);
        }
        for (at, step) in self.plan.steps.clone() {
            self.go_on_until(at).await;
            self.step(step).await;
        }
        self.go_on_until(self.plan.lasts).await;
        self.heal().await;
    }

    /// Lets time pass, with the crashes and recoveries that are due.
    pub(crate) async fn go_on_until(&mut self, at: Duration) {
        loop {
            let start = Instant::now() - self.log.elapsed();
            let next = self.agenda.iter().map(|(due, _)| *due).min();
            let until = next.unwrap_or(at).min(at);
            let ended = Arc::clone(&self.hubs.ended);
            tokio::select! {
                biased;
                () = ended.notified() => self.bury_hubs(),
                () = sleep_until(start + until) => {
                    if next.is_none_or(|next| next > at) {
                        return;
                    }
                    self.recover().await;
                }
            }
        }
    }

    async fn recover(&mut self) {
        let now = self.log.elapsed();
        let (due, later) = std::mem::take(&mut self.agenda)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.agenda = later;
        for (_, what) in due {
            self.end_fault(what).await;
        }
    }

    async fn end_fault(&mut self, what: Due) {
        match what {
            Due::Hub(seat) => self.start_hub(seat),
            Due::Cut(life) => life.cut_from(None),
            Due::Cluster(name) => self.sims[&name].faults().start(),
            Due::Repository => self.host.hide(REPOSITORY, false),
            Due::Held(held) => {
                if let Ok(stripped) = held.release(self).await {
                    self.stripped.extend(stripped);
                } else {
                    let later = self.log.elapsed() + INSISTENCE;
                    self.agenda.push((later, Due::Held(held)));
                }
            }
        }
    }

    /// Ends every fault.
    async fn heal(&mut self) {
        self.hubs.spare();
        for sim in self.sims.values() {
            sim.faults().clear();
            sim.faults().start();
        }
        self.host.hide(REPOSITORY, false);
        for (_, what) in std::mem::take(&mut self.agenda) {
            self.end_fault(what).await;
        }
    }

    fn start_hub(&mut self, seat: usize) {
        let (log, sims, host) = (&self.log, &self.sims, &self.host);
        self.hubs.start(seat, |life, disk, config| {
            let client = life.client(HUB, &sims[HUB]);
            let (life, sims) = (Arc::clone(life), sims.clone());
            let seams = Seams {
                clock: Clock::from_fn(clock(log)),
                dial: Dial::from_fn(move |config| life.client(&config.name, &sims[&config.name])),
                remotes: host.remotes(),
                network: Network::from_fn(|_| Err("there is no network".to_owned())),
                signatures: Signatures::from_fn(|_, _| Err("there is no program".to_owned())),
                disk: disk.seam(),
                surroundings: Surroundings::none(),
                tools: Tools::default(),
                blocking: Blocking::InTurn,
            };
            Hub::start_with(config, client, seams).unwrap()
        });
    }

    fn bury_hubs(&mut self) {
        let back = self.log.elapsed() + self.hubs.down_for;
        let buried = self.hubs.bury().into_iter();
        let due = buried.map(|seat| (back, Due::Hub(seat)));
        self.agenda.extend(due);
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Commit {
                directory,
                change,
                pushed,
            } => {
                self.change(&directory, change);
                self.commit();
                if pushed {
                    self.hubs.take_push(&push());
                }
            }
            Step::Edit { directory, pick } => {
                self.edits += 1;
                let data = json!({"data": {"a": format!("by hand {}", self.edits)}});
                self.touch(&directory, pick, Some(data)).await;
            }
            Step::Delete { directory, pick } => self.touch(&directory, pick, None).await,
            Step::Refresh { pick, hard } => {
                let kind = if hard { "hard" } else { "normal" };
                let wanted = json!({"argocd.argoproj.io/refresh": kind});
                self.ask(pick, json!({"metadata": {"annotations": wanted}}))
                    .await;
            }
            Step::Sync { pick } => self.ask(pick, sync()).await,
            Step::Remove { application } => self.remove(application).await,
            Step::Join { cluster } => self.join(cluster).await,
            Step::Fault(fault) => self.strike(fault).await,
        }
    }

    fn change(&mut self, directory: &str, change: Change) {
        self.commits += 1;
        let number = self.commits;
        let items = &mut self.plan.directories.get_mut(directory).unwrap().0;
        match change {
            Change::Value { pick } => {
                let nth = pick % items.len();
                items.values_mut().nth(nth).unwrap().1 = number;
            }
            Change::Add(item) => drop(items.insert(item.name.clone(), (item, number))),
            Change::Drop { pick } => {
                let name = items.keys().nth(pick % items.len()).unwrap().clone();
                let mut others = items.values().filter(|(item, _)| item.name != name);
                // What would be empty is not synced, as it should be.
                if others.any(|(item, _)| !item.shape.is_hook()) {
                    items.remove(&name);
                }
            }
        }
    }

    fn commit(&mut self) {
        let files = self
            .plan
            .directories
            .iter()
            .flat_map(|(place, directory)| directory.files(place))
            .collect();
        for (place, directory) in &self.plan.directories {
            let states = self.history.entry(place.clone()).or_default();
            states.push(directory.clone());
        }
        self.host.commit(REPOSITORY, &files);
    }

    /// Edits or deletes a lasting object on one of the clusters that have the directory, by hand. If
    /// the cluster does not take it, people give up.
    async fn touch(&self, directory: &str, pick: usize, edit: Option<Value>) {
        let places: Vec<_> = self.deployed();
        let places: Vec<_> = places
            .iter()
            .filter(|one| one.directory == directory)
            .collect();
        let items: Vec<_> = self.plan.directories[directory].lasting().collect();
        if places.is_empty() || items.is_empty() {
            return;
        }
        let (place, (item, _)) = (places[pick % places.len()], items[pick % items.len()]);
        let kind = resource(item.shape.api_version(), item.shape.kind());
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client(&place.cluster), &place.namespace, &kind);
        match edit {
            Some(_) if item.shape.kind() != "ConfigMap" => {}
            Some(edit) => {
                let params = PatchParams::default();
                let _ = api.patch(&item.name, &params, &Patch::Merge(edit)).await;
            }
            None => drop(api.delete(&item.name, &DeleteParams::default()).await),
        }
    }

    /// Changes one of the applications, if it is there and the hub's server takes it.
    async fn ask(&self, pick: usize, patch: Value) {
        let deployed = self.deployed();
        if let Some(one) = deployed.get(pick % deployed.len().max(1)) {
            let api = self.applications();
            let params = PatchParams::default();
            let _ = api
                .patch(&one.application, &params, &Patch::Merge(patch))
                .await;
        }
    }

    /// The applications that nobody syncs but people.
    pub(crate) fn waiting_for_people(&self) -> Vec<String> {
        let by_hand = self.plan.applications.iter();
        let waiting = by_hand.filter(|one| !one.automated && !self.removed.contains(&one.name));
        waiting.map(|one| one.name.clone()).collect()
    }

    /// Asks for a sync of an application.
    pub(crate) async fn sync(&self, application: &str) {
        let params = PatchParams::default();
        let patch = Patch::Merge(sync());
        self.applications()
            .patch(application, &params, &patch)
            .await
            .unwrap();
    }

    async fn remove(&mut self, application: usize) {
        let name = self.plan.applications[application].name.clone();
        self.removed.insert(name.clone());
        let api = self.applications();
        // Whoever wants it gone tries until the hub's server has taken it.
        while let Err(error) = api.delete(&name, &DeleteParams::default()).await {
            if matches!(&error, kube::Error::Api(status) if status.code == 404) {
                return;
            }
            self.wait_a_little().await;
        }
    }

    async fn join(&mut self, cluster: usize) {
        let name = self.plan.clusters[cluster].name.clone();
        self.joined.insert(name.clone());
        let registration = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": format!("cluster-{name}"), "namespace": "argocd", "labels": {
                "argocd.argoproj.io/secret-type": "cluster", "env": "simulated"}},
            "stringData": {"name": name, "server": server(&name), "config": "{}"},
        });
        while self.make(HUB, registration.clone()).await.is_err() {
            self.wait_a_little().await;
        }
    }

    /// What people wait before they insist; time passes for everyone, so that what is out of reach
    /// can come back.
    async fn wait_a_little(&mut self) {
        let later = self.log.elapsed() + INSISTENCE;
        self.go_on_until(later).await;
    }

    async fn strike(&mut self, fault: Fault) {
        let now = self.log.elapsed();
        let name = |cluster: usize| match cluster {
            0 => HUB.to_owned(),
            n => self.plan.clusters[n - 1].name.clone(),
        };
        match fault {
            Fault::Requests {
                cluster,
                verb,
                times,
                answer,
            } => self.sims[&name(cluster)].faults().add(Rule {
                verb: Some(verb.to_owned()),
                resource: None,
                fault: sim_fault(answer),
                times: Some(times),
            }),
            Fault::Dead { cluster, lasts } => {
                let name = name(cluster);
                self.sims[&name].faults().stop();
                self.agenda.push((now + lasts, Due::Cluster(name)));
            }
            Fault::Watches { cluster } => self.sims[&name(cluster)].faults().cut_watches(),
            Fault::Repository { lasts } => {
                self.host.hide(REPOSITORY, true);
                self.agenda.push((now + lasts, Due::Repository));
            }
            Fault::Finalizer { pick, lasts } => {
                if let Some(held) = Held::object(self, pick).await {
                    self.agenda.push((now + lasts, Due::Held(held)));
                }
            }
            Fault::Namespace { pick, lasts } => {
                if let Some(held) = Held::namespace(self, pick).await {
                    self.agenda.push((now + lasts, Due::Held(held)));
                }
            }
            Fault::Crash {
                write,
                carried_out,
                lasts,
            } => {
                self.hubs.down_for = lasts;
                self.hubs.at_work().lay_fuse(write, carried_out);
            }
            Fault::Cut { lasts } => {
                let life = Arc::clone(self.hubs.at_work());
                life.cut_from(Some(HUB));
                self.agenda.push((now + lasts, Due::Cut(life)));
            }
        }
    }

    /// The applications of the hub.
    pub(crate) fn applications(&self) -> Api<argosy_crds::Application> {
        Api::namespaced(self.client(HUB), "argocd")
    }

    /// Makes an object, if the cluster takes it.
    async fn make(&self, cluster: &str, mut object: Value) -> kube::Result<()> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = resource(&text(&object["apiVersion"]), &text(&object["kind"]));
        let name = text(&object["metadata"]["name"]);
        if cluster == HUB {
            object["metadata"]["namespace"] = json!("argocd");
        }
        let namespace = text(&object["metadata"]["namespace"]);
        let client = self.client(cluster);
        let api: Api<DynamicObject> = if namespace.is_empty() {
            Api::all_with(client, &kind)
        } else {
            Api::namespaced_with(client, &namespace, &kind)
        };
        let params = PatchParams::apply(PERSON).force();
        api.patch(&name, &params, &Patch::Apply(&object))
            .await
            .map(drop)
    }
}

fn sim(
    log: &Log,
    (name, seed): (&str, u64),
    available_after: Option<Duration>,
    history: usize,
) -> SimCluster {
    SimCluster::new(SimConfig {
        clock: Arc::new(clock(log)),
        seed,
        workloads: available_after.map(|available_after| WorkloadConfig { available_after }),
        history,
        ..SimConfig::new(name)
    })
    .unwrap()
}

/// The time of the story, which is that of the runtime.
fn clock(log: &Log) -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let log = log.clone();
    move || Timestamp::from_second(EPOCH).unwrap() + log.elapsed()
}

fn server(cluster: &str) -> String {
    format!("https://{cluster}.example.com")
}

fn retry() -> Value {
    json!({"limit": -1, "backoff": {"duration": "1s", "factor": 2, "maxDuration": "30s"}})
}

fn sync() -> Value {
    json!({"operation": {
        "sync": {"prune": true, "syncOptions": ["CreateNamespace=true"]},
        "initiatedBy": {"username": PERSON},
        "retry": retry(),
    }})
}

fn push() -> PushEvent {
    PushEvent {
        urls: vec![REPOSITORY.to_owned()],
        revision: "main".to_owned(),
        default_branch: true,
        changed_files: Vec::new(),
        before: None,
        after: None,
    }
}

fn sim_fault(answer: Answer) -> SimFault {
    match answer {
        Answer::Code(code) => SimFault::Fail {
            code,
            message: format!("the simulation says {code}"),
        },
        Answer::Denied => SimFault::Fail {
            code: 403,
            message: "admission webhook \"policy.example.com\" denied the request".to_owned(),
        },
        Answer::Quota => SimFault::Fail {
            code: 403,
            message: "it is forbidden: exceeded quota: small".to_owned(),
        },
        Answer::Slow(delay) => SimFault::Slow(delay),
        Answer::Disconnect => SimFault::Disconnect,
        Answer::Lose => SimFault::Lose,
    }
}

fn shared_set() -> Value {
    let selector = json!({"matchLabels": {"env": "simulated"}});
    set(
        SHARED,
        &json!({"clusters": {"selector": selector}}),
        automated("shared-{{.name}}", REPOSITORY, SHARED, "{{.server}}"),
        SHARED,
    )
}

fn tenants_set() -> Value {
    let directories = json!([{"path": format!("{TENANTS}/*")}]);
    let git = json!({"repoURL": REPOSITORY, "revision": "main", "directories": directories});
    set(
        TENANTS,
        &json!({ "git": git }),
        automated(
            "{{.path.basename}}",
            REPOSITORY,
            "{{.path.path}}",
            &server("c0"),
        ),
        "{{.path.basename}}",
    )
}

fn set(name: &str, generator: &Value, mut template: Value, namespace: &str) -> Value {
    template["spec"]["syncPolicy"]["retry"] = retry();
    template["spec"]["destination"]["namespace"] = json!(namespace);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": {"name": name},
        "spec": {
            "goTemplate": true,
            "generators": [generator],
            "template": {"metadata": template["metadata"], "spec": template["spec"]},
        },
    })
}
