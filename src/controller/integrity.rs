//! No commit is used that its project wants signed and that nobody whom the project names has signed.
//!
//! What cannot be checked is refused: a program that is missing, a key that nobody has registered, a
//! way of checking that is not known.

use std::collections::BTreeMap;

use argosy_engine::project::{Rules, Signature, Signing, Unsigned};
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::fleet::ObjectName;
use crate::hub::Hub;
use crate::signatures::Signatures;
use crate::source::{Repository, Sha, SourceError, hex};
use crate::surroundings::Surroundings;

/// `argocd-gpg-keys-cm`: armored public keys by their ids.
pub(crate) const KEYS: &str = "argocd-gpg-keys-cm";

/// How many commits are remembered.
const COMMITS: u64 = 10_000;

/// What the hub knows of signatures.
pub(crate) struct Integrity {
    /// `None` where the whole of it is turned off.
    signatures: Option<Signatures>,
    /// By the commit and the keys at that time.
    known: Cache<(String, String), Signature>,
}

impl Integrity {
    /// Checks signatures unless the environment turns that off, as Argo CD does.
    pub(crate) fn new(signatures: Signatures, surroundings: &Surroundings) -> Self {
        let enabled = surroundings.variable("ARGOCD_GPG_ENABLED");
        Self {
            signatures: Some(signatures).filter(|_| enabled.as_deref() != Some("false")),
            known: Cache::new(COMMITS),
        }
    }
}

impl Hub {
    /// What a project wants of the commits of a repository.
    pub(super) fn signing(&self, project: &str, repo_url: &str) -> Signing {
        if self.integrity.signatures.is_none() {
            return Signing::Free;
        }
        let name = ObjectName::new(&self.config.namespace, project);
        let index = self.fleet.index();
        let project = index.projects.read(&name);
        project.map_or(Signing::Free, |project| {
            Rules::of(project).signing(repo_url)
        })
    }

    /// Refuses a chart or artifact of a project that wants all of its sources signed.
    pub(super) fn verify_package(
        &self,
        project: &str,
        repository: &Repository,
        revision: &str,
    ) -> Result<(), SourceError> {
        let name = ObjectName::new(&self.config.namespace, project);
        let index = self.fleet.index();
        let wants_all = index
            .projects
            .read(&name)
            .is_some_and(|project| Rules::of(project).wants_all_signed());
        if self.integrity.signatures.is_none() || !wants_all {
            return Ok(());
        }
        let refused = Unsigned::NoCommit {
            revision: revision.to_owned(),
            project: project.to_owned(),
        };
        Err(SourceError::Integrity {
            url: repository.url.clone(),
            why: refused.to_string(),
        })
    }

    /// Refuses a commit that is not signed as its project wants it.
    pub(super) async fn verify(
        &self,
        project: &str,
        repository: &Repository,
        commit: &Sha,
    ) -> Result<(), SourceError> {
        let wanted = self.signing(project, &repository.url);
        let refused = |why: String| SourceError::Integrity {
            url: repository.url.clone(),
            why,
        };
        let signature = match &wanted {
            Signing::Free => return Ok(()),
            Signing::Unserved(_) => Signature::Missing,
            Signing::By(_) => self.signature(repository, commit, refused).await?,
        };
        let judged = wanted.judge(project, commit.as_str(), &signature);
        judged.map_err(|why| refused(why.to_string()))
    }

    async fn signature(
        &self,
        repository: &Repository,
        commit: &Sha,
        refused: impl Fn(String) -> SourceError,
    ) -> Result<Signature, SourceError> {
        let keys = self.gpg_keys();
        let question = (
            commit.to_string(),
            hex(&Sha256::digest(format!("{keys:?}"))),
        );
        if let Some(known) = self.integrity.known.get(&question) {
            return Ok(known);
        }
        let signed = self.sources.signed(repository, commit).await?;
        let signature = match (signed, &self.integrity.signatures) {
            (Some(signed), Some(signatures)) => {
                let signatures = signatures.clone();
                let check = self.blocking.run(move || signatures.check(&signed, &keys));
                let checked = check.await.unwrap_or_else(|panic| Err(panic.to_string()));
                checked.map_err(|why| refused(format!("cannot check a signature: {why}")))?
            }
            _ => Signature::Missing,
        };
        self.integrity.known.insert(question, signature.clone());
        Ok(signature)
    }

    fn gpg_keys(&self) -> BTreeMap<String, String> {
        let index = self.fleet.index();
        let name = ObjectName::new(&self.config.namespace, KEYS);
        let map = index.config_maps.read(&name);
        map.and_then(|map| map.data.clone()).unwrap_or_default()
    }
}
