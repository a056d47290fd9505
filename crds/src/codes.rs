//! The words that status fields are made of.
//!
//! A closed set is an enum, an open one (condition types) a module of constants. Reading a status
//! never fails because of a word that another version wrote: it counts as absent, or as the
//! enum's default where the field cannot be absent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Defines an enum whose variants are written as their names.
macro_rules! code {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $type {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the word as it stands in a status.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                }
            }

            /// Returns the code for a word, none if there is no such code.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == word)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

code!(
    /// How well something works, ordered from best to worst.
    HealthStatusCode {
        /// It works.
        Healthy,
        /// It was paused on purpose.
        Suspended,
        /// It is on its way.
        Progressing,
        /// It does not exist.
        Missing,
        /// It failed.
        Degraded,
        /// It could not be judged.
        #[default]
        Unknown,
    }
);

code!(
    /// Whether live state and git agree.
    SyncStatusCode {
        /// It could not be compared.
        #[default]
        Unknown,
        /// They agree.
        Synced,
        /// They differ.
        OutOfSync,
    }
);

code!(
    /// How far an operation or a hook is.
    OperationPhase {
        /// It goes on.
        #[default]
        Running,
        /// Someone ended it, and it is being wound up.
        Terminating,
        /// It did what it could, and that was not enough.
        Failed,
        /// It could not do its work.
        Error,
        /// It is done.
        Succeeded,
    }
);

