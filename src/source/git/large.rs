//! Where the large files (git-lfs) of a repository are that is reached over ssh: its server says so,
//! and what to show there, when it is asked to run `git-lfs-authenticate`.
//!
//! The answer is a credential, and so it is in no error.

use std::{
    io::{self, Read},
    process::{Child, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use argosy_facts::Secret;

use super::ssh::{Ssh, TOLD, complaint, quoted};
use crate::child::ended;

/// How many bytes an answer may have.
const ANSWER: u64 = 64 * 1024;

/// The status of ssh where it did not come to run anything.
const NOT_CONNECTED: i32 = 255;

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It took longer than allowed.
    Timeout,
    /// The server is not reached, or does not let us in: what ssh says.
    Connection(String),
    /// The server does not run the command, or this ends with an error: what it says.
    Command(String),
    /// It says more than such an answer has.
    TooLong,
}

/// Asks the server of the repository at `url`, which is one of ssh.
pub(super) fn ask(ssh: &Ssh, url: &gix::Url, limit: Duration) -> Result<Secret, Failure> {
    let arguments = arguments(url).map_err(|why| Failure::Connection(why.to_owned()))?;
    let child = ssh
        .program()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.map_err(|error| {
        Failure::Connection(format!("cannot run ssh: {error}; install OpenSSH's client"))
    })?;
    answer(child, limit)
}

/// Where the large files are if the server does not say: beside a repository of the same name that
/// is reached over https.
pub(in crate::source) fn beside(url: &str) -> String {
    let Ok(url) = gix::url::parse(url) else {
        return String::new();
    };
    let path = url.path.to_string();
    let path = path.trim_matches('/');
    let name = path.strip_suffix(".git").unwrap_or(path);
    let host = url.host().unwrap_or_default();
    format!("https://{host}/{name}.git/info/lfs")
}

/// Whom to connect to, and what to run there. Nothing of the URL passes for an option of ssh or of
/// the command, or for more than one word.
fn arguments(url: &gix::Url) -> Result<Vec<String>, &'static str> {
    let path = gix::url::expand_path::for_shell(url.path.clone());
    let path = String::from_utf8(path.into()).map_err(|_| "its path is not UTF-8")?;
    if path.trim_start().starts_with('-') || path.is_empty() {
        return Err("its path starts with a dash, or there is none");
    }
    let host = url.host().filter(|host| !host.starts_with('-'));
    let host = host.ok_or("its host starts with a dash, or there is none")?;
    let place = match url.user() {
        Some(user) if user.starts_with('-') => return Err("its user starts with a dash"),
        Some(user) => format!("{user}@{host}"),
        None => host.to_owned(),
    };
    let port = url.port.map(|port| format!("-p{port}"));
    let command = format!("git-lfs-authenticate {} download", word(&path));
    Ok(port
        .into_iter()
        .chain(["--".to_owned(), place, command])
        .collect())
}

/// A word for the shell of the far side. What needs no quotes has none, because git-lfs never sets
/// any and not all servers take them away.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-~@+:,".contains(c);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// What a program prints that ends in time, and well.
fn answer(mut child: Child, limit: Duration) -> Result<Secret, Failure> {
    // One byte more than allowed tells that there is more.
    let output = collect(child.stdout.take(), ANSWER + 1);
    let complaints = collect(child.stderr.take(), TOLD);
    let status = ended(&mut child, limit);
    let output = output.join().unwrap_or_default();
    let complaints = complaints.join().unwrap_or_default();
    if output.len() as u64 > ANSWER {
        return Err(Failure::TooLong);
    }
    let cannot = |error: io::Error| Failure::Connection(format!("ssh did not end well: {error}"));
    let status = status.map_err(cannot)?.ok_or(Failure::Timeout)?;
    if status.success() {
        return Ok(Secret::new(String::from_utf8_lossy(&output)));
    }
    let said = complaint(&complaints).unwrap_or_else(|| status.to_string());
    Err(if status.code() == Some(NOT_CONNECTED) {
        Failure::Connection(said)
    } else {
        Failure::Command(said)
    })
}

/// Reads the beginning of what a program says, beside its run.
fn collect(pipe: Option<impl Read + Send + 'static>, limit: u64) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(pipe) = pipe {
            // What was said before it broke off is said.
            let _ = pipe.take(limit).read_to_end(&mut text);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn of(url: &str) -> Option<Vec<String>> {
        arguments(&gix::url::parse(url).ok()?).ok()
    }

    #[test]
    fn the_server_is_asked_as_git_lfs_asks() {
        for (url, words) in [
            (
                "git@git.example.com:org/app.git",
                &[
                    "--",
                    "git@git.example.com",
                    "git-lfs-authenticate org/app.git download",
                ][..],
            ),
            (
                "ssh://git@git.example.com:2222/org/app",
                &[
                    "-p2222",
                    "--",
                    "git@git.example.com",
                    "git-lfs-authenticate /org/app download",
                ],
            ),
            (
                "ssh://git.example.com/~ada/app",
                &[
                    "--",
                    "git.example.com",
                    "git-lfs-authenticate ~ada/app download",
                ],
            ),
        ] {
            assert_eq!(of(url).unwrap(), words, "{url}");
        }
    }

    /// CVE-2025-21613, CVE-2026-45570 and their like.
    #[test]
    fn nothing_of_a_url_is_an_option_or_a_command() {
        for bad in [
            "git@host:-oProxyCommand=x",
            "git@host: -x",
            "ssh://-x@host/app",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
        for (path, word) in [
            ("a b", "'a b'"),
            ("a;touch pwned", "'a;touch pwned'"),
            ("$(id)", "'$(id)'"),
            ("a'b", r"'a'\''b'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(super::word(path), word);
        }
    }

    #[test]
    fn where_large_files_are_if_nobody_says() {
        for url in [
            "git@git.example.com:org/app.git",
            "ssh://git@git.example.com:2222/org/app/",
        ] {
            assert_eq!(beside(url), "https://git.example.com/org/app.git/info/lfs");
        }
    }

    /// A program that does as a script of the shell says, in the place of ssh.
    fn run(script: &str, limit: Duration) -> Result<Secret, Failure> {
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.map_err(|error| Failure::Connection(error.to_string()))?;
        answer(child, limit)
    }

    #[test]
    fn an_answer_is_bounded_and_never_part_of_an_error() {
        let long = Duration::from_mins(1);
        assert_eq!(run("echo {}", long).unwrap().expose(), "{}\n");
        assert_eq!(
            run("echo s3cret; echo no >&2; exit 255", long),
            Err(Failure::Connection("no".to_owned()))
        );
        assert_eq!(
            run("echo s3cret; exit 127", long),
            Err(Failure::Command("exit status: 127".to_owned()))
        );
        assert_eq!(run("exec yes s3cret", long), Err(Failure::TooLong));
    }

    #[test]
    fn who_does_not_end_in_time_is_ended() {
        let late = run("exec sleep 600", Duration::from_millis(1));
        assert_eq!(late, Err(Failure::Timeout));
    }
}
