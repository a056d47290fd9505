//! Whether the commits of a repository have to be signed, by whom, and whether one is.
//!
//! What cannot be understood asks for more and never for less.

use argosy_crds::app_project::SourceIntegrityGitPolicy;
use argosy_glob::gobwas;

use super::Rules;
use crate::repo_url;

/// The length of the shortest id of a key that is hard to forge: its last 16 digits.
const KEY_ID: usize = 16;

/// What a project wants of the commits of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Nothing.
    Free,
    /// That the one that is deployed is signed with one of these keys, by their ids.
    By(Vec<String>),
    /// Something that nobody checks here, so that no commit will do.
    Unserved(String),
}

/// The signature of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    Missing,
    /// It is by whoever holds the key with these fingerprints, its own and its owner's.
    Good(Vec<String>),
    /// It proves nothing, and why.
    Bad(String),
}

/// Why a commit may not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// It has no signature.
    #[error(
        "target revision {revision} in git is not signed, but a signature is required by project '{project}'"
    )]
    Missing {
        /// The commit.
        revision: String,
        /// The project.
        project: String,
    },
    /// Somebody else has signed it.
    #[error(
        "found good signature of revision {revision} made with key {key}, but this key is not allowed in project '{project}'"
    )]
    OtherKey {
        /// The commit.
        revision: String,
        /// The fingerprint of the key.
        key: String,
        /// The project.
        project: String,
    },
    /// Its signature proves nothing.
    #[error(
        "the signature of revision {revision}, which project '{project}' requires, is not accepted: {why}"
    )]
    Bad {
        /// The commit.
        revision: String,
        /// The project.
        project: String,
        /// Why.
        why: String,
    },
    /// It is no commit, and nothing else is checked.
    #[error(
        "{revision} is the version of a chart or artifact, whose signature is not checked, but a signature is required by project '{project}' (signatureKeys); to require signatures of git repositories alone, name them in sourceIntegrity.git.policies of the project"
    )]
    NoCommit {
        /// The version.
        revision: String,
        /// The project.
        project: String,
    },
    /// The project wants more than is checked.
    #[error(
        "project '{project}' wants of the commits of this repository what is not served: {what}"
    )]
    Unserved {
        /// The project.
        project: String,
        /// What it wants.
        what: String,
    },
}

impl Signing {
    /// Whether a commit of this signature will do.
    pub fn judge(
        &self,
        project: &str,
        revision: &str,
        signature: &Signature,
    ) -> Result<(), Unsigned> {
        let (revision, project) = (revision.to_owned(), project.to_owned());
        match (self, signature) {
            (Self::Free, _) => Ok(()),
            (Self::Unserved(what), _) => Err(Unsigned::Unserved {
                project,
                what: what.clone(),
            }),
            (Self::By(_), Signature::Missing) => Err(Unsigned::Missing { revision, project }),
            (Self::By(_), Signature::Bad(why)) => Err(Unsigned::Bad {
                revision,
                project,
                why: why.clone(),
            }),
            (Self::By(keys), Signature::Good(fingerprints)) => {
                let is_allowed = keys.iter().any(|key| names_one(key, fingerprints));
                let key = fingerprints.first().cloned().unwrap_or_default();
                let other = Unsigned::OtherKey {
                    revision,
                    key,
                    project,
                };
                is_allowed.then_some(()).ok_or(other)
            }
        }
    }
}

/// Whether an id is that of one of the keys with these fingerprints.
fn names_one(id: &str, fingerprints: &[String]) -> bool {
    let id = id.trim().trim_start_matches("0x").to_ascii_uppercase();
    id.len() >= KEY_ID && fingerprints.iter().any(|one| one.ends_with(&id))
}

impl<'a> Rules<'a> {
    /// Whether the project wants all of its sources signed, charts and artifacts among them: it has
    /// the older list of keys, and no policies that speak of git repositories alone.
    pub fn wants_all_signed(self) -> bool {
        let spec = &self.project.spec;
        !spec.signature_keys.is_empty() && self.policies().is_empty()
    }