impl OperationPhase {
    /// Whether nothing more will happen.
    pub fn is_completed(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Succeeded)
    }

    /// Whether it ended as it should.
    pub fn is_successful(self) -> bool {
        self == Self::Succeeded
    }

    /// Whether it ended otherwise.
    pub fn has_failed(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

code!(
    /// Where an Application is in the rollout of its ApplicationSet.
    RolloutStatusCode {
        /// It has a target that it has not been synced to.
        #[default]
        Waiting,
        /// Its sync was asked for and has not been seen to begin.
        Pending,
        /// It is being synced, or is synced and not healthy yet.
        Progressing,
        /// It reached its target and was healthy there.
        Healthy,
    }
);

code!(
    /// What a sync did to a resource.
    ResultCode {
        /// It was applied.
        #[default]
        Synced,
        /// It could not be applied or deleted.
        SyncFailed,
        /// It was deleted.
        Pruned,
        /// It should have been deleted but was left.
        PruneSkipped,
    }
);

code!(
    /// The phases of a sync and of a deletion, in order.
    SyncPhase {
        /// Before anything is applied.
        PreSync,
        /// While resources are applied.
        #[default]
        Sync,
        /// After everything is healthy.
        PostSync,
        /// After a failure.
        SyncFail,
        /// Before the application is deleted.
        PreDelete,
        /// After the application's resources are deleted.
        PostDelete,
    }
);

/// The message of an operation that runs in name only, until a sync window lets it begin.
pub const BLOCKED_BY_WINDOW: &str = "Sync operation blocked by sync window";
/// How the message of an operation begins that waits for other applications or for a person.
pub const WAITS: &str = "Sync operation waits";

/// Whether the message is that of an operation that has not begun, because something holds it back.
pub fn is_held_back(message: &str) -> bool {
    message == BLOCKED_BY_WINDOW || message.starts_with(WAITS)
}

/// Condition types of an Application. The last word is the severity.
pub mod condition {
    /// Deleting the application failed.
    pub const DELETION_ERROR: &str = "DeletionError";
    /// The spec cannot be carried out.
    pub const INVALID_SPEC_ERROR: &str = "InvalidSpecError";
    /// The comparison failed.
    pub const COMPARISON_ERROR: &str = "ComparisonError";
    /// An automated sync failed or was refused.
    pub const SYNC_ERROR: &str = "SyncError";
    /// Something else failed.
    pub const UNKNOWN_ERROR: &str = "UnknownError";
    /// A resource belongs to another application.
    pub const SHARED_RESOURCE_WARNING: &str = "SharedResourceWarning";
    /// A resource is rendered more than once.
    pub const REPEATED_RESOURCE_WARNING: &str = "RepeatedResourceWarning";
    /// A resource is excluded by the settings.
    pub const EXCLUDED_RESOURCE_WARNING: &str = "ExcludedResourceWarning";
    /// Nobody manages a resource.
    pub const ORPHANED_RESOURCE_WARNING: &str = "OrphanedResourceWarning";
    /// Argosy's own: automation leaves the application alone for a while.
    pub const PAUSED: &str = "Paused";
    /// Argosy's own: a sync waits for other applications.
    pub const WAITING: &str = "Waiting";
    /// Argosy's own: a sync waits for a person's approval.
    pub const APPROVAL_NEEDED: &str = "ApprovalNeeded";
    /// Argosy's own: an earlier deployment is in force, and a revision is refused.
    pub const ROLLED_BACK: &str = "RolledBack";
    /// Argosy's own: the deletion cannot go on.
    pub const DELETION_BLOCKED: &str = "DeletionBlocked";
    /// Argosy's own: the status does not tell everything, which would be too much for one object.
    pub const STATUS_TRUNCATED: &str = "StatusTruncated";
    /// A rule of `spec.ignoreDifferences` names nothing; Argosy's own.
    pub const UNUSED_IGNORE_RULE_WARNING: &str = "UnusedIgnoreRuleWarning";
}

/// Condition types and reasons of an ApplicationSet.
pub mod appset_condition {
    /// Type: the last reconcile failed.
    pub const ERROR_OCCURRED: &str = "ErrorOccurred";
    /// Type: parameters could be generated. Also the reason when they could.
    pub const PARAMETERS_GENERATED: &str = "ParametersGenerated";
    /// Type: all Applications are as generated.
    pub const RESOURCES_UP_TO_DATE: &str = "ResourcesUpToDate";
    /// Type: a rollout is under way.
    pub const ROLLOUT_PROGRESSING: &str = "RolloutProgressing";
    /// Type: the rollout's steps do not make sense.
    pub const INVALID_ROLLOUT_CONFIG: &str = "InvalidRolloutConfig";
    /// Type, Argosy's own: a step of the rollout failed. Also the reason.
    pub const ROLLOUT_STOPPED: &str = "RolloutStopped";
    /// Type, Argosy's own: a change is larger than allowed and waits for approval.
    pub const APPROVAL_NEEDED: &str = "ApprovalNeeded";
    /// Type, Argosy's own: another set generates an Application of this one, too.
    pub const NAME_CONTESTED: &str = "NameContested";

    /// Reason: parameters could not be generated.
    pub const APPLICATION_GENERATION_FROM_PARAMS_ERROR: &str =
        "ApplicationGenerationFromParamsError";
    /// Reason: the template could not be rendered.
    pub const RENDER_TEMPLATE_PARAMS_ERROR: &str = "RenderTemplateParamsError";
    /// Reason: a generated Application is not valid.
    pub const APPLICATION_VALIDATION_ERROR: &str = "ApplicationValidationError";
    /// Reason: an Application could not be updated.
    pub const UPDATE_APPLICATION_ERROR: &str = "UpdateApplicationError";
    /// Reason: an Application could not be created.
    pub const CREATE_APPLICATION_ERROR: &str = "CreateApplicationError";
    /// Reason: an Application could not be deleted.
    pub const DELETE_APPLICATION_ERROR: &str = "DeleteApplicationError";
    /// Reason: an Application could not be refreshed.
    pub const REFRESH_APPLICATION_ERROR: &str = "RefreshApplicationError";
    /// Reason: the rollout cannot begin.
    pub const APPLICATION_SET_ROLLOUT_ERROR: &str = "ApplicationSetRolloutError";
    /// Reason: all is as it should be.
    pub const APPLICATION_SET_UP_TO_DATE: &str = "ApplicationSetUpToDate";
    /// Reason: the rollout is under way.
    pub const APPLICATION_SET_MODIFIED: &str = "ApplicationSetModified";
    /// Reason: the rollout is done.
    pub const APPLICATION_SET_ROLLOUT_COMPLETE: &str = "ApplicationSetRolloutComplete";
    /// Reason: the rollout's steps do not make sense.
    pub const APPLICATION_SET_INVALID_ROLLOUT_CONFIG: &str = "ApplicationSetInvalidRolloutConfig";
    /// Reason: the rollout's steps make sense.
    pub const APPLICATION_SET_VALID_ROLLOUT_CONFIG: &str = "ApplicationSetValidRolloutConfig";
}
