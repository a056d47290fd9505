//! Checks that every link of the documentation to a file of the project, or to a heading in one,
//! leads somewhere, in the book of `docs/`, too, and that the book has all of its pages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// Where pages are.
const PLACES: [&str; 3] = [".", "docs", "examples"];

/// The folder that becomes the book.
const BOOK: &str = "docs";

/// Where what is not in the book is read, by its path.
const ONLINE: [&str; 2] = [
    "https://github.com/argosy-fleet/argosy/blob/main/",
    "https://github.com/argosy-fleet/argosy/tree/main/",
];

/// The contents of the book.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Fails with every link that leads nowhere, and every page that is not in the book.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut pages = BTreeSet::new();
    for place in PLACES {
        let deep = place != ".";
        find(&crate::root().join(place), deep, &mut pages)?;
    }
    let mut broken = Vec::new();
    for page in &pages {
        let text = read(page)?;
        for link in links(&text) {
            if !leads_somewhere(page, &link)? {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    if !broken.is_empty() {
        bail!("these links lead nowhere:\n{}", broken.join("\n"));
    }
    let missing = not_in_book(&pages)?;
    if !missing.is_empty() {
        bail!(
            "these pages are not in {SUMMARY} exactly once:\n{}",
            missing.join("\n")
        );
    }
    Ok(())
}

/// The pages of `docs/` that the book does not have exactly once.
fn not_in_book(pages: &BTreeSet<PathBuf>) -> anyhow::Result<Vec<String>> {
    let summary = crate::root().join(SUMMARY);
    let docs = summary.parent().context("the contents lie in a folder")?;
    let listed = links(&read(&summary)?);
    let missing = pages.iter().filter_map(|page| {
        let name = page.strip_prefix(docs).ok()?.to_str()?;
        let times = listed.iter().filter(|link| *link == name).count();
        (*page != summary && times != 1).then(|| name.to_owned())
    });
    Ok(missing.collect())
}

fn find(folder: &Path, deep: bool, pages: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let entries = folder
        .read_dir()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && deep {
            find(&path, deep, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.insert(path);
        }
    }
    Ok(())
}

fn read(page: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))
}

/// The links and pictures of a page that do not leave the project.
fn links(text: &str) -> Vec<String> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.to_string())
        }
        _ => None,
    };
    Parser::new(text)
        .filter_map(target)
        .filter(|link| {
            online(link).is_some() || !link.contains("://") && !link.starts_with("mailto:")
        })
        .collect()
}

/// The path within the project of a link to where its files are read.
fn online(link: &str) -> Option<&str> {
    ONLINE.iter().find_map(|place| link.strip_prefix(place))
}

fn leads_somewhere(page: &Path, link: &str) -> anyhow::Result<bool> {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = match online(file) {
        Some(path) => crate::root().join(path),
        None if file.is_empty() => page.to_owned(),
        None => page.parent().unwrap_or(Path::new(".")).join(file),
    };
    let is_followed = online(file).is_some() || !leaves_book(page, &target)?;
    Ok(is_followed
        && target.exists()
        && (heading.is_empty() || anchors(&read(&target)?).contains(heading)))
}

/// Whether the way leads from the book to what the book does not have.
fn leaves_book(page: &Path, target: &Path) -> anyhow::Result<bool> {
    let book = crate::root().join(BOOK).canonicalize()?;
    let is_in = |path: &Path| {
        path.canonicalize()
            .is_ok_and(|path| path.starts_with(&book))
    };
    Ok(is_in(page) && target.exists() && !is_in(target))
}

/// The names under which the headings of a page can be linked to.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                anchors.extend(heading.take().map(|text| anchor(&text)));
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&words);
                }
            }
            _ => {}
        }
    }
    anchors
}

/// Lower case, hyphens for blanks, and nothing but letters, digits, hyphens and underscores.
fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    heading
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_leads_nowhere_but_into_itself_and_to_what_is_read_online() {
        let page = crate::root().join("docs/install.md");
        let leads = |link: &str| leads_somewhere(&page, link).unwrap();
        assert!(leads("compat.md") && leads("reference/cli.md#argosy-up"));
        assert!(
            !leads("../deploy/Dockerfile") && !leads("absent.md") && !leads("compat.md#absent")
        );
        assert!(leads(&format!("{}deploy/Dockerfile", ONLINE[0])));
        assert!(!leads(&format!("{}deploy/absent", ONLINE[1])));
    }

    #[test]
    fn links_within_the_project_are_found_and_headings_have_their_names() {
        let text = "# Sync, in full\n\n[a](b.md#sync-in-full) ![p](p.png) [out](https://example.com)\n\n```\n[no](link.md)\n```\n";
        assert_eq!(links(text), ["b.md#sync-in-full", "p.png"]);
        let online = format!("{}deploy/Dockerfile", ONLINE[0]);
        assert_eq!(links(&format!("[a]({online})")), [online]);
        assert_eq!(anchors(text), BTreeSet::from(["sync-in-full".to_owned()]));
    }
}
