//! Checks that the hub reaches the world through its seams alone: outside of the files that make
//! them, nothing of it names a file, a socket, a program, a thread, the environment or the time.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

/// What is the hub: not the commands, the servers and the simulated parts around it.
const HUB: [&str; 8] = [
    "src/cluster",
    "src/controller",
    "src/executor",
    "src/fleet",
    "src/metrics",
    "src/scm",
    "src/source",
    "src/hub.rs",
];

/// The files below the seams.
const BELOW: [&str; 7] = [
    "src/cluster/connection.rs",
    "src/source/git/daemon.rs",
    "src/source/git/large.rs",
    "src/source/git/mirror.rs",
    "src/source/git/mirrors/leftovers.rs",
    "src/source/git/mirrors/mod.rs",
    "src/source/git/ssh.rs",
];

/// What leads past the seams.
const WAYS: [&str; 17] = [
    "Command::new",
    "Instant::now",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "Timestamp::now",
    "UdpSocket",
    "UnixStream",
    "Zoned::now",
    "env::var",
    "env::var_os",
    "fs::",
    "rand::",
    "reqwest::",
    "spawn_blocking",
    "tempfile::",
    "thread::",
];

/// The only maker of HTTP clients, and what speaks git's own protocol: they check every address that
/// they connect to.
const GUARDED: [&str; 2] = ["src/http/connection.rs", "src/source/git/daemon.rs"];

/// What makes an HTTP client or connects without one.
const CLIENTS: [&str; 5] = [
    "reqwest::",
    "TcpStream::connect",
    "client::legacy",
    "client::conn",
    "ureq::",
];

/// Parts that are no hub: the demo's and commands' own, on the machine of who runs them.
const COMMANDS: [&str; 3] = ["src/demo", "src/cli/demo", "crates/sim"];

/// Fails with every way past the seams.
pub(crate) fn check() -> anyhow::Result<()> {
    let mut found = Vec::new();
    for part in HUB {
        let mut seen = |shown: &str, text: &str| {
            if !BELOW.contains(&shown) {
                found.extend(ways(text).map(|(line, way)| format!("{shown}:{line}: {way}")));
            }
        };
        visit(&crate::root().join(part), part, &mut seen)?;
    }
    if !found.is_empty() {
        bail!(
            "these lead past `src/seams.rs`; what the hub needs of the world is a seam:\n{}",
            found.join("\n")
        );
    }
    for part in ["src", "crates", "generators/src"] {
        let mut seen = |shown: &str, text: &str| {
            if !GUARDED.contains(&shown) && !COMMANDS.iter().any(|part| shown.starts_with(part)) {
                found.extend(clients(text).map(|(line, way)| format!("{shown}:{line}: {way}")));
            }
        };
        visit(&crate::root().join(part), part, &mut seen)?;
    }
    if !found.is_empty() {
        bail!(
            "these connect past `{}`, which check the addresses:\n{}",
            GUARDED.join("` and `"),
            found.join("\n")
        );
    }
    Ok(())
}

/// What of a file's code makes HTTP clients, with the lines.
fn clients(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().enumerate().flat_map(|(number, line)| {
        let code = line.split("//").next().unwrap_or_default();
        let made = CLIENTS.iter().filter(move |way| names(code, way));
        made.map(move |way| (number + 1, *way)).collect::<Vec<_>>()
    })
}

fn visit(path: &Path, shown: &str, seen: &mut impl FnMut(&str, &str)) -> anyhow::Result<()> {
    let cannot = || format!("cannot read {shown}");
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(cannot)? {
            let entry = entry?;
            let name = entry.file_name();
            let shown = format!("{shown}/{}", name.to_string_lossy());
            visit(&entry.path(), &shown, seen)?;
        }
    } else if path.extension().is_some_and(|ending| ending == "rs")
        && !shown.ends_with("/tests.rs")
        && !shown.contains("/tests/")
    {
        seen(shown, &fs::read_to_string(path).with_context(cannot)?);
    }
    Ok(())
}

/// The ways past the seams in a file, with their lines. Its tests may take any, and time that a
/// simulation pauses is none.
fn ways(text: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let brings_paused = |line: &str| line.starts_with("use tokio::") && names(line, "Instant");
    let is_paused = text.lines().any(brings_paused) || text.contains("tokio::time::Instant");
    let lines = text.lines().enumerate();
    lines.flat_map(move |(number, line)| {
        let code = line.split("//").next().unwrap_or_default();
        let taken = WAYS
            .iter()
            .filter(move |way| names(code, way) && !(is_paused && **way == "Instant::now"));
        taken.map(move |way| (number + 1, *way)).collect::<Vec<_>>()
    })
}

/// Whether code names something, and not only what ends alike.
fn names(code: &str, way: &str) -> bool {
    code.match_indices(way).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|one| one.is_alphanumeric() || one == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_found_wherever_they_are_made() {
        let text = "let client = reqwest::Client::new();\n// reqwest::get\nuse gix_reqwest::Options;\n\
                    #[cfg(test)]\nreqwest::get";
        assert_eq!(clients(text).collect::<Vec<_>>(), [(1, "reqwest::")]);
    }

    #[test]
    fn ways_past_the_seams_are_found_and_nothing_else() {
        let text = "use std::fs;\nfn f() { fs::read(\"x\"); }\n// fs::read\nfn g() { refs::all() }\n\
                    #[cfg(test)]\nfs::read";
        assert_eq!(ways(text).collect::<Vec<_>>(), [(2, "fs::")]);
        let clock = "let now = Instant::now();";
        assert_eq!(ways(clock).count(), 1);
        assert_eq!(
            ways(&format!("use tokio::time::Instant;\n{clock}")).count(),
            0
        );
    }
}
