//! Semantic versions as Masterminds/semver reads them: a leading `v`, and minor and patch may lack.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;

use crate::error::FuncError;
use crate::value::{Opaque, Value};

use super::args::{fail, text};

pub(super) const SUFFIX: &str =
    r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";

/// A version.
#[derive(Clone, Debug, Default)]
pub(super) struct Version {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    pub(super) pre: String,
    pub(super) metadata: String,
    original: String,
    /// Whether it is the plain struct that `IncMajor` and the like give, which lacks the pointer's methods.
    plain: bool,
}

impl Version {
    pub(super) fn parse(text: &str) -> Result<Self, FuncError> {
        static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(&format!(r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?{SUFFIX}$")).ok()
        });
        let Some(found) = PATTERN.as_ref().and_then(|p| p.captures(text)) else {
            return fail("Invalid Semantic Version");
        };
        let part = |i: usize| found.get(i).map_or("", |m| m.as_str());
        let number = |i: usize| match part(i).trim_start_matches('.') {
            "" => Ok(0),
            digits => digits
                .parse()
                .or_else(|error| fail(format!("Error parsing version segment: {error}"))),
        };
        let version = Self {
            major: number(1)?,
            minor: number(2)?,
            patch: number(3)?,
            pre: part(5).to_owned(),
            metadata: part(8).to_owned(),
            original: text.to_owned(),
            plain: false,
        };
        check_prerelease(&version.pre)?;
        Ok(version)
    }

    fn next(&self, major: u64, minor: u64, patch: u64) -> Value {
        let mut next = Self {
            major,
            minor,
            patch,
            plain: true,
            ..Self::default()
        };
        let v = if self.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        next.original = format!("{v}{}", next.text());
        Value::Opaque(std::sync::Arc::new(next))
    }

    fn with(&self, pre: &str, metadata: &str) -> Value {
        let mut next = Self {
            pre: pre.to_owned(),
            metadata: metadata.to_owned(),
            plain: true,
            ..self.clone()
        };
        let v = if self.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        next.original = format!("{v}{}", next.text());
        Value::Opaque(std::sync::Arc::new(next))
    }
}

/// Numeric parts must not start with a zero.
fn check_prerelease(pre: &str) -> Result<(), FuncError> {
    let numeric = |p: &str| p.bytes().all(|b| b.is_ascii_digit());
    if pre
        .split('.')
        .any(|p| numeric(p) && p.len() > 1 && p.starts_with('0'))
    {
        return fail("Version segment starts with 0");
    }
    Ok(())
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_prerelease(&self.pre, &other.pre))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A version without a prerelease comes after all that have one.
pub(super) fn compare_prerelease(a: &str, b: &str) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return b.len().min(1).cmp(&a.len().min(1));
    }
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl Opaque for Version {
    fn type_name(&self) -> &'static str {
        if self.plain {
            "semver.Version"
        } else {
            "*semver.Version"
        }
    }

    fn kind(&self) -> &'static str {
        if self.plain { "struct" } else { "ptr" }
    }

    fn text(&self) -> String {
        let mut text = format!("{}.{}.{}", self.major, self.minor, self.patch);
        if !self.pre.is_empty() {
            text = format!("{text}-{}", self.pre);
        }
        if !self.metadata.is_empty() {
            text = format!("{text}+{}", self.metadata);
        }
        text
    }

    fn member(&self, name: &str, args: &[Value]) -> Option<Result<Value, FuncError>> {
        let other = |order: fn(Ordering) -> bool| match args {
            [other] => match other.downcast::<Self>() {
                Some(other) => Ok(order(self.cmp(other)).into()),
                None => fail(format!(
                    "wrong type for value; expected *semver.Version; got {}",
                    other.type_name()
                )),
            },
            _ => fail(format!(
                "wrong number of args for {name}: want 1 got {}",
                args.len()
            )),
        };
        if args.is_empty() {
            return Some(Ok(match name {
                "Major" => Value::Uint(self.major),
                "Minor" => Value::Uint(self.minor),
                "Patch" => Value::Uint(self.patch),
                "Prerelease" => self.pre.as_str().into(),
                "Metadata" => self.metadata.as_str().into(),
                "Original" if !self.plain => self.original.as_str().into(),
                "String" => self.text().into(),
                "IncMajor" => self.next(self.major.wrapping_add(1), 0, 0),
                "IncMinor" => self.next(self.major, self.minor.wrapping_add(1), 0),
                "IncPatch" if self.pre.is_empty() => {
                    self.next(self.major, self.minor, self.patch.wrapping_add(1))
                }
                "IncPatch" => self.next(self.major, self.minor, self.patch),
                _ => return None,
            }));
        }
        if self.plain && !matches!(name, "SetPrerelease" | "SetMetadata") {
            return None;
        }
        Some(match name {
            "LessThan" => other(Ordering::is_lt),
            "LessThanEqual" => other(Ordering::is_le),
            "GreaterThan" => other(Ordering::is_gt),
            "GreaterThanEqual" => other(Ordering::is_ge),
            "Equal" => other(Ordering::is_eq),
            "Compare" => match args.first().and_then(|v| v.downcast::<Self>()) {
                Some(other) => Ok(Value::Int(self.cmp(other) as i64)),
                None => fail("wrong type for value; expected *semver.Version"),
            },
            "SetPrerelease" => {
                check_prerelease(text(args, 0)).map(|()| self.with(text(args, 0), &self.metadata))
            }
            "SetMetadata" => Ok(self.with(&self.pre, text(args, 0))),
            _ => return None,
        })
    }
}
