//! Git servers and repositories that mean harm, by the ids of what they did to others.

use std::{
    collections::BTreeSet,
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};

use super::*;

/// A server of git's own protocol that says what it is told to.
struct Server {
    url: String,
    pack: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    /// Serves these refs, and the same pack to whoever fetches.
    fn serve(refs: &[(&str, &Sha)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("git://{}/app", listener.local_addr().unwrap());
        let pack = Arc::<Mutex<Vec<u8>>>::default();
        let refs: String = refs
            .iter()
            .map(|(name, sha)| packet(format!("{sha} {name}\n").as_bytes()))
            .collect();
        let served = Arc::clone(&pack);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Who breaks off has heard enough.
                let _ = stream.and_then(|stream| converse(stream, &refs, &served));
            }
        });
        Self { url, pack }
    }

    fn repository(&self) -> Repository {
        Repository::public(&self.url)
    }
}

/// Answers one client by version 2 of the protocol.
fn converse(mut stream: TcpStream, refs: &str, pack: &Mutex<Vec<u8>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Which repository is asked for.
    line(&mut stream)?;
    let abilities = [
        "version 2\n",
        "ls-refs\n",
        "fetch=shallow\n",
        "object-format=sha1\n",
    ];
    let abilities = abilities.map(|ability| packet(ability.as_bytes()));
    stream.write_all(format!("{}0000", abilities.concat()).as_bytes())?;
    loop {
        let mut asked = Vec::new();
        while let Some(line) = line(&mut stream)? {
            asked.push(String::from_utf8_lossy(&line).into_owned());
        }
        let mut answer = Vec::new();
        if asked.iter().any(|line| line.starts_with("command=ls-refs")) {
            answer.extend(refs.as_bytes());
        } else {
            answer.extend(packet(b"packfile\n").as_bytes());
            for part in lock(pack).chunks(1000) {
                answer.extend(format!("{:04x}\x01", part.len() + 5).as_bytes());
                answer.extend(part);
            }
        }
        answer.extend(b"0000");
        stream.write_all(&answer)?;
    }
}

fn packet(line: &[u8]) -> String {
    format!("{:04x}{}", line.len() + 4, String::from_utf8_lossy(line))
}

/// The next line of a client; `None` at the end of a request.
fn line(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = std::str::from_utf8(&length).map_err(io::Error::other)?;
    let length = usize::from_str_radix(length, 16).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(None);
    }
    let mut line = vec![0; length.saturating_sub(4)];
    stream.read_exact(&mut line)?;
    Ok(Some(line))
}

/// All objects of a repository.
fn packed(origin: &Origin) -> Vec<u8> {
    origin.git(&["pack-objects", "-q", "--all", "all"]);
    let mut files = fs::read_dir(origin.folder.path())
        .unwrap()
        .map(Result::unwrap);
    let pack = files.find(|file| file.path().extension().is_some_and(|kind| kind == "pack"));
    fs::read(pack.unwrap().path()).unwrap()
}

/// A pack whose checksum is right, whatever else it is.
fn summed(body: &[u8]) -> Vec<u8> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(body);
    [body, hasher.try_finalize().unwrap().as_slice()].concat()
}

/// An entry of a pack: its kind and size, what stands between that and its content, and this.
fn entry(kind: u8, size: u64, between: &[u8], content: &[u8]) -> Vec<u8> {
    let mut rest = size >> 4;
    let low = u8::try_from(size & 15).unwrap();
    let mut head = vec![kind << 4 | low | if rest > 0 { 128 } else { 0 }];
    if rest > 0 {
        head.extend(number(&mut rest));
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    [head.as_slice(), between, &encoder.finish().unwrap()].concat()
}

/// A number of as many bytes as it takes, the lowest first.
fn number(rest: &mut u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(*rest & 127).unwrap();
        *rest >>= 7;
        bytes.push(if *rest > 0 { low | 128 } else { low });
        if *rest == 0 {
            return bytes;
        }
    }
}

