//! The health of an application from that of its resources.

use super::{Health, HealthStatus};

/// Named in a message before "and n more".
const NAMED: usize = 3;

/// What the aggregate has to know of one managed resource.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// API group, empty for core.
    pub group: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Namespace, empty for cluster-scoped ones.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// Whether the object exists in the cluster.
    pub live: bool,
    /// Hooks, `Skip`ped objects, those annotated `ignore-healthcheck`, and the application itself do not count.
    pub counts: bool,
    /// Its own judgement; `None` for a kind without health.
    pub health: Option<HealthStatus>,
}

/// An application's health and who is to blame.
pub type Aggregate = Health;

/// The worst of what counts: a missing resource shows on itself and not on the application, unless
/// nothing that should be there is.
pub fn aggregate(members: &[Member<'_>]) -> Aggregate {
    let counted = members.iter().filter(|one| one.counts);
    let mut worst = HealthStatus::Healthy;
    let mut culprits: Vec<&Member<'_>> = Vec::new();
    let (mut any, mut any_live) = (false, false);
    for member in counted {
        any = true;
        any_live |= member.live;
        let Some(status) = propagated(member) else {
            continue;
        };
        if status.is_worse_than(worst) {
            worst = status;
            culprits.clear();
        }
        if status == worst && worst != HealthStatus::Healthy {
            culprits.push(member);
        }
    }
    if any && !any_live {
        return Health::new(HealthStatus::Missing, "");
    }
    Health::new(worst, blame(&culprits))
}

/// What a resource passes on to its application.
fn propagated(member: &Member<'_>) -> Option<HealthStatus> {
    if !member.live {
        return None;
    }
    let status = member.health?;
    // A child application that has not reported yet must not hold its parent's health.
    let child = member.group == "argoproj.io" && member.kind == "Application";
    let silent = matches!(status, HealthStatus::Missing | HealthStatus::Unknown);
    (!(child && silent)).then_some(status)
}

fn blame(culprits: &[&Member<'_>]) -> String {
    if culprits.is_empty() {
        return String::new();
    }
    let named = culprits
        .iter()
        .take(NAMED)
        .map(|one| {
            let kind = if one.group.is_empty() {
                one.kind.to_owned()
            } else {
                format!("{}/{}", one.group, one.kind)
            };
            if one.namespace.is_empty() {
                format!("{kind}:{}", one.name)
            } else {
                format!("{kind}:{}/{}", one.namespace, one.name)
            }
        })
        .collect::<Vec<_>>()
        .join(", ");
    match culprits.len().saturating_sub(NAMED) {
        0 => format!("Caused by {named}"),
        more => format!("Caused by {named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, live: bool, health: Option<HealthStatus>) -> Member<'_> {
        Member {
            group: "apps",
            kind: "Deployment",
            namespace: "shop",
            name,
            live,
            counts: true,
            health,
        }
    }

    #[test]
    fn no_resources_are_healthy() {
        assert_eq!(aggregate(&[]).status, HealthStatus::Healthy);
    }

    #[test]
    fn the_worst_wins_and_is_named() {
        let all = [
            member("a", true, Some(HealthStatus::Progressing)),
            member("b", true, Some(HealthStatus::Degraded)),
            member("c", true, None),
        ];
        assert_eq!(
            aggregate(&all),
            Health::degraded("Caused by apps/Deployment:shop/b")
        );
    }

    #[test]
    fn a_missing_resource_does_not_spread_unless_all_are_missing() {
        let some = [
            member("a", false, None),
            member("b", true, Some(HealthStatus::Healthy)),
        ];
        assert_eq!(aggregate(&some).status, HealthStatus::Healthy);
        assert_eq!(aggregate(&some[..1]).status, HealthStatus::Missing);
    }

    #[test]
    fn more_than_three_culprits_are_counted() {
        let all: Vec<_> = ["a", "b", "c", "d", "e"]
            .iter()
            .map(|name| member(name, true, Some(HealthStatus::Degraded)))
            .collect();
        assert!(aggregate(&all).message.ends_with("shop/c and 2 more"));
    }
}
