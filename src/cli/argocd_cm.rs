//! Settings from a file that holds the ConfigMap argocd-cm.

use std::collections::BTreeMap;
use std::path::Path;

use argosy_engine::ignore;
use argosy_engine::overrides::Overrides;

use super::output;
use crate::diagnostic::Diagnostic;
use crate::fleet::Settings;

/// The settings for kinds; the defaults if no file is named.
pub(crate) fn overrides(path: Option<&Path>) -> Result<Overrides, Diagnostic> {
    let Some(path) = path else {
        return Ok(Overrides::default());
    };
    Overrides::from_config_map(&data(path)?).map_err(|error| {
        Diagnostic::config("SettingsInvalid", "cannot use the settings for kinds")
            .at(path.display().to_string())
            .because(&error)
    })
}

/// All settings, as a hub would read them; the defaults if no file is named.
pub(crate) fn settings(path: Option<&Path>) -> Result<Settings, Diagnostic> {
    let data = path.map(data).transpose()?.unwrap_or_default();
    Ok(Settings::from_data(data, &BTreeMap::new()))
}

fn data(path: &Path) -> Result<BTreeMap<String, String>, Diagnostic> {
    let map = output::read_document(path)?;
    let entries = map["data"].as_object().into_iter().flatten();
    Ok(entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect())
}

/// An ignore rule that cannot be used, from the settings or elsewhere.
pub(crate) fn unusable_rule(error: &ignore::Error) -> Diagnostic {
    Diagnostic::user("IgnoreRuleInvalid", "cannot use the ignore rules").because(error)
}