fn head(objects: u32) -> Vec<u8> {
    [b"PACK".as_slice(), &[0, 0, 0, 2], &objects.to_be_bytes()].concat()
}

/// Every file below a folder with its content, but for git's objects.
fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let mut all = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            let content = fs::read(&path).unwrap();
            all.insert((path, content));
        } else if !path.ends_with("objects") {
            all.extend(files(&path));
        }
    }
    all
}

/// CVE-2026-25934, GHSA-w5pp-99ch-qj29.
#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_not_what_it_should_be_gives_an_error_and_no_other_content() {
    let origin = Origin::new();
    let sha = origin.write("a.yaml", "a: 1\n").commit("first");
    let whole = packed(&origin);
    let body = &whole[..whole.len() - 20];
    let server = Server::serve(&[("HEAD", &sha), ("refs/heads/main", &sha)]);
    let (data, repository) = (tempfile::tempdir().unwrap(), server.repository());
    let sources = sources(&data);
    let read = async |pack: Vec<u8>| {
        *lock(&server.pack) = pack;
        let tree = sources.tree(&repository, &sha).await?;
        Ok::<_, SourceError>(tree.read(&path("a.yaml")).unwrap())
    };
    let mut broken = vec![
        Vec::new(),
        whole[..whole.len() / 2].to_vec(),
        body.to_vec(),
        summed(&[&head(1), &body[12..]].concat()),
        summed(&[&head(9), &body[12..]].concat()),
    ];
    for place in (0..whole.len()).step_by(whole.len() / 6) {
        let mut changed = whole.clone();
        changed[place] ^= 0x55;
        broken.push(summed(&changed[..body.len()]));
        broken.push(changed);
    }
    // The checksum that is changed alone is that of the whole pack again.
    broken.retain(|pack| *pack != whole);
    assert!(broken.len() > 12);
    for pack in broken {
        let error = read(pack).await.unwrap_err();
        assert!(error.to_string().contains(&server.url), "{error}");
    }
    assert_eq!(read(whole.clone()).await.unwrap(), b"a: 1\n");
}

