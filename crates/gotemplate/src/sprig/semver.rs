//! Version constraints as Masterminds/semver understands them: `^1.2`, `~1`, `1.x`, `>=1, <2 || 3 - 4`.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};

use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::value::Value;

use super::args::{fail, text};
use super::version::{SUFFIX, Version, compare_prerelease};

pub(super) fn register(m: &mut FuncMap) {
    m.add("semver", "string", |a| {
        Ok(Value::Opaque(Arc::new(Version::parse(text(a, 0))?)))
    });
    m.add("semverCompare", "string,string", |a| {
        let any = parse(text(a, 0))?;
        let version = Version::parse(text(a, 1))?;
        Ok(any
            .iter()
            .any(|all| all.iter().all(|c| c.accepts(&version)))
            .into())
    });
}

const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";

struct Patterns {
    range: Regex,
    valid: Regex,
    find: Regex,
    one: Regex,
}

fn patterns() -> Result<&'static Patterns, FuncError> {
    static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
        let version = format!(r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?{SUFFIX}");
        let one = format!(r"({OPERATORS})\s*({version})");
        Some(Patterns {
            range: Regex::new(&format!(r"\s*({version})\s+-\s+({version})\s*")).ok()?,
            valid: Regex::new(&format!(r"^(\s*{one}\s*)((?:\s+|,\s*){one}\s*)*$")).ok()?,
            find: Regex::new(&one).ok()?,
            one: Regex::new(&format!(r"^\s*{one}\s*$")).ok()?,
        })
    });
    PATTERNS
        .as_ref()
        .ok_or_else(|| FuncError::new("version constraints are not available"))
}

/// Alternatives of constraints that must all hold.
fn parse(constraint: &str) -> Result<Vec<Vec<Constraint>>, FuncError> {
    let patterns = patterns()?;
    let part = |found: &Captures<'_>, i: usize| {
        found
            .get(i)
            .map_or(String::new(), |m| m.as_str().to_owned())
    };
    let rewritten = patterns
        .range
        .replace_all(constraint, |found: &Captures<'_>| {
            format!(">= {}, <= {} ", part(found, 1), part(found, 11))
        });
    rewritten
        .split("||")
        .map(|alternative| {
            if !patterns.valid.is_match(alternative) {
                return fail(format!("improper constraint: {alternative}"));
            }
            patterns
                .find
                .find_iter(alternative)
                .map(|found| Constraint::parse(found.as_str()))
                .collect()
        })
        .collect()
}

/// Which parts of a constraint's version are given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    All,
    MajorMinor,
    Major,
    Nothing,
}

struct Constraint {
    operator: String,
    version: Version,
    given: Given,
}

fn is_open(part: &str) -> bool {
    matches!(part.trim_start_matches('.'), "" | "x" | "X" | "*")
}

impl Constraint {
    fn parse(constraint: &str) -> Result<Self, FuncError> {
        let Some(found) = patterns()?.one.captures(constraint) else {
            return fail(format!("improper constraint: {constraint}"));
        };
        let part = |i: usize| found.get(i).map_or("", |m| m.as_str());
        let (major, minor, patch, pre) = (part(3), part(4), part(5), part(6));
        let (given, text) = if is_open(major) {
            (Given::Nothing, format!("0.0.0{pre}"))
        } else if is_open(minor) {
            (Given::Major, format!("{major}.0.0{pre}"))
        } else if is_open(patch) {
            (Given::MajorMinor, format!("{major}{minor}.0{pre}"))
        } else {
            (Given::All, part(2).to_owned())
        };
        let version = Version::parse(&text).or_else(|_| fail("constraint Parser Error"))?;
        Ok(Self {
            operator: part(1).to_owned(),
            version,
            given,
        })
    }

    fn accepts(&self, v: &Version) -> bool {
        let c = &self.version;
        let open = self.given != Given::All;
        if self.operator == "!=" {
            return self.differs(v);
        }
        // Prereleases count only where the constraint names one.
        if !v.pre.is_empty() && c.pre.is_empty() {
            return false;
        }
        match self.operator.as_str() {
            ">" => self.exceeded_by(v),
            "<" => v < c,
            ">=" | "=>" => v >= c,
            "<=" | "=<" if !open => v <= c,
            "<=" | "=<" => {
                v.major < c.major
                    || v.major == c.major && (v.minor <= c.minor || self.given == Given::Major)
            }
            "~" | "~>" => self.tilde(v),
            "^" => self.caret(v),
            _ if open => self.tilde(v),
            _ => v.cmp(c) == Ordering::Equal,
        }
    }

    fn differs(&self, v: &Version) -> bool {
        let c = &self.version;
        if self.given == Given::All {
            return v.cmp(c) != Ordering::Equal;
        }
        if !v.pre.is_empty() && c.pre.is_empty() {
            return false;
        }
        if c.major != v.major {
            return true;
        }
        match self.given {
            Given::Major => false,
            _ if c.minor != v.minor => true,
            Given::MajorMinor => {
                (!v.pre.is_empty() || !c.pre.is_empty())
                    && compare_prerelease(&v.pre, &c.pre) != Ordering::Equal
            }
            _ => c.patch != v.patch || v.cmp(c) != Ordering::Equal,
        }
    }

    fn exceeded_by(&self, v: &Version) -> bool {
        let c = &self.version;
        if self.given == Given::All || v.major != c.major {
            return if self.given == Given::All {
                v > c
            } else {
                v.major > c.major
            };
        }
        match self.given {
            Given::Major => false,
            Given::MajorMinor => v.minor > c.minor,
            _ => v > c,
        }
    }

    fn tilde(&self, v: &Version) -> bool {
        let c = &self.version;
        if v < c {
            return false;
        }
        let zero = (c.major, c.minor, c.patch) == (0, 0, 0);
        if zero && matches!(self.given, Given::All | Given::Nothing) {
            return true;
        }
        v.major == c.major && (v.minor == c.minor || self.given == Given::Major)
    }

    fn caret(&self, v: &Version) -> bool {
        let c = &self.version;
        if v < c {
            return false;
        }
        if c.major > 0 || self.given == Given::Major {
            return v.major == c.major;
        }
        if v.major > 0 {
            return false;
        }
        if c.minor > 0 || self.given == Given::MajorMinor {
            return v.minor == c.minor;
        }
        v.minor == 0 && c.patch == v.patch
    }
}
