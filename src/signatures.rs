//! The seam below signatures of commits: the program `gpg`, each time with a keyring of its own that
//! holds the keys of `argocd-gpg-keys-cm` and nothing else.
//!
//! No key of the machine or of its user is seen, none is fetched, and a signature that `gpg` does not
//! call good in so many words is none.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fmt,
    io::{self, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use argosy_engine::project::Signature;

use crate::child::ended;

/// How long `gpg` may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many bytes a signature may have; they have about a thousand.
const SIZE: usize = 64 * 1024;

/// What somebody has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// All of it but the signature.
    pub content: Vec<u8>,
    /// The signature, armored.
    pub signature: Vec<u8>,
}

/// Checks signatures.
#[derive(Clone)]
pub struct Signatures(Arc<Check>);

type Check = dyn Fn(&Signed, &BTreeMap<String, String>) -> Result<Signature, String> + Send + Sync;

impl Signatures {
    /// By the program `gpg`.
    pub fn gpg() -> Self {
        Self::from_fn(check)
    }

    /// By `check`, which gets the keys by their ids; its error says why it cannot tell.
    pub fn from_fn(
        check: impl Fn(&Signed, &BTreeMap<String, String>) -> Result<Signature, String>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(check))
    }

    /// Whether one of the keys has made the signature. Blocks for as long as a program runs.
    pub(crate) fn check(
        &self,
        signed: &Signed,
        keys: &BTreeMap<String, String>,
    ) -> Result<Signature, String> {
        (self.0)(signed, keys)
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signatures")
    }
}

fn check(signed: &Signed, keys: &BTreeMap<String, String>) -> Result<Signature, String> {
    if signed.signature.len() > SIZE {
        return Ok(Signature::Bad(format!("it has more than {SIZE} bytes")));
    }
    if keys.is_empty() {
        let why = "the ConfigMap argocd-gpg-keys-cm holds no key";
        return Ok(Signature::Bad(why.to_owned()));
    }
    let cannot = |error: io::Error| format!("cannot write down what is signed: {error}");
    // Only its owner can look into it, as `gpg` wants it.
    let folder = tempfile::tempdir().map_err(cannot)?;
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).map_err(cannot)?;
        Ok::<_, String>(path)
    };
    let all: Vec<_> = keys.values().map(String::as_str).collect();
    let all = write("keys", all.join("\n").as_bytes())?;
    run(folder.path(), &["--import".as_ref(), all.as_ref()])?;
    let content = write("content", &signed.content)?;
    let signature = write("signature", &signed.signature)?;
    let verify = [
        "--verify".as_ref(),
        signature.as_os_str(),
        content.as_os_str(),
    ];
    Ok(verdict(&run(folder.path(), &verify)?))
}

/// What `gpg` tells programs, whatever it thinks of its task.
fn run(home: &Path, arguments: &[&OsStr]) -> Result<String, String> {
    let child = Command::new("gpg")
        .args(["--batch", "--no-tty", "--no-options", "--no-autostart"])
        .args(["--no-auto-key-retrieve", "--trust-model", "always"])
        .args(["--status-fd", "1", "--homedir"])
        .arg(home)
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let child = child.map_err(|error| {
        format!("cannot run gpg: {error}; install it (Debian package gpg) where the hub runs")
    })?;
    said(child).map_err(|error| format!("gpg did not come to its end: {error}"))
}

/// What a program prints, which fits into a pipe, if it ends in time.
fn said(mut child: Child) -> io::Result<String> {
    if ended(&mut child, PATIENCE)?.is_none() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut text = Vec::new();
    if let Some(output) = &mut child.stdout {
        output.read_to_end(&mut text)?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What the lines of `--status-fd` say of one signature.
fn verdict(status: &str) -> Signature {
    let lines = status
        .lines()
        .filter_map(|line| line.strip_prefix("[GNUPG:] "));
    let lines: Vec<Vec<_>> = lines.map(|line| line.split(' ').collect()).collect();
    let find = |word: &str| lines.iter().find(|line| line[0] == word);
    let bad = |why: &str| Signature::Bad(why.to_owned());
    for (word, why) in [
        ("BADSIG", "it is not of this commit"),
        ("EXPSIG", "it has expired"),
        ("EXPKEYSIG", "its key has expired"),
        ("REVKEYSIG", "its key was revoked"),
    ] {
        if find(word).is_some() {
            return bad(why);
        }
    }
    if let Some(missing) = find("NO_PUBKEY") {
        let key = missing.get(1).copied().unwrap_or_default();
        return bad(&format!(
            "it is made with key {key}, which the ConfigMap argocd-gpg-keys-cm does not hold"
        ));
    }
    if lines.iter().filter(|line| line[0] == "NEWSIG").count() > 1 {
        return bad("there is more than one");
    }
    match (find("GOODSIG"), find("VALIDSIG")) {
        (Some(_), Some(valid)) => {
            // Its own key, and the one that this belongs to.
            let keys = [valid.get(1), valid.get(10)];
            let keys = keys.into_iter().flatten().map(|key| (*key).to_owned());
            Signature::Good(keys.collect())
        }
        _ => bad("gpg cannot read it as an OpenPGP signature"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 89ABCDEF01234567 Ada <ada@example.com>\n\
        [GNUPG:] VALIDSIG AAAA 2026-01-01 1767225600 0 4 0 22 10 00 BBBB\n";

    #[test]
    fn only_what_gpg_calls_good_is() {
        let keys = ["AAAA", "BBBB"].map(str::to_owned).to_vec();
        assert_eq!(verdict(GOOD), Signature::Good(keys));
        for more in [
            "[GNUPG:] BADSIG 1 x",
            "[GNUPG:] EXPSIG 1 x",
            "[GNUPG:] EXPKEYSIG 1 x",
            "[GNUPG:] REVKEYSIG 1 x",
            "[GNUPG:] NO_PUBKEY 1",
            "[GNUPG:] NEWSIG",
        ] {
            let verdict = verdict(&format!("{GOOD}{more}\n"));
            assert!(matches!(verdict, Signature::Bad(_)), "{more}");
        }
        for half in ["", "[GNUPG:] GOODSIG 1 x\n", "GOODSIG 1 x\nVALIDSIG 1\n"] {
            assert!(matches!(verdict(half), Signature::Bad(_)), "{half}");
        }
    }
}
