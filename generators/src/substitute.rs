//! Another revision in the place of a branch: what a set would read if a change were merged.

use crate::facts::Request;

/// A revision that takes the place of a branch of one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// The repository, as the generators write it.
    pub repository: String,
    /// The branch; generators that read `HEAD` or name no revision are taken to mean it, too.
    pub branch: String,
    /// What is read in its place: a branch, tag or commit.
    pub revision: String,
}

impl Substitute {
    /// The request with the revision replaced; `None` if it is not about that branch.
    pub fn replaced(&self, request: &Request) -> Option<Request> {
        let mut replaced = request.clone();
        let (Request::GitDirectories {
            repo_url, revision, ..
        }
        | Request::GitFiles {
            repo_url, revision, ..
        }) = &mut replaced
        else {
            return None;
        };
        let name = revision
            .strip_prefix("refs/heads/")
            .unwrap_or(revision.as_str());
        let is_meant = matches!(name, "" | "HEAD") || name == self.branch;
        if *repo_url != self.repository || !is_meant {
            return None;
        }
        revision.clone_from(&self.revision);
        Some(replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_branch_of_that_repository_is_replaced() {
        let substitute = Substitute {
            repository: "r".to_owned(),
            branch: "main".to_owned(),
            revision: "feature".to_owned(),
        };
        let request = |url: &str, revision: &str| Request::GitDirectories {
            repo_url: url.to_owned(),
            revision: revision.to_owned(),
            project: String::new(),
            include: Vec::new(),
            exclude: Vec::new(),
        };
        for revision in ["", "HEAD", "main", "refs/heads/main"] {
            let replaced = substitute.replaced(&request("r", revision));
            assert_eq!(replaced, Some(request("r", "feature")), "{revision}");
        }
        assert_eq!(substitute.replaced(&request("r", "v1")), None);
        assert_eq!(substitute.replaced(&request("other", "main")), None);
        assert_eq!(substitute.replaced(&Request::Servers), None);
    }
}
