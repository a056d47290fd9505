//! Generators that yielded something and now yield nothing.
//!
//! Whoever lost its data, its permissions or its place answers with an empty list as readily as
//! somebody who has nothing any more, and nobody can tell the two apart. So an answer that becomes
//! empty is believed only after a person has looked; one that somebody made empty by changing the
//! generator itself is.

use argosy_crds::ApplicationSet;
use argosy_crds::application_set::ApplicationSetGenerator;

use crate::expand::Expansion;

/// What each generator of a set yielded when the set was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Yields(Vec<(ApplicationSetGenerator, bool)>);

impl Yields {
    /// What the generators of a set yield now.
    pub fn of(set: &ApplicationSet, expansion: &Expansion) -> Self {
        let yields = expansion.yields.iter().map(|count| *count > 0);
        Self(set.spec.generators.iter().cloned().zip(yields).collect())
    }

    /// What has to be assumed of a set that was carried out elsewhere: that each generator yielded
    /// something.
    pub fn assumed(set: &ApplicationSet) -> Self {
        let generators = set.spec.generators.iter().cloned();
        Self(generators.map(|generator| (generator, true)).collect())
    }

    fn has(&self, generator: &ApplicationSetGenerator) -> bool {
        self.0
            .iter()
            .any(|(known, yielded)| *yielded && known == generator)
    }
}

/// The paths of the generators that yield nothing although they did before. Without a `before`, as
/// after a restart, they are all of them if the whole set comes to nothing by what it was answered.
pub fn emptied(
    before: Option<&Yields>,
    set: &ApplicationSet,
    expansion: &Expansion,
) -> Vec<String> {
    let comes_to_nothing = expansion.applications.get().is_empty();
    let is_told_so = comes_to_nothing && !expansion.requests.is_empty();
    let generators = set
        .spec
        .generators
        .iter()
        .zip(&expansion.yields)
        .enumerate();
    let emptied = generators.filter(|(_, (generator, count))| {
        **count == 0 && before.map_or(is_told_so, |before| before.has(generator))
    });
    let place = |(index, (generator, _)): (usize, (&ApplicationSetGenerator, _))| {
        format!("spec.generators[{index}].{}", generator.names().join("+"))
    };
    emptied.map(place).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use argosy_crds::Application;
    use argosy_facts::Complete;
    use serde_json::{Value, json};

    use super::*;
    use crate::Request;

    fn set(generators: &Value) -> ApplicationSet {
        serde_json::from_value(
            json!({"metadata": {"name": "s"}, "spec": {"generators": generators}}),
        )
        .expect("a set")
    }

    fn expansion(yields: &[usize], asks: bool) -> Expansion {
        Expansion {
            applications: Complete::vouch(vec![Application::default(); yields.iter().sum()]),
            requests: if asks {
                BTreeSet::from([Request::Servers])
            } else {
                BTreeSet::new()
            },
            yields: yields.to_vec(),
        }
    }

    #[test]
    fn a_generator_that_stops_yielding_is_named() {
        let set = set(&json!([{"clusters": {}}, {"list": {"elements": [{"a": "b"}]}}]));
        let before = Yields::of(&set, &expansion(&[2, 1], true));
        let now = emptied(Some(&before), &set, &expansion(&[0, 1], true));
        assert_eq!(now, ["spec.generators[0].clusters"]);
        let before = Yields::of(&set, &expansion(&[0, 1], true));
        assert!(emptied(Some(&before), &set, &expansion(&[0, 1], true)).is_empty());
    }

    #[test]
    fn one_that_somebody_changed_is_as_it_was_meant() {
        let labelled = |env: &str| json!({"clusters": {"selector": {"matchLabels": {"env": env}}}});
        let before = set(&json!([labelled("dev"), labelled("prod")]));
        let before = Yields::of(&before, &expansion(&[2, 1], true));
        let after = set(&json!([labelled("nowhere"), labelled("prod")]));
        assert!(emptied(Some(&before), &after, &expansion(&[0, 1], true)).is_empty());
        // What was not changed is not meant, either.
        let now = emptied(Some(&before), &after, &expansion(&[0, 0], true));
        assert_eq!(now, ["spec.generators[1].clusters"]);
    }

    #[test]
    fn without_a_memory_the_set_must_come_to_nothing_by_what_it_was_told() {
        let both = set(&json!([{"clusters": {}}, {"list": {"elements": []}}]));
        assert_eq!(emptied(None, &both, &expansion(&[0, 0], true)).len(), 2);
        assert!(emptied(None, &both, &expansion(&[0, 1], true)).is_empty());
        let alone = set(&json!([{"list": {"elements": []}}]));
        assert!(emptied(None, &alone, &expansion(&[0], false)).is_empty());
    }
}
