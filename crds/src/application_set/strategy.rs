//! In which order a set's Applications are rolled out and deleted.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;
use crate::wire::null_as_default;

/// The order of rollouts and deletions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetStrategy {
    /// `AllAtOnce` (or empty) or `RollingSync`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub type_: String,
    /// The steps of a `RollingSync`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling_sync: Option<ApplicationSetRolloutStrategy>,
    /// `AllAtOnce` (or empty) or `Reverse`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub deletion_order: String,
}

/// The steps of a rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetRolloutStrategy {
    /// The steps in order.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub steps: Vec<ApplicationSetRolloutStep>,
    /// What becomes of Applications that no step selects; absent means `refuse`, as in Argo CD.
    /// Argosy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmatched: Option<UnmatchedApplications>,
}

/// One step: the Applications that match all expressions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSetRolloutStep {
    /// What the Applications' labels must be.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub match_expressions: Vec<ApplicationMatchExpression>,
    /// How many may be in motion at once, a number or a percentage; absent means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::int_or_string")]
    pub max_update: Option<IntOrString>,
    /// How long all of the step must have been healthy before the next begins, a Go duration.
    /// Argosy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soak: Option<String>,
    /// How many may fail without failing the step, a number or a percentage; absent means none.
    /// Argosy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::int_or_string")]
    pub max_failures: Option<IntOrString>,
    /// How long an Application of the step may take to become healthy before it counts as failed,
    /// a Go duration; absent means for ever. Argosy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress_deadline: Option<String>,
    /// What follows when more than `maxFailures` have failed; absent means `stop` where one of the
    /// other two is set, and otherwise that nothing counts as a failure. Argosy's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<RolloutFailureAction>,
}

/// A condition on a label.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationMatchExpression {
    /// The label's key.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub key: String,
    /// `In` or `NotIn`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub operator: String,
    /// The values.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub values: Vec<String>,
}

/// What happens when a step of a rollout fails.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum RolloutFailureAction {
    /// The rollout stays where it is, until what failed is healthy or there is a newer revision.
    #[default]
    Stop,
    /// The step's failed Applications go back to the revision at which they were healthy last, and
    /// the rollout stays where it is until there is a newer revision.
    Rollback,
}

/// What becomes of Applications that no step of a rollout selects.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum UnmatchedApplications {
    /// The rollout never syncs them; they are shown with step `-1`.
    #[default]
    Refuse,
    /// They form a step after all others.
    LastStep,
}
