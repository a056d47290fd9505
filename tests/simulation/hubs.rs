//! The hubs of a story: one, or several of which one works. Who ends is started again.

use std::sync::Arc;
use std::time::Duration;

use argosy::config::HubConfig;
use argosy::hub::Hub;
use argosy::leader::{Candidate, Times};
use argosy::source::webhook::PushEvent;
use tokio::sync::Notify;

use crate::disk::Files;
use crate::wire::{Life, Log};

/// All hubs of a story.
pub(crate) struct Hubs {
    seats: Vec<Seat>,
    started: u32,
    log: Log,
    /// Is told when a hub has ended.
    pub(crate) ended: Arc<Notify>,
    /// How long a hub is away after its next crash.
    pub(crate) down_for: Duration,
}

/// Where one hub runs, and the next after it has ended.
struct Seat {
    hub: Option<Arc<Hub>>,
    life: Arc<Life>,
    /// Its disk, which outlives crashes and not the story.
    disk: Files,
}

impl Hubs {
    /// Places for so many hubs, none of which is started.
    pub(crate) fn new(count: usize, log: &Log) -> Self {
        let ended = Arc::new(Notify::new());
        let seat = |_| Seat {
            hub: None,
            life: Life::new(0, log.clone(), &ended),
            disk: Files::default(),
        };
        Self {
            seats: (0..count).map(seat).collect(),
            started: 0,
            log: log.clone(),
            ended,
            down_for: Duration::ZERO,
        }
    }

    /// How many there can be.
    pub(crate) fn count(&self) -> usize {
        self.seats.len()
    }

    /// Starts the hub of a seat, if none runs there.
    pub(crate) fn start(
        &mut self,
        seat: usize,
        begin: impl FnOnce(&Arc<Life>, &Files, HubConfig) -> Arc<Hub>,
    ) {
        let is_one_of_several = self.seats.len() > 1;
        let place = &mut self.seats[seat];
        if place.hub.is_some() {
            return;
        }
        self.started += 1;
        place.life = Life::new(self.started, self.log.clone(), &self.ended);
        let candidate = is_one_of_several.then(|| Candidate {
            identity: format!("hub-{}", self.started),
            times: Times::default(),
        });
        let config = HubConfig {
            candidate,
            ..HubConfig::new("/nowhere")
        };
        let hub = begin(&place.life, &place.disk, config);
        if is_one_of_several {
            let (life, stopped) = (Arc::clone(&place.life), hub.stopped());
            tokio::spawn(async move {
                stopped.await;
                life.end();
            });
        }
        place.hub = Some(hub);
    }

    /// What is left of hubs that have ended does nothing more; their seats.
    pub(crate) fn bury(&mut self) -> Vec<usize> {
        let mut buried = Vec::new();
        for (n, seat) in self.seats.iter_mut().enumerate() {
            if seat.life.has_ended()
                && let Some(hub) = seat.hub.take()
            {
                hub.abandon();
                buried.push(n);
            }
        }
        buried
    }

    /// The life of the hub that works, or of the first.
    pub(crate) fn at_work(&self) -> &Arc<Life> {
        let works = |seat: &&Seat| seat.hub.as_ref().is_some_and(|hub| hub.leads());
        let seat = self.seats.iter().find(works).unwrap_or(&self.seats[0]);
        &seat.life
    }

    /// A webhook comes to the hub that works, if there is one; the others would hand it on.
    pub(crate) fn take_push(&self, push: &PushEvent) {
        let mut hubs = self.seats.iter().filter_map(|seat| seat.hub.as_ref());
        if let Some(hub) = hubs.find(|hub| hub.leads()) {
            hub.take_push(push);
        }
    }

    /// None of them ends by a fuse that was laid.
    pub(crate) fn spare(&self) {
        for seat in &self.seats {
            seat.life.spare();
        }
    }
}
