//! Plugins that are small scripts, at work.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use argosy_crds::ApplicationSource;
use argosy_facts::Secret;
use serde_json::{Value, json};

use super::*;
use crate::{
    access::GitAccess,
    environment::{BuildFacts, Environment},
    memory::MemoryTree,
    needs::LargeFile,
    render::{Render, Tools, render},
    tree::{Entry, Kind, ObjectId, Tree, TreeError},
};

/// Where the system's own programs are.
const SEARCH: &str = "/usr/bin:/bin";

/// A folder with plugins, each by the `spec` of its declaration.
fn declared(specs: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, spec) in specs {
        let declaration = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ConfigManagementPlugin",
            "metadata": {"name": name}, "spec": spec});
        fs::write(
            folder.path().join(format!("{name}.yaml")),
            declaration.to_string(),
        )
        .unwrap();
    }
    folder
}

fn loaded(folder: &tempfile::TempDir) -> Plugins {
    Plugins::load(folder.path(), OsStr::new(SEARCH)).unwrap()
}

/// A plugin that runs a line of shell.
fn script(line: &str) -> Value {
    json!({"generate": {"command": ["sh", "-c"], "args": [line]}})
}

fn source(mut source: Value) -> ApplicationSource {
    source["repoURL"] = json!("https://git");
    serde_json::from_value(source).unwrap()
}

fn rendered(tree: MemoryTree, fields: Value, plugins: Plugins) -> Result<Render, String> {
    rendered_with(tree, fields, plugins, &[], None)
}

fn rendered_with(
    tree: MemoryTree,
    fields: Value,
    plugins: Plugins,
    exclusions: &[String],
    fetched: Option<&Fetched>,
) -> Result<Render, String> {
    let source = source(fields);
    let environment = Environment::standard(&BuildFacts {
        app_name: "web",
        revision: "0123456789",
        ..BuildFacts::default()
    });
    let request = Request {
        plugin_exclusions: exclusions,
        fetched,
        ..Request::new(&source, "web", &environment)
    };
    let tools = Tools::default().with_plugins(plugins);
    render(Arc::new(tree), &request, &tools).map_err(|error| error.to_string())
}

/// What the plugin `p`, which runs a line of shell, makes of `app` in a small repository.
fn run(line: &str) -> Result<Render, String> {
    run_with(line, |_| {})
}

fn run_with(line: &str, change: impl FnOnce(&mut Plugins)) -> Result<Render, String> {
    let folder = declared(&[("p", script(line))]);
    let mut plugins = loaded(&folder);
    change(&mut plugins);
    let tree = MemoryTree::default()
        .file("app/a.txt", "one")
        .file("lib/b.txt", "two");
    rendered(
        tree,
        json!({"path": "app", "plugin": {"name": "p"}}),
        plugins,
    )
}

/// A line of shell that prints a `ConfigMap` with the answer of another.
fn map(line: &str) -> String {
    format!(
        "echo '{{kind: ConfigMap, apiVersion: v1, metadata: {{name: a}}, data: {{v: \"'$({line})'\"}}}}'"
    )
}

