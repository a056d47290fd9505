//! What the documentation shows, held against what the program knows: commands and manifests.
//!
//! A flag or a field that does not exist never gets into a page.

mod commands;
mod manifests;

use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Text of a page that is code.
struct Code {
    page: PathBuf,
    /// What a block says it is, such as `yaml`; none for words within a sentence.
    language: Option<String>,
    text: String,
}

impl Code {
    fn is_in(&self, languages: &[&str]) -> bool {
        self.language
            .as_deref()
            .is_some_and(|language| languages.contains(&language))
    }
}

/// Pages that tell of the past, and of crates of the program's name.
const OTHERS: [&str; 2] = ["CHANGELOG.md", "ARCHITECTURE.md"];

/// All code of all pages but the generated ones, which are made of what the program knows.
fn code() -> Vec<Code> {
    let mut pages = Vec::new();
    find(Path::new(ROOT), false, &mut pages);
    for folder in ["docs", "examples"] {
        find(&Path::new(ROOT).join(folder), true, &mut pages);
    }
    let is_generated = |page: &Path| {
        page.parent()
            .is_some_and(|folder| folder.ends_with("reference"))
    };
    pages.retain(|page| !is_generated(page) && !OTHERS.iter().any(|other| page.ends_with(other)));
    assert!(pages.len() > 20, "{pages:?}");
    pages.iter().flat_map(|page| of_page(page)).collect()
}

fn find(folder: &Path, deep: bool, pages: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep {
            find(&path, deep, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

fn of_page(page: &Path) -> Vec<Code> {
    let text = std::fs::read_to_string(page).unwrap();
    let page = page.strip_prefix(ROOT).unwrap();
    let code = |language, text| Code {
        page: page.to_owned(),
        language,
        text,
    };
    let (mut found, mut block) = (Vec::new(), None);
    for event in Parser::new(&text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                block = Some((language.to_string(), String::new()));
            }
            Event::Text(part) => {
                if let Some((_, text)) = &mut block {
                    text.push_str(&part);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                found.extend(
                    block
                        .take()
                        .map(|(language, text)| code(Some(language), text)),
                );
            }
            Event::Code(text) => found.push(code(None, text.to_string())),
            _ => {}
        }
    }
    found
}
