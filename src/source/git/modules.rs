//! What `.gitmodules` says: which repositories lie at which places of a tree. No I/O.
//!
//! Only paths and URLs are read; how a submodule would be updated or where its branch is concerns
//! nobody here.

use argosy_render::TreePath;
use gix::url::Scheme;

/// A place in a tree and the repository that belongs there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Module {
    /// Where.
    pub(crate) path: TreePath,
    /// Which, or why it is not read.
    pub(crate) url: Result<String, String>,
}

/// Reads the `.gitmodules` of the repository at `parent`.
pub(crate) fn read(text: &str, parent: &str) -> Result<Vec<Module>, String> {
    let file = gix::config::File::try_from(text)
        .map_err(|error| format!(".gitmodules cannot be read: {error}"))?;
    let sections = file.sections_by_name("submodule");
    let sections = sections.into_iter().flatten();
    let modules = sections.filter_map(|section| {
        let path = section.value("path")?.to_string();
        let url = section.value("url").map(|url| url.to_string());
        Some(Module {
            path: TreePath::parse(path.trim_end_matches('/')).ok()?,
            url: url
                .ok_or_else(|| "`url` is missing in .gitmodules".to_owned())
                .and_then(|url| permitted(absolute(parent, &url))),
        })
    });
    Ok(modules.collect())
}

/// A URL that begins with dots is one beside that of the repository that names it.
fn absolute(parent: &str, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    let (mut base, mut rest) = (parent.trim_end_matches('/'), url);
    loop {
        if let Some(below) = rest.strip_prefix("./") {
            rest = below;
        } else if let Some(above) = rest.strip_prefix("../") {
            rest = above;
            let end = base.rfind('/').or_else(|| base.rfind(':'));
            base = base.get(..end.unwrap_or(0)).unwrap_or_default();
        } else {
            return format!("{base}/{rest}");
        }
    }
}

/// What is read over a network, from a host that cannot pass for an option of a program.
fn permitted(url: String) -> Result<String, String> {
    let refuse = |why: &str| Err(format!("the URL {url:?} is not allowed: {why}"));
    let Ok(parsed) = gix::url::parse(url.as_str()) else {
        return refuse("it cannot be read");
    };
    if !matches!(parsed.scheme, Scheme::Http | Scheme::Https | Scheme::Ssh) {
        return refuse("submodules are read over https, http or ssh");
    }
    let is_option = |text: Option<&str>| text.is_none_or(|text| text.starts_with('-'));
    if url.starts_with('-')
        || is_option(parsed.host())
        || parsed.user().is_some_and(|user| user.starts_with('-'))
    {
        return refuse("it looks like an option of a program");
    }
    if url.chars().any(char::is_control) {
        return refuse("it holds a line break or another control character");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "https://git.example.com/org/app.git";

    fn module(parent: &str, url: &str) -> Module {
        let text =
            format!("[submodule \"x\"]\n\tpath = lib/x\n\turl = \"{url}\"\n\tupdate = !evil\n");
        let mut all = read(&text, parent).unwrap();
        let module = all.pop().unwrap();
        assert_eq!((all.len(), module.path.as_str()), (0, "lib/x"));
        module
    }

    #[test]
    fn relative_urls_lie_beside_the_repository_that_names_them() {
        for (parent, relative, absolute) in [
            (PARENT, "../lib.git", "https://git.example.com/org/lib.git"),
            (
                PARENT,
                "../../other/lib",
                "https://git.example.com/other/lib",
            ),
            (PARENT, "./lib", "https://git.example.com/org/app.git/lib"),
            (
                "git@git.example.com:org/app",
                "../lib",
                "git@git.example.com:org/lib",
            ),
            (
                "git@git.example.com:app",
                "../lib",
                "git@git.example.com/lib",
            ),
            (
                PARENT,
                "https://else.example.com/a",
                "https://else.example.com/a",
            ),
        ] {
            let found = super::absolute(parent, relative);
            assert_eq!(found, absolute, "{parent} {relative}");
        }
    }

    /// CVE-2026-40034 and its like: what a repository says of its submodules runs nothing.
    #[test]
    fn local_repositories_and_what_looks_like_an_option_are_refused() {
        for bad in [
            "file:///etc",
            "/var/lib/argosy/git/x.git",
            "../../../../../../etc",
            "ext::sh -c x",
            "-oProxyCommand=x",
            "ssh://-oProxyCommand=x/y",
            "ssh://-x@host/y",
            "-host:path",
        ] {
            let refused = module(PARENT, bad);
            assert!(refused.url.is_err(), "{refused:?}");
        }
        assert!(module("file:///srv/app", "../lib").url.is_err());
        assert_eq!(
            module(PARENT, "../lib").url.unwrap(),
            "https://git.example.com/org/lib"
        );
        assert!(module(PARENT, "git@host:org/lib").url.is_ok());
        assert!(read("[submodule", PARENT).is_err());
        // CVE-2026-82253: the name is no place of anything.
        let named = "[submodule \"a..b/../../x\"]\npath = lib/x\nurl = ../lib\n";
        assert_eq!(read(named, PARENT).unwrap()[0].path.as_str(), "lib/x");
        assert_eq!(
            read("[submodule \"x\"]\npath = ../out\nurl = x\n", PARENT),
            Ok(vec![])
        );
    }
}
