//! The options for `kustomize build` that a hub may be configured with.

use argosy_crds::application::ApplicationSourceKustomize;

use crate::{
    render::Request,
    tool::{helm, program::Program},
};

/// Options without a value.
const SWITCHES: [&str; 3] = ["--enable-helm", "--enable-managedby-label", "--helm-debug"];

/// Options with one.
const SETTINGS: [&str; 4] = [
    "--load-restrictor",
    "--reorder",
    "--helm-kube-version",
    "--helm-api-versions",
];

/// The command that builds the kustomization in the working folder, with the hub's settings.
///
/// Options that run programs from the repository, open the network or write files are refused.
pub(super) fn build(
    options: &ApplicationSourceKustomize,
    settings: &str,
    request: &Request<'_>,
    charts: Option<&Program>,
) -> Result<Vec<String>, String> {
    check_build_options(settings)?;
    let words: Vec<&str> = settings.split_whitespace().collect();
    let mut command = vec!["build".to_owned(), ".".to_owned()];
    command.extend(words.iter().map(|word| (*word).to_owned()));
    let enabled = words
        .iter()
        .any(|word| *word == "--enable-helm" || *word == "--enable-helm=true");
    if enabled {
        let program = charts.ok_or(
            "--enable-helm needs helm, which is not available; install helm 4 where the hub can \
             run it",
        )?;
        command.push(format!("--helm-command={}", program.path.display()));
        let own = options.kube_version.as_str();
        let version = if own.is_empty() {
            request.kube_version
        } else {
            own
        };
        let version = helm::kube_version(version);
        if !version.is_empty() {
            command.push(format!("--helm-kube-version={version}"));
        }
        let versions = helm::api_versions(&options.api_versions, request);
        command.extend(
            versions
                .iter()
                .map(|api| format!("--helm-api-versions={api}")),
        );
    }
    Ok(command)
}

/// Fails with the first of the options for `kustomize build` that no hub may be configured with: it
/// runs programs, opens the network or writes files.
pub fn check_build_options(options: &str) -> Result<(), String> {
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let (name, value) = word
            .split_once('=')
            .map_or((word, None), |(name, value)| (name, Some(value)));
        let known = SWITCHES.contains(&name) || SETTINGS.contains(&name);
        if !known {
            return Err(format!(
                "the kustomize build option {name} is not supported; remove it from \
                 kustomize.buildOptions"
            ));
        }
        if SETTINGS.contains(&name) && value.is_none() {
            words.next();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_run_programs_or_write_files_are_refused() {
        let refused = |text: &str| check_build_options(text).is_err();
        assert!(!refused(
            "--load-restrictor LoadRestrictionsNone --enable-helm"
        ));
        assert!(!refused("--reorder=none"));
        for option in [
            "--enable-exec",
            "--helm-command=/bin/sh",
            "-o /etc/x",
            "/etc",
            "--network",
        ] {
            assert!(refused(option), "{option}");
        }
    }
}
