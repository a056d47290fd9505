//! Slash-separated paths, handled as texts.

use crate::funcs::FuncMap;

use super::args::text;

pub(super) fn register(m: &mut FuncMap) {
    m.add("base", "string", |a| Ok(base(text(a, 0)).into()));
    m.alias("base", &["osBase"]);
    m.add("dir", "string", |a| Ok(dir(text(a, 0)).into()));
    m.alias("dir", &["osDir"]);
    m.add("clean", "string", |a| Ok(clean(text(a, 0)).into()));
    m.alias("clean", &["osClean"]);
    m.add("ext", "string", |a| Ok(ext(text(a, 0)).into()));
    m.alias("ext", &["osExt"]);
    m.add("isAbs", "string", |a| {
        Ok(text(a, 0).starts_with('/').into())
    });
    m.alias("isAbs", &["osIsAbs"]);
}

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        "/"
    } else {
        trimmed.rsplit('/').next().unwrap_or(trimmed)
    }
}

fn dir(path: &str) -> String {
    clean(
        path.rfind('/')
            .and_then(|slash| path.get(..=slash))
            .unwrap_or_default(),
    )
}

/// The shortest equivalent path.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn ext(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.')
        .and_then(|dot| name.get(dot..))
        .unwrap_or_default()
}
