//! Settings from a file that holds the ConfigMap argocd-cm.

use std::collections::BTreeMap;
use std::path::Path;

use argosy_engine::ignore;
use argosy_engine::overrides::Overrides;

use super::output;
use crate::diagnostic::Diagnostic;

/// The settings for kinds; the defaults if no file is named.
pub(crate) fn overrides(path: Option<&Path>) -> Result<Overrides, Diagnostic> {
    let Some(path) = path else {
        return Ok(Overrides::default());
    };
    let map = output::read_document(path)?;
    let data: BTreeMap<String, String> = map["data"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    Overrides::from_config_map(&data).map_err(|error| {
        Diagnostic::config("SettingsInvalid", "cannot use the settings for kinds")
            .at(path.display().to_string())
            .because(&error)
    })
}

/// An ignore rule that cannot be used, from the settings or elsewhere.
pub(crate) fn unusable_rule(error: &ignore::Error) -> Diagnostic {
    Diagnostic::user("IgnoreRuleInvalid", "cannot use the ignore rules").because(error)
}
