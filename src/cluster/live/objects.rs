//! The objects of one cluster in memory, and who has to know of them.
//!
//! Of an object that an application tracks the whole is kept, packed; of any other who it is and in
//! which version. Texts that many objects share are kept once. Nothing here asks a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_engine::object::{GroupKind, ResourceKey};

/// The objects of a cluster.
#[derive(Default)]
pub(super) struct Objects {
    kinds: BTreeMap<Arc<GroupKind>, BTreeMap<Place, Kept>>,
    owned: BTreeMap<Arc<str>, BTreeSet<(Arc<GroupKind>, Place)>>,
    /// What instances want to know of beside their own: they desire it, and it is not theirs.
    followed: BTreeMap<String, BTreeSet<ResourceKey>>,
    followers: BTreeMap<ResourceKey, BTreeSet<String>>,
}

/// Where an object is among those of its kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    namespace: Arc<str>,
    name: Arc<str>,
}

struct Kept {
    version: u64,
    significance: u64,
    owner: Option<Arc<str>>,
    body: Option<Arc<[u8]>>,
}

/// An object as it was seen.
pub(super) struct Seen {
    /// The version; `u64::MAX` if it is no number.
    pub(super) version: u64,
    /// Stays the same while nothing of interest changes.
    pub(super) significance: u64,
    /// The instance that it belongs to, by its own word.
    pub(super) owner: Option<String>,
    /// All of it, packed, if it belongs to somebody or is looked at nevertheless.
    pub(super) body: Option<Arc<[u8]>>,
}

/// The instances for which a change is news.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Those that had the object or have it now.
    pub(super) owners: BTreeSet<String>,
    /// Those that desire it and neither had nor have it.
    pub(super) followers: BTreeSet<String>,
}

impl News {
    /// All of them.
    pub(super) fn all(self) -> impl Iterator<Item = String> {
        self.owners.into_iter().chain(self.followers)
    }
}

impl Objects {
    /// Whether the object was seen in that version or a newer one, and all that is wanted of it.
    pub(super) fn is_known(&self, key: &ResourceKey, version: u64) -> bool {
        self.find(key).is_some_and(|kept| {
            version != u64::MAX
                && kept.version >= version
                && (kept.owner.is_none() || kept.body.is_some())
        })
    }

    /// Takes in an object.
    pub(super) fn apply(&mut self, key: &ResourceKey, seen: Seen) -> News {
        let (kind, place) = self.place(key);
        let owner = seen.owner.as_deref().map(|owner| self.instance(owner));
        let known = self.kinds.get(&kind).and_then(|all| all.get(&place));
        let is_news = known
            .is_none_or(|known| known.owner != owner || known.significance != seen.significance);
        let former = known.and_then(|known| known.owner.clone());
        if former != owner {
            if let Some(former) = &former {
                self.disown(former, &kind, &place);
            }
            if let Some(owner) = &owner {
                let owned = self.owned.entry(Arc::clone(owner)).or_default();
                owned.insert((Arc::clone(&kind), place.clone()));
            }
        }
        let kept = Kept {
            version: seen.version,
            significance: seen.significance,
            owner: owner.clone(),
            body: seen.body,
        };
        self.kinds.entry(kind).or_default().insert(place, kept);
        if is_news {
            self.news(key, former.into_iter().chain(owner))
        } else {
            News::default()
        }
    }

    /// Takes in that an object is gone.
    pub(super) fn remove(&mut self, key: &ResourceKey) -> News {
        let (kind, place) = self.place(key);
        let Some(all) = self.kinds.get_mut(&kind) else {
            return News::default();
        };
        let Some(kept) = all.remove(&place) else {
            return News::default();
        };
        if all.is_empty() {
            self.kinds.remove(&kind);
        }
        if let Some(owner) = &kept.owner {
            self.disown(owner, &kind, &place);
        }
        self.news(key, kept.owner)
    }

    /// Forgets all objects of a kind.
    pub(super) fn forget(&mut self, kind: &GroupKind) {
        let all = self.kinds.remove(kind).unwrap_or_default();
        let kind = Arc::new(kind.clone());
        for (place, kept) in all {
            if let Some(owner) = kept.owner {
                self.disown(&owner, &kind, &place);
            }
        }
    }

    /// Whether the object is there.
    pub(super) fn contains(&self, key: &ResourceKey) -> bool {
        self.find(key).is_some()
    }

