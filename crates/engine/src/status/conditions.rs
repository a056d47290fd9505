//! Conditions: each evaluation owns some types of them.

use argosy_crds::application::ApplicationCondition;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Puts what an evaluation found into the list: conditions of the types that it owns and did not
/// find again go, those of other types stay, and what says the same as before keeps its time.
/// Sorted by type, message and time.
pub fn merge_conditions(
    previous: &[ApplicationCondition],
    owned: &[&str],
    found: Vec<ApplicationCondition>,
    now: Timestamp,
) -> Vec<ApplicationCondition> {
    let mut merged: Vec<_> = previous
        .iter()
        .filter(|condition| !owned.contains(&condition.type_.as_str()))
        .cloned()
        .collect();
    for condition in found {
        let before = previous
            .iter()
            .find(|old| old.type_ == condition.type_ && old.message == condition.message);
        let last_transition_time = before
            .and_then(|old| old.last_transition_time.clone())
            .or(condition.last_transition_time)
            .or(Some(Time(now)));
        let condition = ApplicationCondition {
            last_transition_time,
            ..condition
        };
        if !merged.contains(&condition) {
            merged.push(condition);
        }
    }
    merged.sort_by(|a, b| {
        let time = |c: &ApplicationCondition| c.last_transition_time.as_ref().map(|time| time.0);
        (&a.type_, &a.message, time(a)).cmp(&(&b.type_, &b.message, time(b)))
    });
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(kind: &str, message: &str) -> ApplicationCondition {
        ApplicationCondition {
            type_: kind.into(),
            message: message.into(),
            last_transition_time: None,
        }
    }

    #[test]
    fn owned_types_are_replaced_and_times_kept() {
        let (then, now) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let first = merge_conditions(
            &[],
            &[],
            vec![
                condition("SyncError", "s"),
                condition("ComparisonError", "c"),
            ],
            then,
        );
        assert_eq!(first[0].type_, "ComparisonError");
        let second = merge_conditions(
            &first,
            &["ComparisonError"],
            vec![condition("ComparisonError", "c")],
            now,
        );
        assert_eq!(second, first, "nothing has changed, not even a time");
        let third = merge_conditions(&first, &["ComparisonError"], Vec::new(), now);
        assert_eq!(third.len(), 1);
        assert_eq!(third[0].type_, "SyncError");
    }
}
