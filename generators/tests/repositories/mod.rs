//! Git trees from the cases' description of them.

use std::collections::BTreeMap;

use argosy_generators::offline::GitTree;
use serde_json::Value;

pub(crate) struct Repositories<'c>(&'c Value);

impl<'c> Repositories<'c> {
    pub(crate) fn new(described: &'c Value) -> Self {
        Self(described)
    }

    pub(crate) fn tree(&self, url: &str, revision: &str) -> Result<Box<dyn GitTree>, String> {
        let repository = self
            .0
            .get(url)
            .ok_or_else(|| format!("repository {url} cannot be reached"))?;
        let files = match revision {
            "" | "HEAD" | "main" => repository.get("files"),
            branch => Some(
                repository
                    .pointer("/branches")
                    .and_then(|branches| branches.get(branch))
                    .ok_or_else(|| format!("unable to resolve git revision {branch}"))?,
            ),
        };
        let files = files.and_then(Value::as_object).into_iter().flatten();
        let files =
            files.map(|(path, text)| (path.clone(), text.as_str().unwrap_or_default().to_owned()));
        Ok(Box::new(Tree(files.collect())))
    }
}

struct Tree(BTreeMap<String, String>);

impl GitTree for Tree {
    fn paths(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let text = self.0.get(path).ok_or("no such file")?;
        match text.strip_prefix("symlink:") {
            None => Ok(text.as_bytes().to_vec()),
            Some(target) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = format!("{folder}/{target}");
                self.read(target.trim_start_matches('/'))
            }
        }
    }

    fn leads_out(&self, path: &str) -> bool {
        let text = self.0.get(path).map(String::as_str).unwrap_or_default();
        text.starts_with("symlink:/")
    }
}
