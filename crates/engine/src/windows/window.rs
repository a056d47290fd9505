//! One sync window: whether it is well-formed, whom it concerns, and when it is open.

use argosy_crds::Application;
use argosy_crds::app_project::SyncWindow;
use argosy_glob::gobwas;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::cron::{self, Schedule};
use crate::duration;

/// What a window does while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// Syncs happen only while such a window is open.
    Allow,
    /// No sync happens.
    Deny,
}

impl WindowKind {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// What is wrong with a window.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Neither `allow` nor `deny`.
    #[error("kind '{0}' mismatch: can only be allow or deny")]
    Kind(String),
    /// A bad schedule.
    #[error("cannot parse schedule '{0}': {1}")]
    Schedule(String, cron::Error),
    /// A bad duration.
    #[error("cannot parse duration '{0}': {1}")]
    Duration(String, duration::Error),
    /// A zone that the IANA database does not have.
    #[error("cannot parse '{0}' timezone")]
    TimeZone(String),
    /// Too long a description.
    #[error("description must not exceed 255 characters")]
    Description,
}

/// A window, parsed.
#[derive(Clone, Debug)]
pub struct Window {
    spec: SyncWindow,
    kind: WindowKind,
    schedule: Schedule,
    duration: SignedDuration,
    zone: TimeZone,
}

impl Window {
    /// Parses a window as it is evaluated: a zone that is not known counts as UTC.
    pub fn parse(spec: &SyncWindow) -> Result<Self, Error> {
        let kind = match spec.kind.as_str() {
            "allow" => WindowKind::Allow,
            "deny" => WindowKind::Deny,
            other => return Err(Error::Kind(other.to_owned())),
        };
        let schedule = Schedule::parse(&spec.schedule)
            .map_err(|error| Error::Schedule(spec.schedule.clone(), error))?;
        let duration = duration::parse(&spec.duration)
            .map_err(|error| Error::Duration(spec.duration.clone(), error))?;
        Ok(Self {
            zone: zone(&spec.time_zone).unwrap_or(TimeZone::UTC),
            spec: spec.clone(),
            kind,
            schedule,
            duration,
        })
    }

    /// Checks a window as a project that contains it is checked.
    pub fn validate(spec: &SyncWindow) -> Result<(), Error> {
        zone(&spec.time_zone).ok_or_else(|| Error::TimeZone(spec.time_zone.clone()))?;
        Self::parse(spec)?;
        if spec.description.chars().count() > 255 {
            return Err(Error::Description);
        }
        Ok(())
    }

    /// The window as written.
    pub fn spec(&self) -> &SyncWindow {
        &self.spec
    }

    /// Allow or deny.
    pub fn kind(&self) -> WindowKind {
        self.kind
    }

    /// The clock on the window's wall, by the zone's offset at `now`.
    fn local(&self, now: Timestamp) -> DateTime {
        self.zone.to_offset(now).to_datetime(now)
    }

    /// Whether the window is open at `now`.
    ///
    /// Both ends are outside of it, to the second. A schedule that does not come within five years
    /// counts as open, as in Argo CD.
    pub fn is_active(&self, now: Timestamp) -> bool {
        let local = self.local(now);
        let Ok(from) = local.checked_sub(self.duration) else {
            return true;
        };
        self.schedule.next(from).is_none_or(|next| next < local)
    }

    /// The next time at which the window opens, if within five years.
    pub fn opens_after(&self, now: Timestamp) -> Option<Timestamp> {
        let next = self.schedule.next(self.local(now))?;
        self.zone.to_offset(now).to_timestamp(next).ok()
    }

    /// When a window that is open at `now` closes: the end of the latest of its runs that overlap.
    pub fn closes_after(&self, now: Timestamp) -> Option<Timestamp> {
        let local = self.local(now);
        let mut begin = self.schedule.next(local.checked_sub(self.duration).ok()?)?;
        while let Some(next) = self.schedule.next(begin).filter(|next| *next < local) {
            begin = next;
        }
        let end = begin.checked_add(self.duration).ok()?;
        self.zone.to_offset(now).to_timestamp(end).ok()
    }

    /// Whether the window concerns an application; destinations count as they are written, not as
    /// they resolve.
    pub fn concerns(&self, application: &Application) -> bool {
        let spec = &self.spec;
        let destination = &application.spec.destination;
        let name = application.metadata.name.as_deref().unwrap_or_default();
        let by_name = || any(&spec.applications, name);
        let by_cluster = || {
            let named = |text: &str| !text.is_empty() && any(&spec.clusters, text);
            named(&destination.name) || named(&destination.server)
        };
        let by_namespace = || any(&spec.namespaces, &destination.namespace);
        if !spec.and_operator {
            return by_name() || by_cluster() || by_namespace();
        }
        let set = [&spec.applications, &spec.clusters, &spec.namespaces]
            .iter()
            .any(|list| !list.is_empty());
        set && (spec.applications.is_empty() || by_name())
            && (spec.clusters.is_empty() || by_cluster())
            && (spec.namespaces.is_empty() || by_namespace())
    }
}

fn zone(name: &str) -> Option<TimeZone> {
    if name.is_empty() {
        Some(TimeZone::UTC)
    } else {
        TimeZone::get(name).ok()
    }
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| pattern == "*" || gobwas::matches(pattern, text, &[]))
}
