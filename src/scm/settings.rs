//! What `argocd-cmd-params-cm` says about SCM providers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use argosy_glob::gobwas::Glob;
use argosy_scm::Access;

/// Which providers may be asked, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScmSettings {
    /// Whether providers are asked at all; `applicationsetcontroller.enable.scm.providers`.
    pub enabled: bool,
    /// The addresses that generators may name, as globs; none means all;
    /// `applicationsetcontroller.allowed.scm.providers`.
    pub allowed: Vec<String>,
    /// Whether a Secret must be labelled as an SCM provider's;
    /// `applicationsetcontroller.enable.tokenref.strict.mode`.
    pub strict: bool,
    /// A file of certificate authorities; `applicationsetcontroller.scm.root.ca.path`.
    pub root_ca: Option<PathBuf>,
}

impl Default for ScmSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            allowed: Vec::new(),
            strict: false,
            root_ca: None,
        }
    }
}

impl ScmSettings {
    /// Reads the keys of `argocd-cmd-params-cm`.
    pub fn read(params: &BTreeMap<String, String>) -> Self {
        let text = |key: &str| {
            let text = params.get(&format!("applicationsetcontroller.{key}"));
            text.map(|text| text.trim()).filter(|text| !text.is_empty())
        };
        let allowed = text("allowed.scm.providers").unwrap_or_default().split(',');
        let allowed = allowed.map(str::trim).filter(|one| !one.is_empty());
        Self {
            enabled: text("enable.scm.providers") != Some("false"),
            allowed: allowed.map(str::to_owned).collect(),
            strict: text("enable.tokenref.strict.mode") == Some("true"),
            root_ca: text("scm.root.ca.path").map(PathBuf::from),
        }
    }

    /// Whether a generator may reach its provider. A generator that names no address reaches the
    /// provider's own and is not restricted; outside of the hub's namespace an address needs the
    /// administrator's word, because the hub would carry requests to wherever it leads.
    pub(super) fn check(&self, access: &Access<'_>, is_hubs: bool) -> Result<(), String> {
        if !self.enabled {
            return Err("scm providers are disabled".to_owned());
        }
        let is_allowed = |allowed: &String| {
            allowed == access.api
                || Glob::compile(allowed, &[]).is_ok_and(|glob| glob.is_match(access.api))
        };
        if access.api.is_empty() || self.allowed.iter().any(is_allowed) {
            return Ok(());
        }
        match (self.allowed.is_empty(), is_hubs) {
            (true, true) => Ok(()),
            (true, false) => Err(format!(
                "scm provider {:?} not allowed outside of the hub's namespace: list it in \
                 applicationsetcontroller.allowed.scm.providers of argocd-cmd-params-cm",
                access.api
            )),
            (false, _) => Err(format!(
                "scm provider not allowed: scm provider {:?} not allowed, must use one of the following: {}",
                access.api,
                self.allowed.join(", ")
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use argosy_scm::Reference;

    use super::*;

    fn check(params: &[(&str, &str)], api: &str, is_hubs: bool) -> Result<(), String> {
        let params = params
            .iter()
            .map(|(key, value)| {
                (
                    format!("applicationsetcontroller.{key}"),
                    (*value).to_owned(),
                )
            })
            .collect();
        let access = Access {
            provider: "github",
            api,
            insecure: false,
            authority: None,
            credentials: Reference::None,
        };
        ScmSettings::read(&params).check(&access, is_hubs)
    }

    #[test]
    fn an_administrator_says_who_may_be_asked() {
        let list = [(
            "allowed.scm.providers",
            "https://git.example.com/, https://*.corp",
        )];
        assert!(check(&[], "https://anywhere.example.com", true).is_ok());
        assert!(check(&list, "https://git.example.com/", true).is_ok());
        assert!(check(&list, "https://git.corp", false).is_ok());
        assert!(
            check(&list, "", false).is_ok(),
            "the provider's own address"
        );
        let refused = check(&list, "https://evil.example.com/", true).unwrap_err();
        assert!(refused.contains("must use one of the following: https://git.example.com/"));
        let off = check(&[("enable.scm.providers", "false")], "", true);
        assert_eq!(off.unwrap_err(), "scm providers are disabled");
    }

    #[test]
    fn outside_of_the_hubs_namespace_an_address_needs_a_list() {
        assert!(check(&[], "https://git.example.com", false).is_err());
        assert!(check(&[], "", false).is_ok());
    }
}