/// CVE-2023-49568, CVE-2025-21614: what is announced costs no memory.
#[tokio::test(flavor = "multi_thread")]
async fn objects_that_are_announced_as_enormous_are_refused() {
    let sha = Sha::parse(&"1".repeat(40)).unwrap();
    let server = Server::serve(&[("refs/heads/main", &sha)]);
    let (data, repository) = (tempfile::tempdir().unwrap(), server.repository());
    let sources = sources(&data);
    let base = entry(3, 1, &[], b"x");
    // Two sizes, that of the base and of the result, and one byte to insert.
    let delta = [&number(&mut 1)[..], &number(&mut (1 << 30)), &[1, b'y']].concat();
    let back = [u8::try_from(base.len()).unwrap()];
    let delta = entry(6, delta.len() as u64, &back, &delta);
    for (pack, why) in [
        (
            [head(2), base, delta].concat(),
            "too large to fit in memory",
        ),
        (
            [head(u32::MAX), entry(3, 1, &[], b"x")].concat(),
            "too large to fit in memory",
        ),
        ([head(1), entry(3, 1 << 60, &[], b"x")].concat(), ""),
    ] {
        *lock(&server.pack) = summed(&pack);
        let error = sources.tree(&repository, &sha).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// CVE-2026-71557.
#[tokio::test(flavor = "multi_thread")]
async fn a_ref_with_a_name_that_climbs_is_written_nowhere() {
    let origin = Origin::new();
    let sha = origin.write("a.yaml", "a: 1\n").commit("first");
    let server = Server::serve(&[
        ("HEAD", &sha),
        ("refs/heads/../../config", &sha),
        ("refs/heads/../../../../outside", &sha),
        ("refs/heads/.lock", &sha),
        ("refs/tags/..", &sha),
        ("refs/heads/main", &sha),
    ]);
    *lock(&server.pack) = packed(&origin);
    let (data, repository) = (tempfile::tempdir().unwrap(), server.repository());
    let sources = sources(&data);
    let listed = sources.resolve(&repository, "main").await;
    let before = files(data.path());
    // What is on no ref is looked for among all of them.
    let missing = Sha::parse(&"1".repeat(40)).unwrap();
    sources.tree(&repository, &missing).await.unwrap_err();
    let is_ref = |path: &Path| path.components().any(|part| part.as_os_str() == "refs");
    for (path, _) in files(data.path()).difference(&before) {
        let is_packed = path.ends_with("packed-refs");
        assert!(is_packed || is_ref(path), "{}", path.display());
        assert!(
            !path.to_string_lossy().contains("outside"),
            "{}",
            path.display()
        );
    }
    if let Ok(listed) = listed {
        assert_eq!(listed.sha, sha);
    }
}

/// Commits a tree that git itself would not make.
fn commit_of(origin: &Origin, entries: &[(&str, &str, &str)]) -> Sha {
    let mut tree = Vec::new();
    for (mode, name, id) in entries {
        tree.extend(format!("{mode} {name}\0").as_bytes());
        tree.extend(gix::ObjectId::from_hex(id.as_bytes()).unwrap().as_slice());
    }
    let tree = stored(origin, "tree", &tree);
    Sha::parse(&origin.git(&["commit-tree", &tree, "-m", "made"])).unwrap()
}

/// Stores an object that git itself would not make.
fn stored(origin: &Origin, kind: &str, content: &[u8]) -> String {
    let file = origin.folder.path().join("object");
    fs::write(&file, content).unwrap();
    origin.git(&["hash-object", "-w", "--literally", "-t", kind, "object"])
}

/// CVE-2023-49569, CVE-2024-35186, CVE-2026-45571: names that git checks out nowhere are an error, for
/// whoever walks the tree or asks for a file.
#[tokio::test]
async fn a_tree_with_names_that_lie_elsewhere_is_not_read() {
    let origin = Origin::new();
    let blob = stored(&origin, "blob", b"a: 1\n");
    for name in ["..", ".", ".git", ".GIT", "a/b", "../../x", "/etc"] {
        let sha = commit_of(&origin, &[("100644", name, &blob), ("100644", "z", &blob)]);
        origin.git(&["update-ref", "refs/heads/main", sha.as_str()]);
        let data = tempfile::tempdir().unwrap();
        let tree = sources(&data)
            .tree(&origin.repository(), &sha)
            .await
            .unwrap();
        let error = tree.files().unwrap_err().to_string();
        assert!(error.contains("checks out nowhere"), "{error}");
        assert!(tree.read(&path("z")).is_err(), "{name}");
        assert!(tree.list(&TreePath::root()).is_err(), "{name}");
    }
}

/// GHSA-w5pp-99ch-qj29: directories in directories that exhaust a stack.
#[tokio::test]
async fn a_tree_that_is_nested_without_end_is_an_error() {
    let origin = Origin::new();
    origin
        .write(&format!("{}z", "d/".repeat(300)), "")
        .commit("deep");
    let data = tempfile::tempdir().unwrap();
    let (sources, repository) = (sources(&data), origin.repository());
    let sha = sources.resolve(&repository, "main").await.unwrap().sha;
    let tree = sources.tree(&repository, &sha).await.unwrap();
    for error in [tree.files().err(), tree.directories().err()] {
        assert!(error.unwrap().to_string().contains("256 deep"));
    }
}

/// CVE-2026-45022: a commit means what it means to git, or nothing, and what is signed of it are its
/// own bytes. One that means nothing keeps no other away.
#[tokio::test]
async fn a_commit_with_two_trees_is_not_read_and_what_is_signed_is_what_is_stored() {
    let origin = Origin::new();
    let (a, b) = (origin.commit("a"), origin.write("b", "").commit("b"));
    let tree = |sha: &Sha| origin.git(&["rev-parse", &format!("{sha}^{{tree}}")]);
    let (first, second) = (tree(&a), tree(&b));
    let ada = "author Ada <ada@example.com> 1 +0000\ncommitter Ada <ada@example.com> 1 +0000\n";
    let repository = origin.repository();
    let pushed = |content: &str| {
        let id = stored(&origin, "commit", content.as_bytes());
        origin.git(&["update-ref", "refs/heads/main", &id]);
        Sha::parse(&id).unwrap()
    };
    let data = tempfile::tempdir().unwrap();
    let sources = sources(&data);
    let two = pushed(&format!("tree {first}\ntree {second}\n{ada}\ntwo\n"));
    assert!(sources.tree(&repository, &two).await.is_err());
    assert!(sources.signed(&repository, &two).await.is_err());

    let before = format!("tree {second}\n{ada}odd  header \n");
    let after = "\nsigned\n\ngpgsig no header\n";
    let odd = pushed(&format!("{before}gpgsig -----BEGIN\n -----END\n{after}"));
    let signed = sources.signed(&repository, &odd).await.unwrap().unwrap();
    assert_eq!(signed.content, format!("{before}{after}").as_bytes());
    assert_eq!(signed.signature, b"-----BEGIN\n-----END\n");
}

/// RUSTSEC-2025-0021: a chosen-prefix collision of SHA-1 (the first of the two messages of
/// <https://sha-mbles.github.io>) is found where objects get their ids.
#[test]
fn an_object_that_collides_with_another_gets_no_id() {
    let message = STANDARD.decode(COLLIDING).unwrap();
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&message);
    let error = hasher.try_finalize().unwrap_err().to_string();
    assert!(error.contains("collision"), "{error}");
}

const COLLIDING: &str = concat!(
    "mQQNBH/oF4ABIAD/S2V5IGlzIHBhcnQgb2YgYSBjb2xsaXNpb24hIEl0J3MgYSB0cmFwIXnGGvCvzAVFFdknTnMHYksd",
    "x/sjmIu43otXXbp7nqsxwWdLbZdDeKgncy/1hRx2ouYHcrWkfOHqxAu5k8EtjHDiSk+NX83twbMsnPGeMa8kKXWdQuTf",
    "2zFxn1h2I+5VKTm23NxFn8pTVTtw+H7eMKJH6jr2x1mi8gsyDXYNtk/0eQhP08yzzdSDYtlqnEMGF8r/bDbGN+U/3ihB",
    "f2Jv7FTteUOkbl9XMPK7OPsd9uAJABDQDiSteL+SZBmTYI6NFYp4nzTEb+HmAn81pMv7gnB2xQ7KDot8ymm7LCt5Aln5",
    "v5Vw3Y1EN6MRX6/3w8rAmtJSZgVcJxBHVReOrv+CWiyqKs+13mTOdkHcWaVBqfycdWdW4uI9xxPIwkyXkKprDjin9V8U",
    "RSocooUN3ZVi/ZoYrUJJaqlwCPdGcvaO9GHriLCZM9YmtPkYdJzAJ/3dbEJfxCFoNdATTRUoW6sst4Sk98u0+1FNS/D2",
    "I3zwCp6fEyuaBm5v0X9sQph0eFhv9lGvlnR/tCa5hyuaiOQGP1m7M0zABlD4OoDEJ1G3GXTTAPwoGaLo8eMsG1HLGOa/",
    "xNubrvZ11Kr1sVdKBH+PbdLsFTqTQSKTl02Sj4jO2TY8/vl84udCvzTJa47zh1Z2/qXMqOX33qC6skE9TeAO5x7gHxYr",
    "220er9kl5q66rmo1TvF88gWkBPvbEvxFTUH92VzyRZZkoq0DLR2mCnMmQHXX8eDWwUA656DYYd8/5XBxiN1eB9FYm5+L",
    "ZjBVP4/DUrPgwn2oC926TGQCDQ==",
);
