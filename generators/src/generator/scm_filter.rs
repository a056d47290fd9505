//! The filters of the SCM provider generator.
//!
//! Whoever lists repositories asks them first, so that nothing is requested of a repository that
//! they leave out; the generator asks them last, so that nobody has to be believed.

use std::collections::BTreeSet;

use argosy_crds::application_set::generators::ScmProviderFilter;
use regex::Regex;

use super::scm_provider::Repository;

/// The compiled filters of one generator.
///
/// Repositories pass any filter of repositories, then branches any filter of branches; where there
/// is no filter of a kind, all pass.
#[derive(Debug)]
pub struct ScmFilters {
    of_repositories: Vec<Filter>,
    of_branches: Vec<Filter>,
}

#[derive(Debug)]
struct Filter {
    repository: Option<Regex>,
    label: Option<Regex>,
    branch: Option<Regex>,
    exist: Vec<String>,
    do_not_exist: Vec<String>,
}

impl ScmFilters {
    /// Compiles the filters; fails at an expression that is none. A filter that says nothing is
    /// left out, as in Argo CD.
    pub fn new(filters: &[ScmProviderFilter]) -> Result<Self, String> {
        let filters = filters
            .iter()
            .filter(|filter| **filter != ScmProviderFilter::default())
            .map(Filter::new)
            .collect::<Result<Vec<_>, _>>()?;
        let (of_branches, of_repositories) = filters.into_iter().partition(Filter::is_of_branches);
        Ok(Self {
            of_repositories,
            of_branches,
        })
    }

    /// Whether branches of the repository may be selected at all.
    pub fn takes(&self, repository: &str, labels: &[String]) -> bool {
        let any = |filters: &[Filter]| {
            filters.is_empty()
                || filters
                    .iter()
                    .any(|filter| filter.fits_repository(repository, labels))
        };
        any(&self.of_repositories) && any(&self.of_branches)
    }

    /// The paths of which must be known whether they exist on the branch, to say whether it is
    /// selected.
    pub fn paths(&self, repository: &str, labels: &[String], branch: &str) -> BTreeSet<String> {
        let asked = self.of_branches.iter().filter(|filter| {
            filter.fits_repository(repository, labels) && filter.fits_branch(branch)
        });
        asked
            .flat_map(|filter| filter.exist.iter().chain(&filter.do_not_exist))
            .cloned()
            .collect()
    }

    /// Whether the branch is selected.
    pub(super) fn selects(&self, branch: &Repository) -> bool {
        let any = |filters: &[Filter]| {
            filters.is_empty() || filters.iter().any(|filter| filter.matches(branch))
        };
        any(&self.of_repositories) && any(&self.of_branches)
    }
}

impl Filter {
    fn new(filter: &ScmProviderFilter) -> Result<Self, String> {
        Ok(Self {
            repository: regex("RepositoryMatch", filter.repository_match.as_ref())?,
            label: regex("LabelMatch", filter.label_match.as_ref())?,
            branch: regex("BranchMatch", filter.branch_match.as_ref())?,
            exist: filter.paths_exist.clone(),
            do_not_exist: filter.paths_do_not_exist.clone(),
        })
    }

    /// Whether it looks at branches and not at repositories alone.
    fn is_of_branches(&self) -> bool {
        self.branch.is_some() || !self.exist.is_empty() || !self.do_not_exist.is_empty()
    }

    fn fits_repository(&self, repository: &str, labels: &[String]) -> bool {
        fits(self.repository.as_ref(), [repository])
            && fits(self.label.as_ref(), labels.iter().map(String::as_str))
    }

    fn fits_branch(&self, branch: &str) -> bool {
        fits(self.branch.as_ref(), [branch])
    }

    /// A path of which nobody knows whether it exists fits neither way.
    fn matches(&self, branch: &Repository) -> bool {
        let is = |wanted: bool| move |path: &String| branch.paths.get(path) == Some(&wanted);
        self.fits_repository(&branch.repository, &branch.labels)
            && self.fits_branch(&branch.branch)
            && self.exist.iter().all(is(true))
            && self.do_not_exist.iter().all(is(false))
    }
}

/// Compiles an optional expression of a filter.
pub(super) fn regex(field: &str, expression: Option<&String>) -> Result<Option<Regex>, String> {
    expression
        .map(|text| {
            Regex::new(text)
                .map_err(|error| format!("error compiling {field} regexp {text:?}: {error}"))
        })
        .transpose()
}

/// Whether the expression, if there is one, matches any of the texts.
pub(super) fn fits<'t>(
    expression: Option<&Regex>,
    texts: impl IntoIterator<Item = &'t str>,
) -> bool {
    expression.is_none_or(|regex| texts.into_iter().any(|text| regex.is_match(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn filters(filters: Value) -> ScmFilters {
        let filters: Vec<_> = serde_json::from_value(filters).unwrap();
        ScmFilters::new(&filters).unwrap()
    }

    fn branch(repository: &str, branch: &str, paths: &[(&str, bool)]) -> Repository {
        Repository {
            repository: repository.to_owned(),
            branch: branch.to_owned(),
            paths: paths
                .iter()
                .map(|(path, exists)| ((*path).to_owned(), *exists))
                .collect(),
            ..Repository::default()
        }
    }

    #[test]
    fn a_repository_that_no_filter_of_branches_fits_is_not_looked_at() {
        let filters = filters(json!([
            {"repositoryMatch": "^web", "pathsExist": ["deploy"]},
            {"labelMatch": "^team-", "branchMatch": "main"},
        ]));
        assert!(filters.takes("web", &[]));
        assert!(filters.takes("db", &["team-x".to_owned()]));
        assert!(!filters.takes("db", &["other".to_owned()]));
        assert_eq!(filters.paths("web", &[], "x").len(), 1);
        assert_eq!(filters.paths("db", &["team-x".to_owned()], "main").len(), 0);
    }

    #[test]
    fn a_branch_passes_one_filter_of_each_kind() {
        let filters = filters(json!([
            {"repositoryMatch": "^web"},
            {"branchMatch": "^main$"},
            {"pathsExist": ["a"], "pathsDoNotExist": ["b"]},
        ]));
        let a_alone = [("a", true), ("b", false)];
        assert!(filters.selects(&branch("web", "main", &[])));
        assert!(!filters.selects(&branch("db", "main", &[])));
        assert!(filters.selects(&branch("web", "x", &a_alone)));
        assert!(!filters.selects(&branch("web", "x", &[("a", true), ("b", true)])));
        assert!(
            !filters.selects(&branch("web", "x", &[("a", true)])),
            "b is not known"
        );
    }

    #[test]
    fn a_filter_that_says_nothing_lets_nothing_more_through() {
        let filters = filters(json!([{"repositoryMatch": "^web"}, {}]));
        assert!(!filters.takes("db", &[]));
    }
}
