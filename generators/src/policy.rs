//! What a set may do to its Applications.

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::ApplicationsSyncPolicy;

/// The policy that counts: the hub's, or where the hub allows it the set's own.
///
/// Unless the hub says otherwise, sets may choose exactly when the hub has no policy of its own.
pub fn effective(
    set: &ApplicationSet,
    hub: Option<ApplicationsSyncPolicy>,
    sets_may_choose: Option<bool>,
) -> ApplicationsSyncPolicy {
    let may_choose = sets_may_choose.unwrap_or(hub.is_none());
    set.spec
        .sync_policy
        .as_ref()
        .and_then(|policy| policy.applications_sync)
        .filter(|_| may_choose)
        .or(hub)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use argosy_crds::application_set::ApplicationSetSyncPolicy;

    use super::*;

    #[test]
    fn the_hub_decides_whether_sets_choose() {
        use ApplicationsSyncPolicy::{CreateOnly, CreateUpdate, Sync};
        let mut set = ApplicationSet::default();
        set.spec.sync_policy = Some(ApplicationSetSyncPolicy {
            applications_sync: Some(CreateOnly),
            ..ApplicationSetSyncPolicy::default()
        });
        assert_eq!(effective(&set, None, None), CreateOnly);
        assert_eq!(effective(&set, Some(CreateUpdate), None), CreateUpdate);
        assert_eq!(effective(&set, Some(CreateUpdate), Some(true)), CreateOnly);
        assert_eq!(effective(&ApplicationSet::default(), None, None), Sync);
    }
}