    fn policies(self) -> &'a [SourceIntegrityGitPolicy] {
        let integrity = self.project.spec.source_integrity.as_ref();
        let git = integrity.and_then(|integrity| integrity.git.as_ref());
        git.map_or(&[], |git| &git.policies)
    }

    /// What the project wants of the commits of a repository. The first policy whose repositories
    /// match counts; the older list of keys counts where there are no policies.
    pub fn signing(self, repo_url: &str) -> Signing {
        let spec = &self.project.spec;
        let policies = self.policies();
        if policies.is_empty() {
            let keys = spec.signature_keys.iter().map(|key| key.key_id.clone());
            let keys: Vec<_> = keys.collect();
            return if keys.is_empty() {
                Signing::Free
            } else {
                Signing::By(keys)
            };
        }
        let url = repo_url::normalise(repo_url);
        let matches = |pattern: &str| {
            let normal = repo_url::normalise(pattern);
            gobwas::matches(pattern, repo_url, &[]) || gobwas::matches(&normal, &url, &[])
        };
        let policy = policies
            .iter()
            .find(|policy| policy.repos.iter().any(|repo| matches(&repo.url)));
        let Some(gpg) = policy.and_then(|policy| policy.gpg.as_ref()) else {
            return Signing::Free;
        };
        match gpg.mode.as_str() {
            "none" => Signing::Free,
            "head" => Signing::By(gpg.keys.clone()),
            other => Signing::Unserved(format!(
                "the mode `{other}` of its source integrity; use `head`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use argosy_crds::AppProject;
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "0123456789ABCDEF0123456789ABCDEF01234567";

    fn project(spec: &Value) -> AppProject {
        let project = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
            "metadata": {"name": "p"}, "spec": spec,
        });
        serde_json::from_value(project).unwrap()
    }

    fn wanted(spec: &Value, url: &str) -> Signing {
        Rules::of(&project(spec)).signing(url)
    }

    /// CVE-2026-35205.
    #[test]
    fn keys_ask_for_signatures_of_all_and_policies_for_those_of_git() {
        let all = |spec: &Value| Rules::of(&project(spec)).wants_all_signed();
        let keys = json!([{"keyID": "89ABCDEF01234567"}]);
        let git = |policies: Value| json!({"git": {"policies": policies}});
        assert!(!all(&json!({})));
        assert!(all(&json!({"signatureKeys": keys})));
        assert!(all(
            &json!({"signatureKeys": keys, "sourceIntegrity": git(json!([]))})
        ));
        let policies =
            git(json!([{"repos": [{"url": "*"}], "gpg": {"mode": "head", "keys": ["K"]}}]));
        assert!(!all(
            &json!({"signatureKeys": keys, "sourceIntegrity": policies})
        ));
    }

    #[test]
    fn the_first_policy_that_matches_counts_and_before_it_nothing_else() {
        let url = "https://git.example.com/org/app.git";
        let old = json!([{"keyID": "89ABCDEF01234567"}]);
        let signed = |key: &str| Signing::By(vec![key.to_owned()]);
        assert_eq!(wanted(&json!({}), url), Signing::Free);
        assert_eq!(
            wanted(&json!({"signatureKeys": old}), url),
            signed("89ABCDEF01234567")
        );
        let policy = |url: &str, mode: &str| json!({"repos": [{"url": url}], "gpg": {"mode": mode, "keys": ["K"]}});
        let with = |policies: Value| {
            let integrity = json!({"git": {"policies": policies}});
            wanted(
                &json!({"signatureKeys": old, "sourceIntegrity": integrity}),
                url,
            )
        };
        assert_eq!(with(json!([policy("*", "head")])), signed("K"));
        let host = "https://git.example.com/*";
        assert_eq!(
            with(json!([policy(host, "none"), policy("*", "head")])),
            Signing::Free
        );
        assert_eq!(
            with(json!([policy("https://other/*", "head")])),
            Signing::Free
        );
        for mode in ["strict", "", "Head"] {
            let wanted = with(json!([policy("*", mode)]));
            assert!(matches!(wanted, Signing::Unserved(_)), "{mode}");
            let good = Signature::Good(vec![KEY.to_owned()]);
            assert!(wanted.judge("p", "r", &good).is_err());
        }
    }

    #[test]
    fn a_commit_will_do_when_an_allowed_key_has_signed_it() {
        let by = |keys: &[&str]| Signing::By(keys.iter().map(|key| (*key).to_owned()).collect());
        let good = Signature::Good(vec!["FFFF".repeat(10), KEY.to_owned()]);
        for allowed in ["89ABCDEF01234567", "0x89abcdef01234567", KEY] {
            assert_eq!(by(&["other", allowed]).judge("p", "r", &good), Ok(()));
        }
        for other in ["", "01234567", "FEDCBA9876543210", "89ABCDEF0123456"] {
            let refused = by(&[other]).judge("p", "r", &good);
            assert!(matches!(refused, Err(Unsigned::OtherKey { .. })), "{other}");
        }
        assert!(by(&[]).judge("p", "r", &good).is_err());
        for signature in [Signature::Missing, Signature::Bad("no".to_owned())] {
            assert!(by(&[KEY]).judge("p", "r", &signature).is_err());
            assert_eq!(Signing::Free.judge("p", "r", &signature), Ok(()));
        }
    }
}
