//! The pages of `docs/` become a book without a complaint, and every link in what its reader gets
//! leads to a file of the book, and to a place in it that exists.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use tracing::Level;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// What a page of the book has to do with other pages.
#[derive(Default)]
struct Page {
    /// The places in it that a link may mean.
    anchors: BTreeSet<String>,
    /// Where it leads, and what it shows.
    links: BTreeSet<String>,
}

#[derive(Default)]
struct Collected(RefCell<Page>);

impl TokenSink for Collected {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token {
            let mut page = self.0.borrow_mut();
            for attribute in tag.attrs {
                let value = attribute.value.to_string();
                match &*attribute.name.local {
                    "id" => page.anchors.insert(value),
                    "href" | "src" => page.links.insert(value),
                    _ => false,
                };
            }
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn read(html: &str) -> Self {
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(html));
        let tokenizer = Tokenizer::new(Collected::default(), TokenizerOpts::default());
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.0.into_inner()
    }
}

#[test]
fn the_book_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book");
    let complaints = build(&book);
    assert_eq!(complaints, "", "what the book's builder complains about");
    let pages = pages(&book.canonicalize().unwrap());
    assert!(pages.len() > 50, "{} pages", pages.len());
    let broken: Vec<_> = pages
        .iter()
        .flat_map(|(path, page)| page.links.iter().map(move |link| (path, link)))
        .filter(|(path, link)| !leads_somewhere(&pages, path, link))
        .map(|(path, link)| format!("{}: {link}", path.display()))
        .collect();
    assert_eq!(broken, Vec::<String>::new());
}

/// Builds the book into a folder and returns what the builder complains about.
fn build(folder: &Path) -> String {
    let complaints = folder.with_extension("log");
    let log = tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_ansi(false)
        .with_writer(Mutex::new(fs::File::create(&complaints).unwrap()))
        .finish();
    tracing::subscriber::with_default(log, || {
        let mut config = Config::from_disk(Path::new(DOCS).join("book.toml")).unwrap();
        config.build.create_missing = false;
        folder.clone_into(&mut config.build.build_dir);
        let book = MDBook::load_with_config(DOCS, config).unwrap();
        book.build().unwrap();
    });
    fs::read_to_string(complaints).unwrap()
}

/// All pages below a folder, by their paths.
fn pages(folder: &Path) -> BTreeMap<PathBuf, Page> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "html")
            {
                let page = Page::read(&fs::read_to_string(&path).unwrap());
                pages.insert(path, page);
            }
        }
    }
    pages
}

/// Whether a link of a page leads to a file of the book, and to a place in it, or out of the book.
fn leads_somewhere(pages: &BTreeMap<PathBuf, Page>, from: &Path, link: &str) -> bool {
    // The page for what is not found leads to the site's root.
    if link.contains("://") || link == "/" {
        return true;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() {
        Ok(from.to_owned())
    } else {
        from.parent().unwrap().join(path).canonicalize()
    };
    target.is_ok_and(|target| match pages.get(&target) {
        Some(page) => anchor.is_empty() || page.anchors.contains(anchor),
        None => target.is_file(),
    })
}
