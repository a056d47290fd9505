//! What a worker cannot do even if a job gets past every check.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::folder;

/// A worker that is confined to `folder`.
fn start(folder: &Path) -> Child {
    Command::new(folder_of_worker())
        .arg(folder)
        .env_clear()
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A job with one file, a kustomization, as a worker reads it.
fn job(kustomization: &str, options: &[&str]) -> String {
    let command: Vec<_> = ["build", "."].iter().chain(options).collect();
    let header = json!({
        "tool": "kustomize",
        "commands": [command],
        "folder": "/x",
        "files": [{"path": "/x/kustomization.yaml", "size": kustomization.len()}],
    });
    format!("{header}\n{kustomization}")
}

/// What a worker that is confined to `folder` complains about.
fn complaint(folder: &Path, job: &str) -> String {
    let mut worker = start(folder);
    let mut input = worker.stdin.take().unwrap();
    write!(input, "{job}").unwrap();
    drop(input);
    let mut text = String::new();
    worker
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert!(worker.wait().unwrap().success());
    let (lengths, rest) = text.split_once('\n').unwrap();
    let lengths: Value = serde_json::from_str(lengths).unwrap();
    assert_eq!(lengths["error"], rest.len(), "{text}");
    rest.to_owned()
}

fn folder_of_worker() -> std::path::PathBuf {
    folder("ARGOSY_RENDER_WORKER").join("argosy-render-worker")
}

/// Whether the kernel can confine a process.
fn landlock() -> bool {
    // Where the list of security modules cannot be read, the version of the kernel must do.
    let modules = fs::read_to_string("/sys/kernel/security/lsm");
    modules.map_or(true, |modules| modules.contains("landlock"))
}

/// CVE-2023-40026: what another application renders from is as far away as the rest of the machine,
/// even for one that knows where it is.
#[test]
fn a_worker_reads_nothing_outside_its_folder_and_connects_to_nobody() {
    assert!(
        landlock(),
        "this needs a kernel with Landlock (Linux 5.13 and newer)"
    );
    let inside = tempfile::tempdir().unwrap();
    let another = tempfile::Builder::new().prefix("argosy-render-").tempdir();
    let another = another.unwrap();
    let secret = another.path().join("x.yaml");
    fs::write(
        &secret,
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n",
    )
    .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/x.yaml", listener.local_addr().unwrap());
    // A worker has files in its memory, except where Helm's program is to read them, too.
    let in_memory: &[&str] = &["--load-restrictor=LoadRestrictionsNone"];
    let on_disk = [in_memory, &["--enable-helm"]].concat();
    for (reference, unseen) in [
        (secret.display().to_string(), "no such file"),
        (another.path().display().to_string(), "no such file"),
        ("/etc/hostname".to_owned(), "no such file"),
        (address, "permission denied"),
    ] {
        let kustomization = format!("resources: ['{reference}']\n");
        for (options, text) in [(in_memory, unseen), (&on_disk, "permission denied")] {
            let complaint = complaint(inside.path(), &job(&kustomization, options));
            assert!(complaint.contains(text), "{reference}: {complaint}");
        }
    }
    assert_eq!(
        fs::read_dir(inside.path()).unwrap().count(),
        0,
        "a job left files"
    );
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the worker connected");
}

/// Nobody but the hub can have a worker render: there is no port, and nothing that listens.
#[test]
fn a_worker_at_work_has_no_socket() {
    let inside = tempfile::tempdir().unwrap();
    let mut worker = start(inside.path());
    let mut input = worker.stdin.take().unwrap();
    write!(input, "{}", job("resources: []\n", &[])).unwrap();
    let mut answer = String::new();
    let mut output = BufReader::new(worker.stdout.take().unwrap());
    output.read_line(&mut answer).unwrap();
    assert!(!answer.is_empty());
    let open = fs::read_dir(format!("/proc/{}/fd", worker.id())).unwrap();
    let open: Vec<_> = open
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .map(|target| target.display().to_string())
        .collect();
    assert!(
        open.iter().any(|target| target.starts_with("pipe:")),
        "{open:?}"
    );
    assert!(
        !open.iter().any(|target| target.starts_with("socket:")),
        "{open:?}"
    );
    drop(input);
    assert!(worker.wait().unwrap().success());
}