    /// All of an object that belongs to somebody, packed, where all of it is known.
    pub(super) fn body(&self, key: &ResourceKey) -> Option<Arc<[u8]>> {
        let kept = self.find(key)?;
        kept.owner.as_ref().and(kept.body.clone())
    }

    /// What is known of an object, whoever it belongs to, packed.
    pub(super) fn known(&self, key: &ResourceKey) -> Option<Arc<[u8]>> {
        self.find(key)?.body.clone()
    }

    /// The objects of an instance of which all is known, packed.
    pub(super) fn of(&self, owner: &str) -> Vec<(ResourceKey, Arc<[u8]>)> {
        let owned = self.owned.get(owner).into_iter().flatten();
        owned
            .filter_map(|(kind, place)| {
                let kept = self.kinds.get(kind)?.get(place)?;
                Some((place.key(kind), kept.body.clone()?))
            })
            .collect()
    }

    /// The objects of a kind in a namespace, or in all of them.
    pub(super) fn of_kind(&self, kind: &GroupKind, namespace: Option<&str>) -> Vec<ResourceKey> {
        let all = self.kinds.get(kind).into_iter().flat_map(BTreeMap::keys);
        all.filter(|place| namespace.is_none_or(|namespace| *place.namespace == *namespace))
            .map(|place| place.key(kind))
            .collect()
    }

    /// The instances that have or follow objects of a kind.
    pub(super) fn concerned_by(&self, kind: &GroupKind) -> BTreeSet<String> {
        let all = self.kinds.get(kind).into_iter().flat_map(BTreeMap::values);
        let owners = all.filter_map(|kept| kept.owner.as_deref().map(str::to_owned));
        let followers = self
            .followers
            .iter()
            .filter(|(key, _)| key.group == kind.group && key.kind == kind.kind)
            .flat_map(|(_, followers)| followers.iter().cloned());
        owners.chain(followers).collect()
    }

    /// Has an instance told of the changes of these objects, too, and of no others.
    pub(super) fn follow(&mut self, instance: &str, wanted: BTreeSet<ResourceKey>) {
        let before = self.followed.remove(instance).unwrap_or_default();
        for key in before.difference(&wanted) {
            if let Some(followers) = self.followers.get_mut(key) {
                followers.remove(instance);
                if followers.is_empty() {
                    self.followers.remove(key);
                }
            }
        }
        for key in wanted.difference(&before) {
            let followers = self.followers.entry(key.clone()).or_default();
            followers.insert(instance.to_owned());
        }
        if !wanted.is_empty() {
            self.followed.insert(instance.to_owned(), wanted);
        }
    }

    /// Whether anybody follows the object.
    pub(super) fn is_followed(&self, key: &ResourceKey) -> bool {
        self.followers.contains_key(key)
    }

    /// The instances that follow an object of `owner`.
    pub(super) fn heirs(&self, owner: &str) -> BTreeSet<String> {
        let owned = self.owned.get(owner).into_iter().flatten();
        owned
            .filter_map(|(kind, place)| self.followers.get(&place.key(kind)))
            .flatten()
            .cloned()
            .collect()
    }

    /// How many objects are known.
    pub(super) fn len(&self) -> usize {
        self.kinds.values().map(BTreeMap::len).sum()
    }

    fn find(&self, key: &ResourceKey) -> Option<&Kept> {
        self.kinds.get(&key.group_kind())?.get(&Place::of(key))
    }

    fn news(&self, key: &ResourceKey, owners: impl IntoIterator<Item = Arc<str>>) -> News {
        let owners: BTreeSet<_> = owners.into_iter().map(|owner| owner.to_string()).collect();
        let followers = self.followers.get(key).into_iter().flatten();
        let followers = followers
            .filter(|one| !owners.contains(*one))
            .cloned()
            .collect();
        News { owners, followers }
    }

    /// The place of an object, in texts that are here already where they are.
    fn place(&self, key: &ResourceKey) -> (Arc<GroupKind>, Place) {
        let kind = key.group_kind();
        let mut place = Place::of(key);
        let Some((kind, all)) = self.kinds.get_key_value(&kind) else {
            return (Arc::new(kind), place);
        };
        let first = Place {
            namespace: Arc::clone(&place.namespace),
            name: Arc::from(""),
        };
        if let Some((neighbour, _)) = all.range(first..).next()
            && neighbour.namespace == place.namespace
        {
            place.namespace = Arc::clone(&neighbour.namespace);
        }
        (Arc::clone(kind), place)
    }

