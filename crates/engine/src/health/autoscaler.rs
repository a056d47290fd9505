//! HorizontalPodAutoscalers: the first condition that says good or bad decides.

use serde_json::Value;

use super::Health;
use super::typed::{Condition, Error, Typed};

/// Where `autoscaling/v1` keeps the conditions that its status has no room for.
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

const CANNOT_SCALE: [(&str, &str); 8] = [
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
];

pub(super) fn assess(object: &Typed<'_>) -> Result<Health, Error> {
    let annotations = object.object("metadata")?.object("annotations")?;
    let annotated = annotations.text(CONDITIONS)?;
    if object.text("apiVersion")? != "autoscaling/v1" {
        return Ok(first_decisive(&object.conditions()?));
    }
    if annotated.is_empty() {
        return Ok(first_decisive(&[]));
    }
    let unreadable = |problem: String| Error::Annotation {
        kind: object.kind().to_owned(),
        annotation: CONDITIONS,
        problem,
    };
    let parsed: Value =
        serde_json::from_str(annotated).map_err(|error| unreadable(error.to_string()))?;
    let entries = parsed
        .as_array()
        .ok_or_else(|| unreadable("not a list".to_owned()))?
        .iter()
        .map(|one| Typed::of(object.kind(), one))
        .collect::<Vec<_>>();
    let conditions = entries
        .iter()
        .map(Condition::read)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(first_decisive(&conditions))
}

fn first_decisive(conditions: &[Condition<'_>]) -> Health {
    for condition in conditions {
        if CANNOT_SCALE.contains(&(condition.kind, condition.reason)) {
            return Health::degraded(condition.message);
        }
        if ["AbleToScale", "ScalingLimited"].contains(&condition.kind) && condition.status == "True"
        {
            return Health::healthy(condition.message);
        }
    }
    Health::progressing("Waiting to Autoscale")
}
