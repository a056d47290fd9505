//! Mirrors of repositories that may not take more disk than they are given.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use argosy::source::{GitTree, Repository, SourceError, Sources};
use argosy_render::{Tree as _, TreePath};
use argosy_test_support::WorkTree;
use tempfile::TempDir;

use crate::git_cuts::{noise, size};
use crate::git_transports::sources_within;

/// Room for two repositories with noise, and not for three.
const QUOTA: u64 = 250_000;

struct Disk {
    folder: TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// A repository with a file of noise.
    fn repository(&self, name: &str) -> Repository {
        let tree = WorkTree::create(self.folder.path().join(name));
        tree.commit(&[("noise", &noise(name))]);
        Repository::public(&format!("file://{}", tree.path().display()))
    }

    fn mirrors(&self) -> PathBuf {
        self.folder.path().join("mirrors")
    }

    /// What a hub that starts now reads with.
    fn start(&self) -> Sources {
        sources_within(&self.mirrors(), QUOTA)
    }

    fn held(&self) -> u64 {
        size(&self.mirrors())
    }

    /// Those that hold a pack.
    fn full(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.mirrors()).unwrap();
        let folders = folders.map(|entry| entry.unwrap().path());
        folders.filter(|folder| size(folder) > 50_000).collect()
    }
}

async fn read(sources: &Sources, repository: &Repository) -> Result<GitTree, SourceError> {
    let commit = sources.resolve(repository, "main").await?.sha;
    sources.tree(repository, &commit).await
}

fn has_noise(tree: &GitTree, name: &str) -> bool {
    let content = tree.read(&TreePath::parse("noise").unwrap());
    content.unwrap() == noise(name).as_bytes()
}

fn was_used(folder: &Path, hours_ago: u64) {
    let at = SystemTime::now() - Duration::from_hours(hours_ago);
    fs::File::open(folder).unwrap().set_modified(at).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mirrors_that_nobody_follows_make_room_and_the_others_stay() {
    let disk = Disk::new();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| disk.repository(name));
    let before = disk.start();
    read(&before, &a).await.unwrap();
    let of_a = disk.full().remove(0);
    read(&before, &b).await.unwrap();
    let of_b = disk.full().into_iter().find(|one| *one != of_a).unwrap();
    drop(before);
    was_used(&of_a, 3);
    was_used(&of_b, 2);

    // Another start: nobody has asked for either yet.
    let now = disk.start();
    let tree_of_c = read(&now, &c).await.unwrap();
    assert!(!of_a.exists() && of_b.exists());
    read(&now, &b).await.unwrap();
    let error = read(&now, &d).await.unwrap_err();
    assert_eq!(error.reason(), "MirrorsFull");
    let text = error.to_string();
    assert!(
        text.contains(&d.url) && text.contains("--git-quota"),
        "{text}"
    );
    assert!(disk.held() <= QUOTA, "{}", disk.held());
    assert_eq!(now.disk_use().unwrap().bytes, disk.held());
    assert!(has_noise(&tree_of_c, "c"));
    assert!(has_noise(&read(&now, &b).await.unwrap(), "b"));
    // What went is fetched again where there is room.
    drop((now, tree_of_c));
    fs::remove_dir_all(of_b).unwrap();
    assert!(has_noise(&read(&disk.start(), &a).await.unwrap(), "a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_holds_the_past_starts_over_for_what_is_wanted_now() {
    let disk = Disk::new();
    let a = disk.repository("a");
    let tree = WorkTree::create(disk.folder.path().join("a"));
    let sources = disk.start();
    for change in 0..8 {
        let content = noise(&change.to_string());
        tree.commit(&[("noise", &content)]);
        sources.refresh(&a.url);
        let read = match read(&sources, &a).await {
            // The tree that it had open is closed by then.
            Err(SourceError::Quota { .. }) => read(&sources, &a).await,
            read => read,
        };
        assert!(has_noise(&read.unwrap(), &change.to_string()));
        assert!(disk.held() <= QUOTA, "{}", disk.held());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_hub_leaves_is_gone_at_the_next_start() {
    let disk = Disk::new();
    let a = disk.repository("a");
    read(&disk.start(), &a).await.unwrap();
    let (whole, mirror) = (disk.held(), disk.full().remove(0));
    for name in [
        "objects/pack/.tmpXa81Bc",
        "objects/pack/pack-0000.pack",
        "shallow.lock",
        "refs/argosy/commits/x.lock",
    ] {
        fs::write(mirror.join(name), noise("a")).unwrap();
    }
    fs::create_dir(disk.mirrors().join("half.git")).unwrap();
    fs::write(disk.mirrors().join("half.git/config"), "").unwrap();
    let sources = disk.start();
    assert_eq!(disk.held(), whole);
    assert!(has_noise(&read(&sources, &a).await.unwrap(), "a"));
}
