//! Go templates that print `<no value>` for a missing parameter, and options that do nothing.

use argosy_crds::ApplicationSet;

use super::{Finding, Level, Subject};

const STRICT: &str = "missingkey=error";

/// Whether a missing parameter is an error.
pub(super) fn is_strict(set: &ApplicationSet) -> bool {
    set.spec.go_template && set.spec.go_template_options.iter().any(|one| one == STRICT)
}

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let spec = &subject.set.spec;
    let finding = |message: &str, fix: &str| Finding {
        level: Level::Warning,
        rule: "missing-key",
        place: "spec.goTemplateOptions".to_owned(),
        message: message.to_owned(),
        fix: fix.to_owned(),
    };
    if spec.go_template && !is_strict(subject.set) {
        return vec![finding(
            "a missing parameter becomes the text `<no value>` in the Application",
            "set goTemplateOptions: [\"missingkey=error\"]",
        )];
    }
    if !spec.go_template && !spec.go_template_options.is_empty() {
        return vec![finding(
            "these options do nothing, because goTemplate is not set",
            "set goTemplate: true, or remove them",
        )];
    }
    Vec::new()
}
