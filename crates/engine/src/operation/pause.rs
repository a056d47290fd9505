//! Pauses: an application that automation leaves alone until a time.
//!
//! A pause is a request in annotations, so that whoever may change the application may ask for it
//! and an ApplicationSet keeps it. It ends by itself. It stops what nobody asked for, syncs and
//! healing, and never what a person asks for.

use argosy_crds::Application;
use argosy_crds::names::annotation;
use jiff::Timestamp;

/// A pause that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When it ends by itself. `None` if the time cannot be read: somebody wanted the application
    /// left alone, so that it is until the annotation is corrected or removed.
    pub until: Option<Timestamp>,
    /// The time as it is written.
    pub written: String,
    /// Why; may be empty.
    pub reason: String,
    /// Who asked for it; may be empty.
    pub by: String,
}

/// The pause of an application, if one is in force at `now`.
pub fn pause_of(application: &Application, now: Timestamp) -> Option<Pause> {
    let written = application.annotation(annotation::PAUSED_UNTIL)?;
    let until: Option<Timestamp> = written.trim().parse().ok();
    if until.is_some_and(|until| until <= now) {
        return None;
    }
    let text = |key| application.annotation(key).unwrap_or_default().to_owned();
    Some(Pause {
        until,
        written: written.to_owned(),
        reason: text(annotation::PAUSE_REASON),
        by: text(annotation::PAUSED_BY),
    })
}

impl Pause {
    /// What it means, for a condition; the same text as long as it lasts.
    pub fn message(&self) -> String {
        let Some(until) = self.until else {
            return format!(
                "automated syncs and healing are paused, because the annotation {} is no RFC 3339 time: {:?}; correct or remove it",
                annotation::PAUSED_UNTIL,
                self.written
            );
        };
        let mut message = format!("automated syncs and healing are paused until {until:.0}");
        if !self.by.is_empty() {
            message.push_str(" by ");
            message.push_str(&self.by);
        }
        if !self.reason.is_empty() {
            message.push_str(": ");
            message.push_str(&self.reason);
        }
        message
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pause(annotations: &serde_json::Value, now: &str) -> Option<Pause> {
        let application = json!({
            "metadata": {"name": "web", "annotations": annotations},
            "spec": {"project": "", "destination": {}},
        });
        let application = serde_json::from_value(application).unwrap();
        pause_of(&application, now.parse().unwrap())
    }

    #[test]
    fn it_ends_by_itself() {
        let asked = json!({
            "argosy.dev/paused-until": "2026-03-04T06:00:00Z",
            "argosy.dev/pause-reason": "a fix by hand",
            "argosy.dev/paused-by": "ada",
        });
        let paused = pause(&asked, "2026-03-04T05:59:59Z").unwrap();
        assert_eq!(
            paused.message(),
            "automated syncs and healing are paused until 2026-03-04T06:00:00Z by ada: a fix by hand"
        );
        assert_eq!(pause(&asked, "2026-03-04T06:00:00Z"), None);
        assert_eq!(pause(&json!({}), "2026-03-04T05:00:00Z"), None);
    }

    #[test]
    fn an_unreadable_time_holds_and_says_so() {
        let asked = json!({"argosy.dev/paused-until": "tomorrow"});
        let paused = pause(&asked, "2026-03-04T06:00:00Z").unwrap();
        assert_eq!(paused.until, None);
        assert!(paused.message().contains("\"tomorrow\""));
    }
}
