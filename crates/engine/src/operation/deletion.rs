//! Taking an application's resources down, the highest wave first.

use argosy_facts::Complete;
use serde_json::Value;

use crate::object::{ObjectExt, ResourceKey, is_hook, names};
use crate::sync::{Consent, SyncOptions};

/// What to do about the resources of an application that is being deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Objects are on their way out; nothing else is deleted meanwhile.
    WaitFor(Vec<ResourceKey>),
    /// Objects that a person has to approve first; nothing is deleted before.
    Confirm(Vec<ResourceKey>),
    /// Delete these, all at once.
    Delete(Vec<ResourceKey>),
    /// Nothing is left to delete.
    Done {
        /// What stays behind on purpose.
        kept: Vec<ResourceKey>,
    },
}

/// Decides the next step of a cascade.
///
/// `live` is what the cluster is known to hold of the application, completely; an application that
/// manages itself is passed as `own`, so that it does not wait for its own end.
pub fn next_deletion(
    live: &Complete<Vec<Value>>,
    options: &SyncOptions,
    own: Option<&ResourceKey>,
    approved: bool,
) -> Deletion {
    let objects: Vec<&Value> = live
        .get()
        .iter()
        .filter(|object| own != Some(&object.resource_key()) && !is_hook(object))
        .collect();
    let (kept, going): (Vec<&Value>, Vec<&Value>) = objects
        .into_iter()
        .partition(|object| is_kept(object, options));
    let keys = |objects: &[&Value]| -> Vec<ResourceKey> {
        let mut keys: Vec<_> = objects.iter().map(|object| object.resource_key()).collect();
        keys.sort();
        keys
    };
    let select = |holds: &dyn Fn(&Value) -> bool| -> Vec<&Value> {
        going
            .iter()
            .copied()
            .filter(|object| holds(object))
            .collect()
    };
    if going.is_empty() {
        return Deletion::Done { kept: keys(&kept) };
    }
    let unapproved = select(&|object| options.delete_consent(object) == Consent::Confirm);
    if !approved && !unapproved.is_empty() {
        return Deletion::Confirm(keys(&unapproved));
    }
    let leaving = select(&|object| object.is_terminating());
    if !leaving.is_empty() {
        return Deletion::WaitFor(keys(&leaving));
    }
    let highest = going.iter().map(|object| object.sync_wave()).max();
    Deletion::Delete(keys(&select(&|object| Some(object.sync_wave()) == highest)))
}

/// CRDs stay, since their objects of other applications would go with them.
fn is_kept(object: &Value, options: &SyncOptions) -> bool {
    object.is_crd()
        || options.delete_consent(object) == Consent::Refused
        || object.annotation(names::HELM_RESOURCE_POLICY) == Some("keep")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, wave: &str, options: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name,
            "annotations": {names::SYNC_WAVE: wave, names::SYNC_OPTIONS: options}}})
    }

    fn step(objects: &[Value], approved: bool) -> Deletion {
        let live = Complete::vouch(objects.to_vec());
        next_deletion(&live, &SyncOptions::default(), None, approved)
    }

    fn key(name: &str) -> Vec<ResourceKey> {
        vec![ResourceKey::new("", "ConfigMap", "", name)]
    }

    #[test]
    fn the_highest_wave_goes_first_and_is_waited_for() {
        let low = object("low", "-1", "");
        let mut high = object("high", "2", "");
        assert_eq!(
            step(&[low.clone(), high.clone()], false),
            Deletion::Delete(key("high"))
        );
        high["metadata"]["deletionTimestamp"] = json!("2026-03-04T05:06:07Z");
        assert_eq!(
            step(&[low.clone(), high], false),
            Deletion::WaitFor(key("high"))
        );
        assert_eq!(step(&[low], false), Deletion::Delete(key("low")));
    }

    #[test]
    fn what_is_to_stay_stays_and_what_needs_a_person_waits() {
        let kept = object("kept", "9", "Delete=false");
        let asks = object("asks", "0", "Delete=confirm");
        assert_eq!(
            step(&[kept.clone(), asks.clone()], false),
            Deletion::Confirm(key("asks"))
        );
        assert_eq!(
            step(&[kept.clone(), asks], true),
            Deletion::Delete(key("asks"))
        );
        assert_eq!(step(&[kept], true), Deletion::Done { kept: key("kept") });
    }
}
