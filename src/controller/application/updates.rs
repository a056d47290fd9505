//! Which updates of live objects wake their application.

use std::sync::{Arc, Mutex, PoisonError};

use argosy_engine::ignore::Ignore;
use argosy_engine::overrides::Overrides;
use argosy_engine::status;
use serde_json::Value;

use crate::clock::Clock;
use crate::fleet::Fleet;

/// The rules of `ignoreResourceUpdates`, kept ready as long as the settings stay.
pub struct Updates {
    fleet: Arc<Fleet>,
    clock: Clock,
    prepared: Mutex<Option<Prepared>>,
}

#[derive(Clone)]
struct Prepared {
    overrides: Arc<Overrides>,
    rules: Arc<Ignore>,
}

impl Updates {
    /// Follows the settings of `fleet`.
    pub fn new(fleet: Arc<Fleet>, clock: Clock) -> Self {
        Self {
            fleet,
            clock,
            prepared: Mutex::new(None),
        }
    }

    /// A number that stays the same while nothing of a live object changes that matters.
    pub fn significance_of(&self, object: &Value) -> u64 {
        let Prepared { overrides, rules } = self.prepared();
        status::significance(object, &rules, &overrides, self.clock.now())
    }

    fn prepared(&self) -> Prepared {
        let settings = self.fleet.settings();
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = prepared.as_ref();
        if let Some(ready) = ready.filter(|one| Arc::ptr_eq(&one.overrides, &settings.overrides)) {
            return ready.clone();
        }
        let enabled = settings
            .argocd_cm
            .get("resource.ignoreResourceUpdatesEnabled");
        let rules = if enabled.is_some_and(|text| text == "false") {
            Ignore::default()
        } else {
            // A part of a rule that cannot be used ignores nothing; comparisons tell of it.
            Ignore::of_updates(&settings.overrides)
        };
        let ready = Prepared {
            overrides: Arc::clone(&settings.overrides),
            rules: Arc::new(rules),
        };
        *prepared = Some(ready.clone());
        ready
    }
}