#[track_caller]
fn value(line: &str) -> String {
    let render = run(&map(line)).unwrap();
    render.manifests[0]["data"]["v"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_plugin_sees_the_repository_from_its_sources_directory_on() {
    assert_eq!(value("cat a.txt ../lib/b.txt"), "onetwo");
    assert_eq!(value("echo $ARGOCD_APP_REVISION_SHORT"), "0123456");
    assert_eq!(
        value("env | cut -d= -f1 | grep -v ^ARGOCD_APP_ | sort | xargs"),
        "HOME KUBE_API_VERSIONS KUBE_VERSION OLDPWD PATH PWD TMPDIR".replace(
            "OLDPWD ",
            if value("env | grep -c OLDPWD || true") == "0" {
                ""
            } else {
                "OLDPWD "
            }
        )
    );
}

#[test]
fn all_of_the_repository_counts_as_read() {
    let tree = |other: &str| MemoryTree::default().file("app/a", "").file("other", other);
    let folder = declared(&[("p", script("cat a"))]);
    let source = json!({"path": "app", "plugin": {"name": "p"}});
    let render = rendered(tree("x"), source, loaded(&folder)).unwrap();
    assert!(render.reads.hold_in(&tree("x")).unwrap());
    assert!(!render.reads.hold_in(&tree("y")).unwrap());
}

#[test]
fn init_runs_first_and_its_failure_is_told() {
    let with = |init: &str| {
        let mut spec = script("cat made");
        spec["init"] = json!({"command": ["sh", "-c", init]});
        let folder = declared(&[("p", spec)]);
        let source = json!({"path": "app", "plugin": {"name": "p"}});
        rendered(
            MemoryTree::default().file("app/x", ""),
            source,
            loaded(&folder),
        )
    };
    let made = with("echo 'kind: A' > made; echo 'apiVersion: v1' >> made").unwrap();
    assert_eq!(made.manifests[0]["kind"], "A");
    let error = with("echo no luck >&2; exit 3").unwrap_err();
    assert_eq!(
        error,
        "plugin failed on app: plugin 'p': its init command `sh`: exit status: 3: no luck"
    );
}

#[test]
fn failures_say_which_plugin_and_command() {
    for (line, text) in [
        (
            "kill -9 $$",
            "plugin 'p': its generate command `sh`: signal: 9",
        ),
        ("echo '- a'", "plugin 'p': line 1 of what it printed"),
        (
            "cat $HOME/../tree/none >&2; cat $PWD/none",
            "cat: app/none: No such file",
        ),
    ] {
        let error = run(line).unwrap_err();
        assert!(error.contains(text), "{line}: {error}");
    }
    let long = run("yes complaint | head -c 100000 >&2; echo last >&2; exit 1").unwrap_err();
    assert!(long.len() < 5000, "{}", long.len());
    let folder = declared(&[("p", json!({"generate": {"command": ["no-such-program"]}}))]);
    let source = json!({"path": ".", "plugin": {"name": "p"}});
    let error = rendered(MemoryTree::default(), source, loaded(&folder)).unwrap_err();
    assert!(
        error.contains("`no-such-program`: there is no such program"),
        "{error}"
    );
}

#[test]
fn a_plugin_is_found_by_its_rule_before_any_other_type() {
    let specs = |rule: Value| {
        let mut spec = script("echo '{kind: A, apiVersion: v1}'");
        spec["discover"] = rule;
        declared(&[("a", script("exit 1")), ("p", spec)])
    };
    let tree = || {
        MemoryTree::default()
            .file("app/Chart.yaml", "name: x\nversion: 1.0.0\n")
            .file("app/sub/deep/stack.ts", "")
    };
    let source = |plugin: Value| json!({"path": "app", "plugin": plugin});
    for (rule, is_for) in [
        (json!({"fileName": "Chart.*"}), true),
        (json!({"fileName": "./sub/*/stack.ts"}), true),
        (json!({"fileName": "**/stack.ts"}), false),
        (json!({"find": {"glob": "**/stack.ts"}}), true),
        (json!({"find": {"glob": "*.ts"}}), false),
        (
            json!({"find": {"command": ["find", ".", "-name"], "args": ["stack.ts"]}}),
            true,
        ),
        (
            json!({"find": {"command": ["find", ".", "-name", "none"]}}),
            false,
        ),
        (json!({"find": {"command": ["false"]}}), false),
    ] {
        let folder = specs(rule.clone());
        let unnamed = rendered(tree(), source(json!({})), loaded(&folder));
        let named = rendered(tree(), source(json!({"name": "p"})), loaded(&folder));
        let found = rendered(tree(), json!({"path": "app"}), loaded(&folder));
        assert_eq!(unnamed.is_ok(), is_for, "{rule}: {unnamed:?}");
        assert_eq!(named.is_ok(), is_for, "{rule}: {named:?}");
        match found {
            Ok(render) => assert!(is_for && render.source_type.as_str() == "Plugin", "{rule}"),
            // A chart, for which there is no helm here.
            Err(error) => assert!(!is_for && error.contains("is a helm source"), "{error}"),
        }
    }
    let folder = specs(json!({"find": {"command": ["no-such-program"]}}));
    let error = rendered(tree(), json!({"path": "app"}), loaded(&folder)).unwrap_err();
    assert!(error.contains("its discover.find command"), "{error}");
    let error = rendered(tree(), source(json!({"name": "q"})), loaded(&folder)).unwrap_err();
    assert!(
        error.contains("no plugin with name 'q'; there are 'a', 'p'"),
        "{error}"
    );
}

#[test]
fn programs_keep_their_modes_and_links_their_targets_where_that_is_asked_for() {
    let repository = tempfile::tempdir().unwrap();
    let program = repository.path().join("run.sh");
    fs::write(&program, "#!/bin/sh\necho '{kind: A, apiVersion: v1}'\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    std::os::unix::fs::symlink("run.sh", repository.path().join("link")).unwrap();
    for keeps in [true, false] {
        let spec = json!({"generate": {"command": ["./link"]}, "preserveFileMode": keeps});
        let folder = declared(&[("p", spec)]);
        let source = source(json!({"path": ".", "plugin": {"name": "p"}}));
        let environment = Environment::default();
        let request = Request::new(&source, "web", &environment);
        let tools = Tools::default().with_plugins(loaded(&folder));
        let tree = crate::DirectoryTree::open(repository.path()).unwrap();
        let result = render(Arc::new(tree), &request, &tools);
        assert_eq!(result.is_ok(), keeps, "{result:?}");
    }
    let outside = MemoryTree::default().link("app/x", "../../etc");
    let folder = declared(&[("p", script("true"))]);
    let source = json!({"path": "app", "plugin": {"name": "p"}});
    let error = rendered(outside, source, loaded(&folder)).unwrap_err();
    assert!(error.contains("leaves the repository"), "{error}");
}

/// What is the hub's own, or another render's, is out of reach.
#[test]
fn a_plugin_reaches_neither_the_hubs_files_nor_its_environment() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "hunter2").unwrap();
    for line in [
        format!("cat {}", secret.path().display()),
        format!("cat /proc/{}/environ", std::process::id()),
        format!("kill -0 {}", std::process::id()),
        format!("echo x > {}", secret.path().display()),
        "ls /tmp /root /var".to_owned(),
        "echo x > /etc/x".to_owned(),
    ] {
        let error = run(&format!("{line}; exit 0")).map(|render| render.manifests);
        assert_eq!(error.unwrap_or_default(), Vec::<Value>::new(), "{line}");
        let error = run(&line).unwrap_err();
        assert!(
            error.contains("ermission denied") || error.contains("not permitted"),
            "{line}: {error}"
        );
    }
    assert_eq!(fs::read(secret.path()).unwrap(), b"hunter2");
}

/// A daemon in a session of its own that keeps the output open holds nothing up, and goes.
#[test]
fn what_a_plugin_leaves_behind_is_killed() {
    let started = Instant::now();
    let line = "setsid sh -c 'echo $$ > pid; exec sleep 600' & while ! [ -s pid ]; do :; done
        echo \"{kind: A, apiVersion: v1, pid: $(cat pid)}\"";
    let render = run(line).unwrap();
    let pid = &render.manifests[0]["pid"];
    assert!(started.elapsed() < Duration::from_mins(1));
    let left = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(left.is_empty(), "process {pid} is still there");
}

#[test]
fn time_output_and_the_memory_of_all_together_are_limited() {
    let limited = |line: &str, limits: Limits| run_with(line, |it| it.limits = limits).unwrap_err();
    let time = Duration::from_millis(300);
    let error = limited(
        "setsid sleep 600",
        Limits {
            time,
            ..Limits::default()
        },
    );
    assert!(error.contains("did not end within 300ms"), "{error}");
    let error = limited(
        "yes",
        Limits {
            output: 1000,
            ..Limits::default()
        },
    );
    assert!(error.contains("printed more than 1000 bytes"), "{error}");
    let memory = 64 * 1024 * 1024;
    let error = limited(
        "sh -c 'x=0123456789; while :; do x=$x$x; done'; true",
        Limits {
            memory,
            ..Limits::default()
        },
    );
    assert!(error.contains("bytes of memory"), "{error}");
}

#[test]
fn a_discovery_command_is_asked_once_for_a_tree() {
    let mut spec = script("true");
    spec["discover"] = json!({"find": {"command": ["sh", "-c", "cat count; echo x"]}});
    let folder = declared(&[("p", spec)]);
    let plugins = loaded(&folder);
    let view = View::new(Arc::new(MemoryTree::default().file("count", "")));
    for _ in 0..2 {
        assert!(
            plugins
                .recognise(&view, &TreePath::root())
                .is_ok_and(|is_it| is_it)
        );
    }
    assert_eq!(plugins.answers.lock().unwrap().len(), 1);
}

#[test]
fn files_that_declare_nothing_are_errors_that_name_them() {
    let folder = declared(&[("a", script("true"))]);
    fs::write(folder.path().join("run.sh"), "").unwrap();
    assert_eq!(loaded(&folder).names().collect::<Vec<_>>(), ["a"]);
    let identity = loaded(&folder).identity().to_owned();
    fs::write(folder.path().join("run.sh"), "echo changed").unwrap();
    assert_ne!(loaded(&folder).identity(), identity);
    let copied = fs::copy(folder.path().join("a.yaml"), folder.path().join("b.yaml"));
    copied.unwrap();
    let error = Plugins::load(folder.path(), OsStr::new("")).err().unwrap();
    assert!(
        error.to_string().contains("declares the plugin 'a'"),
        "{error}"
    );
    fs::write(folder.path().join("b.yaml"), "kind: X").unwrap();
    let error = Plugins::load(folder.path(), OsStr::new("")).err().unwrap();
    assert!(
        error.to_string().contains("b.yaml declares no plugin"),
        "{error}"
    );
    let error = Plugins::load(Path::new("/no/such"), OsStr::new(""))
        .err()
        .unwrap();
    assert!(error.to_string().contains("/no/such"), "{error}");
}

/// A tree whose every file lies elsewhere.
struct Elsewhere(MemoryTree);

impl Tree for Elsewhere {
    fn kind(&self, path: &TreePath) -> Result<Option<Kind>, TreeError> {
        self.0.kind(path)
    }

    fn list(&self, path: &TreePath) -> Result<Vec<Entry>, TreeError> {
        self.0.list(path)
    }

    fn id(&self, path: &TreePath) -> Result<Option<ObjectId>, TreeError> {
        self.0.id(path)
    }

    fn size(&self, path: &TreePath) -> Result<u64, TreeError> {
        self.0.size(path)
    }

    fn read(&self, path: &TreePath) -> Result<Vec<u8>, TreeError> {
        self.0.read(path)
    }

    fn needs(&self, _path: &TreePath) -> Result<Option<LargeFile>, TreeError> {
        Ok(Some(LargeFile {
            repository: "https://git".to_owned(),
            oid: "0".to_owned(),
            size: 1,
        }))
    }
}

#[test]
fn large_files_are_fetched_before_any_command_runs() {
    let mut spec = script("exit 1");
    spec["discover"] = json!({"find": {"command": ["false"]}});
    let folder = declared(&[("p", spec)]);
    let tree: Arc<dyn Tree> = Arc::new(Elsewhere(MemoryTree::default().file("app/a", "pointer")));
    let environment = Environment::default();
    let tools = Tools::default().with_plugins(loaded(&folder));
    for plugin in [json!({"name": "p"}), Value::Null] {
        let source = source(json!({"path": "app", "plugin": plugin}));
        let request = Request::new(&source, "web", &environment);
        let error = render(Arc::clone(&tree), &request, &tools).unwrap_err();
        assert!(
            matches!(&error, RenderError::Needs(needs) if needs.len() == 1),
            "{error}"
        );
    }
}

#[test]
fn what_is_excluded_is_not_in_the_copy() {
    let copy = |exclusions: &[&str]| {
        let folder = declared(&[("p", script(&map("find .. -type f | sort | xargs")))]);
        let tree = MemoryTree::default()
            .file("app/a.txt", "")
            .file("app/img/x.png", "")
            .file("lib/b.txt", "");
        let exclusions: Vec<_> = exclusions.iter().map(|one| (*one).to_owned()).collect();
        let source = json!({"path": "app", "plugin": {"name": "p"}});
        let render = rendered_with(tree, source, loaded(&folder), &exclusions, None)?;
        Ok::<_, String>(
            render.manifests[0]["data"]["v"]
                .as_str()
                .unwrap()
                .to_owned(),
        )
    };
    let all = "../app/a.txt ../app/img/x.png ../lib/b.txt";
    // As in Go, a star stays within a folder, and a pattern is for a whole path.
    assert_eq!(copy(&["*.txt", "img", "x"]).as_deref(), Ok(all));
    assert_eq!(
        copy(&["app/im?"]).as_deref(),
        Ok("../app/a.txt ../lib/b.txt")
    );
    assert_eq!(copy(&["*/*.txt", "lib"]).as_deref(), Ok("../app/img/x.png"));
    let error = copy(&["["]).unwrap_err();
    assert!(
        error.contains("reposerver.plugin.tar.exclusions"),
        "{error}"
    );
}

#[test]
fn only_a_plugin_that_asks_for_it_has_access_to_its_repository() {
    let (header, name) = (
        "Authorization: Basic czNjcmV0",
        "http.https://git.extraHeader",
    );
    let mut fetched = Fetched::default();
    fetched.grant(GitAccess {
        settings: vec![(name.to_owned(), Secret::new(header))],
        files: vec![("http.https://git.sslCAInfo".to_owned(), "PEM".to_owned())],
        hidden: vec![Secret::new("czNjcmV0")],
    });
    let run = |line: &str, asks: bool, fetched: Option<&Fetched>| {
        let mut spec = script(line);
        spec["provideGitCreds"] = json!(asks);
        let folder = declared(&[("p", spec)]);
        let tree = MemoryTree::default().file("app/a", "");
        let source = json!({"path": "app", "plugin": {"name": "p"}});
        rendered_with(tree, source, loaded(&folder), &[], fetched)
    };
    let shown = map(&format!(
        "git config --get {name}; cat $(git config --get http.https://git.sslCAInfo)"
    ));
    let value = |asks, fetched| {
        let render = run(&shown, asks, fetched).unwrap();
        render.manifests[0]["data"]["v"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(value(true, Some(&fetched)), format!("{header} PEM"));
    // Without one who could grant it, as on a command line, it goes without.
    let without = map(&format!("git config --get {name}"));
    assert_eq!(
        run(&without, true, None).unwrap().manifests[0]["data"]["v"],
        ""
    );
    let none = run(&without, false, Some(&fetched)).unwrap();
    assert_eq!(none.manifests[0]["data"]["v"], "");
    let error = run("env >&2; exit 1", true, Some(&fetched)).unwrap_err();
    assert!(
        error.contains("***") && !error.contains("czNjcmV0"),
        "{error}"
    );
    let error = run("exit 1", true, Some(&Fetched::default())).unwrap_err();
    assert!(
        error.contains("access to its repository has to be fetched"),
        "{error}"
    );
}
