//! How the git of a plugin gets into its source's repository, and into no other.
//!
//! By variables of its environment alone: what is secret is never an argument, and no file that could
//! be left behind.

use std::{io, path::PathBuf};

use argosy_facts::Secret;

/// Settings of git for one repository. They name its URL, so that git itself shows them to no other.
#[derive(Clone, Debug, Default)]
pub struct GitAccess {
    /// Names and values.
    pub settings: Vec<(String, Secret)>,
    /// Names, and the content of the files that they have to name. It is no secret.
    pub files: Vec<(String, String)>,
    /// Every secret in the settings, in each form in which a program could print it.
    pub hidden: Vec<Secret>,
}

impl GitAccess {
    /// The variables by which git is told; `write` keeps a file for as long as the plugin runs.
    pub(crate) fn variables(
        &self,
        mut write: impl FnMut(&[u8]) -> io::Result<PathBuf>,
    ) -> io::Result<Vec<(String, String)>> {
        let mut settings: Vec<_> = self
            .settings
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
            .collect();
        for (name, content) in &self.files {
            let file = write(content.as_bytes())?;
            settings.push((name.clone(), file.display().to_string()));
        }
        let mut variables = vec![
            ("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()),
            ("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string()),
        ];
        for (number, (name, value)) in settings.into_iter().enumerate() {
            variables.push((format!("GIT_CONFIG_KEY_{number}"), name));
            variables.push((format!("GIT_CONFIG_VALUE_{number}"), value));
        }
        Ok(variables)
    }

    /// A program's text without what it must not show.
    pub(crate) fn redact(&self, text: String) -> String {
        Secret::redact(&self.hidden, text)
    }
}
