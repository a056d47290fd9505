//! Conversations with a git server that break off.

use std::path::Path;

use argosy_render::{Tree as _, TreePath};
use serde_json::json;

use crate::git_server::{Answers, GitServer};
use crate::git_transports::{Place, sources, sources_within};

/// How many bytes a file has that nothing compresses.
const NOISE: usize = 100_000;

/// How often a conversation breaks off, unless `ARGOSY_CUTS` says otherwise: each cut takes two
/// conversations, with a client each.
const CUTS: usize = 25;

/// A text that nothing compresses well, another for each seed.
pub(crate) fn noise(seed: &str) -> String {
    let mut state = seed.bytes().fold(1, |sum, byte| sum * 31 + u64::from(byte));
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'!' + u8::try_from((state >> 40) % 90).unwrap())
    };
    (0..NOISE).map(|_| next()).collect()
}

/// The bytes of all files below a folder.
pub(crate) fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| match entry.metadata().unwrap() {
            metadata if metadata.is_dir() => size(&entry.path()),
            metadata => metadata.len(),
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_is_cut_many_times_leaves_nothing_and_the_mirror_readable() {
    let place = Place::new();
    place.tree.commit(&[("noise", &noise(""))]);
    let server = GitServer::serve(place.tree.path()).await;
    let repository = place.repository(server.url(), &json!({}));
    let folders = ["whole", "cut"].map(|name| place.folder.path().join(name));
    for folder in &folders {
        std::fs::create_dir(folder).unwrap();
    }
    let whole = sources(&folders[0]);
    let commit = whole.resolve(&repository, "main").await.unwrap().sha;
    whole.tree(&repository, &commit).await.unwrap();
    let one_fetch = size(&folders[0]);
    assert!(one_fetch > NOISE as u64 / 2, "{one_fetch}");

    // Broken fetches that left anything would soon find no room.
    let cut = sources_within(&folders[1], one_fetch + NOISE as u64);
    cut.resolve(&repository, "main").await.unwrap();
    let empty = size(&folders[1]);
    let cuts = std::env::var("ARGOSY_CUTS").map_or(CUTS, |cuts| cuts.parse().unwrap());
    for number in 0..cuts {
        server.answers(Answers::Cut(number * NOISE / cuts / 2));
        let error = cut.tree(&repository, &commit).await.unwrap_err();
        assert!(error.to_string().contains(server.url()), "{error}");
    }
    assert_eq!(size(&folders[1]), empty, "broken fetches leave nothing");
    server.answers(Answers::Well);
    let tree = cut.tree(&repository, &commit).await.unwrap();
    let content = tree.read(&TreePath::parse("noise").unwrap()).unwrap();
    assert_eq!(content, noise("").as_bytes());
    assert_eq!(size(&folders[1]), one_fetch);
}
