//! Why an application may or may not sync at a given time, for a person.

use jiff::Timestamp;

use super::{Attempt, Verdict, Window, Windows};

/// One line for the verdict, then one for each window that concerns the application.
pub fn explain(windows: &Windows, attempt: Attempt, now: Timestamp) -> Vec<String> {
    let mut lines = vec![summary(&windows.verdict(attempt, now)).to_owned()];
    lines.extend(
        windows
            .iter()
            .map(|(position, window)| describe(position, window, now)),
    );
    lines
}

fn summary(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::NoWindows => "may sync: no window concerns the application",
        Verdict::Open => "may sync: an allow window is open",
        Verdict::NotDenied => "may sync: no deny window is open",
        Verdict::Manual => "may sync: the windows in the way leave manual syncs alone",
        Verdict::Overrun => "may go on: it began in time and the windows let it finish",
        Verdict::Denied(_) => "may not sync: a deny window is open",
        Verdict::Closed(_) => "may not sync: no allow window is open",
    }
}

fn describe(position: usize, window: &Window, now: Timestamp) -> String {
    let spec = window.spec();
    let zone = if spec.time_zone.is_empty() {
        "UTC"
    } else {
        &spec.time_zone
    };
    let (state, until) = if window.is_active(now) {
        (
            "open",
            window.closes_after(now).map(|at| format!(" until {at}")),
        )
    } else {
        (
            "closed",
            window.opens_after(now).map(|at| format!(" until {at}")),
        )
    };
    let mut text = format!(
        "window {position}: {} '{}' for {} in {zone}, {state}{}",
        window.kind().as_str(),
        spec.schedule,
        spec.duration,
        until.unwrap_or_default()
    );
    for (set, note) in [
        (spec.manual_sync, ", manual syncs may pass"),
        (spec.sync_overrun, ", running syncs may finish"),
    ] {
        if set {
            text.push_str(note);
        }
    }
    text
}
