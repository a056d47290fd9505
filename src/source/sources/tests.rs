//! Against real repositories that the `git` program makes in temporary folders.

use std::{fs, process::Command, sync::atomic::Ordering};

use argosy_render::{Kind, Tree, TreePath, View};

use super::*;

mod hostile;

/// A work tree to commit to.
struct Origin {
    folder: tempfile::TempDir,
}

impl Origin {
    fn new() -> Self {
        let origin = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        origin.git(&["init", "-q", "-b", "main"]);
        origin
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Ada")))
            .envs(
                ["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "ada@example.com")),
            )
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn commit(&self, message: &str) -> Sha {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        Sha::parse(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    fn repository(&self) -> Repository {
        Repository::public(&format!("file://{}", self.folder.path().display()))
    }
}

fn sources(data: &tempfile::TempDir) -> Sources {
    Sources::new(
        Remotes::mirrored(data.path(), u64::MAX).unwrap(),
        Network::system(),
        Clock::system(),
        Blocking::Pool,
        Limits::default(),
    )
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

#[tokio::test]
async fn a_branch_a_tag_and_a_commit_are_resolved_and_read_without_a_checkout() {
    let origin = Origin::new();
    let first = origin.write("app/a.yaml", "a: 1\n").commit("first");
    origin.git(&["tag", "-a", "v1.0.0", "-m", "one"]);
    let second = origin.write("app/a.yaml", "a: 2\n").commit("second");
    let data = tempfile::tempdir().unwrap();
    let (sources, repository) = (sources(&data), origin.repository());

    let resolve = async |revision: &str| sources.resolve(&repository, revision).await.unwrap().sha;
    assert_eq!(resolve("main").await, second);
    assert_eq!(resolve("").await, second);
    assert_eq!(resolve("v1.0.0").await, first);
    assert_eq!(resolve("^1.0").await, first);
    assert_eq!(resolve(first.as_str()).await, first);
    assert_eq!(resolve(first.short(8)).await, first);

    for (sha, text) in [(&first, "a: 1\n"), (&second, "a: 2\n")] {
        let tree = sources.tree(&repository, sha).await.unwrap();
        assert_eq!(tree.read(&path("app/a.yaml")).unwrap(), text.as_bytes());
    }
    let info = sources.commit(&repository, &second).await.unwrap();
    assert_eq!(info.message.trim(), "second");
    assert_eq!(info.author, "Ada <ada@example.com>");
    let changed = sources.changed_paths(&repository, &first, &second).await;
    assert_eq!(changed.unwrap(), ["app/a.yaml"]);
}

#[tokio::test]
async fn a_commit_that_is_no_tip_is_fetched_alone() {
    let origin = Origin::new();
    let old = origin.write("a", "1").commit("old");
    origin.write("a", "2").commit("new");
    let data = tempfile::tempdir().unwrap();
    let (sources, repository) = (sources(&data), origin.repository());
    let tree = sources.tree(&repository, &old).await.unwrap();
    assert_eq!(tree.read(&path("a")).unwrap(), b"1");
    assert_eq!(sources.counters().total("fetch"), 1);
    assert_eq!(sources.counters().total("ls-remote"), 0);
}

#[tokio::test]
async fn many_applications_cost_one_listing_until_a_refresh() {
    let origin = Origin::new();
    let first = origin.commit("first");
    let data = tempfile::tempdir().unwrap();
    let (sources, repository) = (sources(&data), origin.repository());
    let many = (0..50).map(|_| sources.resolve(&repository, "main"));
    for resolved in futures::future::join_all(many).await {
        assert_eq!(resolved.unwrap().sha, first);
    }
    assert_eq!(sources.counters().total("ls-remote"), 1);

    let second = origin.commit("second");
    let resolve = async || sources.resolve(&repository, "main").await.unwrap().sha;
    assert_eq!(resolve().await, first, "within the interval");
    sources.refresh(&format!("{}.git", repository.url));
    assert_eq!(resolve().await, second);
    assert_eq!(sources.counters().total("ls-remote"), 2);
}

#[tokio::test]
async fn one_failed_request_answers_everybody_and_names_the_repository() {
    let data = tempfile::tempdir().unwrap();
    let sources = sources(&data);
    let repository = Repository::public("file:///nowhere/repo.git");
    let many = (0..20).map(|_| sources.resolve(&repository, "main"));
    for resolved in futures::future::join_all(many).await {
        let error = resolved.unwrap_err();
        assert!(error.to_string().contains("/nowhere/repo.git"), "{error}");
        assert_ne!(error.retry(), crate::source::Retry::Never);
    }
    assert_eq!(sources.counters().total("ls-remote"), 1);
    sources.counters().for_each(|_, _, count| {
        assert_eq!(count.failures.load(Ordering::Relaxed), 1);
    });
}

#[tokio::test]
async fn an_unknown_revision_is_named() {
    let origin = Origin::new();
    origin.commit("first");
    let data = tempfile::tempdir().unwrap();
    let (sources, repository) = (sources(&data), origin.repository());
    let error = sources.resolve(&repository, "nope").await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("unable to resolve 'nope' to a commit SHA"),
        "{text}"
    );
    let missing = Sha::parse(&"a".repeat(40)).unwrap();
    let error = sources.tree(&repository, &missing).await.unwrap_err();
    assert_eq!(error.reason(), "RevisionNotFound", "{error}");
}

#[tokio::test]
async fn links_submodules_and_nested_directories_are_listed_as_what_they_are() {
    let origin = Origin::new();
    origin
        .write("apps/one/a.yaml", "x: 1\n")
        .write("b.yaml", "");
    std::os::unix::fs::symlink("apps/one/a.yaml", origin.folder.path().join("link")).unwrap();
    std::os::unix::fs::symlink("../outside", origin.folder.path().join("out")).unwrap();
    let module = "160000,1111111111111111111111111111111111111111,module";
    origin.git(&["add", "-A"]);
    origin.git(&["update-index", "--add", "--cacheinfo", module]);
    origin.git(&["commit", "-q", "-m", "all kinds"]);
    let data = tempfile::tempdir().unwrap();
    let (sources, repository) = (sources(&data), origin.repository());
    let sha = sources.resolve(&repository, "HEAD").await.unwrap().sha;
    let tree = sources.tree(&repository, &sha).await.unwrap();

    assert_eq!(
        tree.directories().unwrap(),
        [path("apps"), path("apps/one")]
    );
    let kinds: Vec<_> = tree
        .files()
        .unwrap()
        .into_iter()
        .map(|file| (file.path.as_str().to_owned(), file.kind))
        .collect();
    let expected = [
        ("apps/one/a.yaml", Kind::File),
        ("b.yaml", Kind::File),
        ("link", Kind::Link),
        ("module", Kind::Submodule),
        ("out", Kind::Link),
    ];
    assert_eq!(kinds, expected.map(|(path, kind)| (path.to_owned(), kind)));
    let view = View::new(Arc::new(tree));
    assert_eq!(view.read(&path("link")).unwrap(), b"x: 1\n");
    assert!(view.read(&path("out")).is_err());
    let error = view.read(&path("module/file")).unwrap_err();
    assert!(error.to_string().contains("submodule"), "{error}");
}

#[tokio::test]
async fn a_forced_push_and_a_deleted_branch_are_followed() {
    let origin = Origin::new();
    origin.commit("first");
    origin.git(&["branch", "dev"]);
    let data = tempfile::tempdir().unwrap();
    let (sources, repository) = (sources(&data), origin.repository());
    sources.resolve(&repository, "dev").await.unwrap();
    origin.git(&["branch", "-D", "dev"]);
    origin.git(&[
        "commit",
        "-q",
        "--amend",
        "--allow-empty",
        "-m",
        "rewritten",
    ]);
    let rewritten = Sha::parse(&origin.git(&["rev-parse", "HEAD"])).unwrap();
    sources.refresh(&repository.url);
    assert!(sources.resolve(&repository, "dev").await.is_err());
    let resolved = sources.resolve(&repository, "main").await.unwrap();
    assert_eq!(resolved.sha, rewritten);
    assert_eq!(resolved.via.as_deref(), Some("refs/heads/main"));
    sources.tree(&repository, &rewritten).await.unwrap();
}
