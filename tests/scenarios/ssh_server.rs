//! OpenSSH's server with one user, who may log in with one key: a process for each connection.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const PROGRAM: &str = "/usr/sbin/sshd";

/// Where a server of the superuser locks its children in; a service makes it.
const EMPTY: &str = "/run/sshd";

/// What is run in the place of all that is asked for.
const INSTEAD: &str = "instead";

/// What is answered to `git-lfs-authenticate`, and what was asked.
const GRANT: &str = "grant";
const ASKED: &str = "asked";

/// A running server; ends when this is dropped.
pub(crate) struct SshServer {
    address: SocketAddr,
    user: String,
    folder: TempDir,
    task: JoinHandle<()>,
}

impl SshServer {
    pub(crate) async fn start() -> Self {
        // Nobody else needs it, and may not make it either.
        let _ = std::fs::create_dir_all(EMPTY);
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "user"] {
            generate_key(&folder.path().join(name));
        }
        let place = folder.path().display();
        let config = format!(
            "HostKey {place}/host\nAuthorizedKeysFile {place}/user.pub\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nAcceptEnv GIT_PROTOCOL\nPidFile none\n\
             LogLevel QUIET\nForceCommand sh {place}/command\n"
        );
        // Whatever is asked for is run, and what asks for large files is answered if there is an answer.
        let command = format!(
            "if [ -e {place}/{INSTEAD} ]; then . {place}/{INSTEAD}; fi\n\
             case \"$SSH_ORIGINAL_COMMAND\" in git-lfs-authenticate*)\n\
             if [ -e {place}/{GRANT} ]; then\n\
             echo \"$SSH_ORIGINAL_COMMAND\" >>{place}/{ASKED}; exec cat {place}/{GRANT}\nfi;; esac\n\
             exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n"
        );
        std::fs::write(folder.path().join("command"), command).unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &file);
            }
        });
        Self {
            address,
            user: output(Command::new("id").arg("-un")),
            folder,
            task,
        }
    }

    /// The URL of a repository of this machine.
    pub(crate) fn url(&self, repository: &Path) -> String {
        let path = repository.display();
        format!("ssh://{}@{}{path}", self.user, self.address)
    }

    /// Runs this from here on, whatever is asked for.
    pub(crate) fn runs(&self, script: &str) {
        std::fs::write(self.folder.path().join(INSTEAD), script).unwrap();
    }

    /// Answers so, from here on, to whoever asks where large files are.
    pub(crate) fn grants(&self, answer: &Value) {
        let place = self.folder.path().join(GRANT);
        let next = place.with_extension("next");
        std::fs::write(&next, answer.to_string()).unwrap();
        std::fs::rename(next, place).unwrap();
    }

    /// What was asked for and answered of large files, in order.
    pub(crate) fn granted(&self) -> Vec<String> {
        self.read(ASKED).lines().map(str::to_owned).collect()
    }

    /// The line of `known_hosts` for this server, and the one that it would be for another.
    pub(crate) fn known_host(&self) -> String {
        self.line(&self.read("host.pub"))
    }

    /// The line of `known_hosts` for a server that took this one's place.
    pub(crate) fn other_host(&self) -> String {
        self.line(&self.read("user.pub"))
    }

    /// The key that the user may log in with.
    pub(crate) fn key(&self) -> String {
        self.read("user")
    }

    /// A key of somebody else.
    pub(crate) fn other_key(&self) -> String {
        self.read("host")
    }

    fn line(&self, key: &str) -> String {
        format!("[127.0.0.1]:{} {key}", self.address.port())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Has one process answer one connection.
fn serve(stream: TcpStream, config: &Path) {
    let stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    let end = || Stdio::from(OwnedFd::from(stream.try_clone().unwrap()));
    let child = tokio::process::Command::new(PROGRAM)
        .args([PathBuf::from("-i").as_path(), Path::new("-f"), config])
        .stdin(end())
        .stdout(end())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut child = child.unwrap();
    tokio::spawn(async move { child.wait().await });
}

fn generate_key(file: &Path) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]);
    output(command.arg(file));
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