    fn instance(&self, owner: &str) -> Arc<str> {
        let known = self.owned.get_key_value(owner);
        known.map_or_else(|| Arc::from(owner), |(owner, _)| Arc::clone(owner))
    }

    fn disown(&mut self, owner: &Arc<str>, kind: &Arc<GroupKind>, place: &Place) {
        if let Some(owned) = self.owned.get_mut(owner) {
            owned.remove(&(Arc::clone(kind), place.clone()));
            if owned.is_empty() {
                self.owned.remove(owner);
            }
        }
    }
}

impl Place {
    fn of(key: &ResourceKey) -> Self {
        Self {
            namespace: Arc::from(key.namespace.as_str()),
            name: Arc::from(key.name.as_str()),
        }
    }

    fn key(&self, kind: &GroupKind) -> ResourceKey {
        ResourceKey::new(&kind.group, &kind.kind, &*self.namespace, &*self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ResourceKey {
        ResourceKey::new("", "ConfigMap", "shop", name)
    }

    fn seen(version: u64, owner: Option<&str>) -> Seen {
        Seen {
            version,
            significance: version,
            owner: owner.map(str::to_owned),
            body: owner.map(|_| Arc::from(*b"body")),
        }
    }

    fn news(owners: &[&str], followers: &[&str]) -> News {
        let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        News {
            owners: named(owners),
            followers: named(followers),
        }
    }

    #[test]
    fn who_has_an_object_and_who_had_it_are_told() {
        let mut objects = Objects::default();
        let first = objects.apply(&key("a"), seen(1, Some("one")));
        assert_eq!(first, news(&["one"], &[]));
        assert!(objects.is_known(&key("a"), 1) && !objects.is_known(&key("a"), 2));
        assert_eq!(objects.of("one").len(), 1);
        let moved = objects.apply(&key("a"), seen(2, Some("two")));
        assert_eq!(moved, news(&["one", "two"], &[]));
        assert_eq!((objects.of("one").len(), objects.of("two").len()), (0, 1));
        let same = Seen {
            version: 3,
            ..seen(2, Some("two"))
        };
        assert_eq!(objects.apply(&key("a"), same), News::default());
        assert_eq!(objects.remove(&key("a")), news(&["two"], &[]));
        assert_eq!(objects.len(), 0);
    }

    #[test]
    fn who_desires_what_another_has_is_told_when_it_goes() {
        let mut objects = Objects::default();
        objects.apply(&key("a"), seen(1, Some("one")));
        objects.follow("two", [key("a"), key("b")].into());
        assert_eq!(objects.heirs("one"), news(&[], &["two"]).followers);
        let foreign = objects.apply(&key("b"), seen(1, None));
        assert_eq!(foreign, news(&[], &["two"]));
        assert_eq!(objects.remove(&key("a")), news(&["one"], &["two"]));
        let own = objects.apply(&key("a"), seen(2, Some("two")));
        assert_eq!(own, news(&["two"], &[]));
        objects.follow("two", BTreeSet::new());
        assert_eq!(objects.remove(&key("b")), News::default());
    }

    #[test]
    fn a_kind_that_is_forgotten_leaves_nothing_behind() {
        let mut objects = Objects::default();
        objects.apply(&key("a"), seen(1, Some("one")));
        objects.apply(&key("b"), seen(1, None));
        objects.forget(&GroupKind::new("", "ConfigMap"));
        assert_eq!((objects.len(), objects.of("one").len()), (0, 0));
        assert!(objects.heirs("one").is_empty());
    }

    #[test]
    fn a_storm_of_events_leaves_one_object_and_tells_of_what_matters_alone() {
        let mut objects = Objects::default();
        let mut told = 0;
        for version in 1..=50_000 {
            let seen = Seen {
                significance: version / 10_000,
                ..seen(version, Some("one"))
            };
            told += objects.apply(&key("a"), seen).all().count();
        }
        assert_eq!((objects.len(), objects.of("one").len(), told), (1, 1, 6));
        assert!(objects.is_known(&key("a"), 1), "what is replayed is old");
    }

    #[test]
    fn what_is_tracked_and_not_whole_is_not_known() {
        let mut objects = Objects::default();
        let bare = Seen {
            body: None,
            ..seen(1, Some("one"))
        };
        objects.apply(&key("a"), bare);
        assert!(!objects.is_known(&key("a"), 1));
        assert!(objects.contains(&key("a")) && objects.body(&key("a")).is_none());
        assert!(objects.of("one").is_empty());
    }
}
