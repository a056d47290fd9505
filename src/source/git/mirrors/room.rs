//! Which mirrors go when there is no room for what comes. No I/O, no clock.
//!
//! A mirror that somebody reads never goes, and neither does one that an application follows: making
//! room in that way would fetch the same commits again and again.

use std::{collections::BTreeMap, time::Duration};

/// For how long after it was last asked for a mirror counts as one that applications follow; they
/// ask every few minutes.
pub(crate) const FOLLOWED: Duration = Duration::from_hours(1);

/// What is known of one mirror. Times are since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// Its bytes on disk.
    pub(super) bytes: u64,
    /// When somebody last asked for it, in this process or an earlier one.
    pub(super) used: Duration,
    /// Whether this process has asked for it.
    pub(super) is_known: bool,
    /// Whether somebody has it open.
    pub(super) is_open: bool,
}

impl Held {
    fn may_go(&self, now: Duration) -> bool {
        let is_followed = self.is_known && now.saturating_sub(self.used) < FOLLOWED;
        !self.is_open && !is_followed
    }
}

/// The mirrors that go so that `more` bytes find room under `quota`, the one used longest ago first;
/// `None` if they do not suffice, and then none goes.
pub(super) fn going(
    all: &BTreeMap<String, Held>,
    quota: u64,
    more: u64,
    now: Duration,
) -> Option<Vec<String>> {
    let mut bytes: u64 = all.values().map(|held| held.bytes).sum();
    if bytes.saturating_add(more) <= quota {
        return Some(Vec::new());
    }
    let mut idle: Vec<_> = all.iter().filter(|(_, held)| held.may_go(now)).collect();
    idle.sort_by_key(|(_, held)| held.used);
    let mut gone = Vec::new();
    for (name, held) in idle {
        gone.push(name.clone());
        bytes -= held.bytes;
        if bytes.saturating_add(more) <= quota {
            return Some(gone);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_hours(100);

    fn held(bytes: u64, hours_ago: u64) -> Held {
        Held {
            bytes,
            used: NOW.saturating_sub(Duration::from_hours(hours_ago)),
            ..Held::default()
        }
    }

    fn gone(all: &[(&str, Held)], more: u64) -> Option<Vec<String>> {
        let all = all.iter().map(|(name, held)| ((*name).to_owned(), *held));
        going(&all.collect(), 100, more, NOW)
    }

    #[test]
    fn what_was_used_longest_ago_goes_and_no_more_than_has_to() {
        let all = [
            ("new", held(30, 2)),
            ("old", held(30, 9)),
            ("older", held(30, 10)),
        ];
        assert_eq!(gone(&all, 10), Some(vec![]));
        assert_eq!(gone(&all, 11), Some(vec!["older".to_owned()]));
        assert_eq!(
            gone(&all, 60),
            Some(vec!["older".to_owned(), "old".to_owned()])
        );
        assert_eq!(gone(&all, 101), None);
    }

    #[test]
    fn what_is_open_or_followed_stays() {
        let open = Held {
            is_open: true,
            ..held(50, 9)
        };
        let known = |hours_ago| Held {
            is_known: true,
            ..held(50, hours_ago)
        };
        assert_eq!(gone(&[("open", open), ("followed", known(0))], 1), None);
        assert_eq!(
            gone(&[("open", open), ("forgotten", known(1))], 1),
            Some(vec!["forgotten".to_owned()])
        );
        // An earlier process used it a moment ago; whether anybody still follows it is not known.
        assert_eq!(
            gone(&[("open", open), ("earlier", held(50, 0))], 1),
            Some(vec!["earlier".to_owned()])
        );
    }
}
