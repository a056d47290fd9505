//! Version constraints as Argo CD reads them in `targetRevision`.
//!
//! Alternatives are separated by `||`, conditions that must all hold by a comma or a blank; there
//! are comparisons, hyphen ranges, `~` and `^`, and `x` or `*` for any number. Pre-releases satisfy
//! only a condition that names a pre-release itself.

use std::cmp::Ordering;

/// A version: up to three numbers, a pre-release and ignored build metadata; a leading `v` is fine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    pre: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    // Numbers sort below words, as the specification of semantic versions says.
    Number(u64),
    Word(String),
}

impl Version {
    /// Reads `1`, `v1.2`, `1.2.3-rc.1+build`; `None` if it is not a version.
    pub fn parse(text: &str) -> Option<Self> {
        let partial = Partial::parse(text)?;
        (partial.given > 0 && !partial.wildcard).then_some(Self {
            numbers: partial.numbers,
            pre: partial.pre,
        })
    }

    /// Whether it has a pre-release part.
    pub fn is_prerelease(&self) -> bool {
        !self.pre.is_empty()
    }

    fn new(numbers: [u64; 3]) -> Self {
        Self {
            numbers,
            pre: Vec::new(),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let pre = match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => self.pre.cmp(&other.pre),
        };
        self.numbers.cmp(&other.numbers).then(pre)
    }
}

/// A version of which the last numbers may be missing or wild.
#[derive(Clone, Debug)]
struct Partial {
    numbers: [u64; 3],
    /// How many numbers were given before the first missing or wild one.
    given: usize,
    wildcard: bool,
    pre: Vec<Identifier>,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = match text.split_once('+') {
            Some((text, build)) => {
                identifiers(build)?;
                text
            }
            None => text,
        };
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, prerelease(pre)?),
            None => (text, Vec::new()),
        };
        let mut partial = Self {
            numbers: [0; 3],
            given: 0,
            wildcard: false,
            pre,
        };
        for (place, part) in core.split('.').enumerate() {
            let number = partial.numbers.get_mut(place)?;
            if matches!(part, "x" | "X" | "*") {
                partial.wildcard = true;
            } else if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            } else if !partial.wildcard {
                *number = part.parse().ok()?;
                partial.given = place + 1;
            }
        }
        Some(partial)
    }

    fn floor(&self) -> Version {
        Version {
            numbers: self.numbers,
            pre: self.pre.clone(),
        }
    }

    /// The lowest version above all that agree with the first `places` numbers; `None` if every
    /// version agrees.
    fn ceiling(&self, places: usize) -> Option<Version> {
        let last = places.checked_sub(1)?;
        let mut numbers = [0; 3];
        numbers[..places].copy_from_slice(&self.numbers[..places]);
        numbers[last] = numbers[last].saturating_add(1);
        Some(Version::new(numbers))
    }
}

fn identifiers(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.split('.').collect();
    parts
        .iter()
        .all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        .then_some(parts)
}

fn prerelease(text: &str) -> Option<Vec<Identifier>> {
    identifiers(text)?
        .into_iter()
        .map(|part| {
            if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                Some(Identifier::Word(part.to_owned()))
            } else if part.len() > 1 && part.starts_with('0') {
                None
            } else {
                part.parse().ok().map(Identifier::Number)
            }
        })
        .collect()
}

/// A set of versions.
#[derive(Clone, Debug)]
pub struct Constraint {
    alternatives: Vec<Vec<Condition>>,
}

/// One interval, and whether pre-releases may lie in it.
#[derive(Clone, Debug)]
struct Condition {
    from: Option<Bound>,
    to: Option<Bound>,
    /// Turns the interval into its complement, for `!=`.
    negated: bool,
    prereleases: bool,
}

#[derive(Clone, Debug)]
struct Bound {
    version: Version,
    inclusive: bool,
}

impl Constraint {
    /// Reads a constraint; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let alternatives = text
            .split("||")
            .map(parse_alternative)
            .collect::<Option<Vec<_>>>()?;
        Some(Self { alternatives })
    }

    /// Whether `version` lies in the set.
    pub fn is_satisfied_by(&self, version: &Version) -> bool {
        self.alternatives
            .iter()
            .any(|conditions| conditions.iter().all(|condition| condition.holds(version)))
    }
}

/// Splits one alternative into conditions: hyphen ranges first, because they hold blanks.
fn parse_alternative(text: &str) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    let words: Vec<String> = join_operators(text)?;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if words.get(at + 1).is_some_and(|next| next == "-") {
            let (low, high) = (Partial::parse(word)?, Partial::parse(words.get(at + 2)?)?);
            let prereleases = !low.pre.is_empty() || !high.pre.is_empty();
            conditions.push(Condition::at_least(&low, prereleases));
            conditions.push(Condition::at_most(&high, prereleases));
            at += 3;
        } else {
            conditions.push(Condition::parse(word)?);
            at += 1;
        }
    }
    (!conditions.is_empty()).then_some(conditions)
}

/// Words separated by blanks or commas, with `>= 1` pulled together as `>=1`.
fn join_operators(text: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for part in text.split([' ', '\t', ',']).filter(|part| !part.is_empty()) {
        let operator = part.bytes().all(|byte| b"<>=!~^".contains(&byte));
        match words.last_mut() {
            Some(last) if open => last.push_str(part),
            _ => words.push(part.to_owned()),
        }
        open = operator;
    }
    (!open).then_some(words)
}

impl Condition {
    fn parse(word: &str) -> Option<Self> {
        let digits = word.trim_start_matches(['<', '>', '=', '!', '~', '^']);
        let operator = &word[..word.len() - digits.len()];
        let partial = Partial::parse(digits)?;
        let pre = !partial.pre.is_empty();
        let given = partial.given;
        Some(match operator {
            "" | "=" => Self::same(&partial),
            "!=" => Self {
                negated: true,
                ..Self::same(&partial)
            },
            ">" => match partial.ceiling(given) {
                Some(ceiling) if given < 3 => Self::between(Some((ceiling, true)), None, pre),
                _ => Self::between(Some((partial.floor(), false)), None, pre),
            },
            ">=" | "=>" => Self::at_least(&partial, pre),
            "<" => Self::between(None, Some((partial.floor(), false)), pre),
            "<=" | "=<" => Self::at_most(&partial, pre),
            "~" | "~>" => {
                let to = partial.ceiling(given.min(2)).map(|top| (top, false));
                Self::between(Some((partial.floor(), true)), to, pre)
            }
            "^" => {
                // Everything up to the leftmost number that is not zero is kept.
                let first = partial.numbers[..given]
                    .iter()
                    .position(|number| *number != 0)
                    .map_or(given, |at| at + 1);
                let to = partial.ceiling(first).map(|top| (top, false));
                Self::between(Some((partial.floor(), true)), to, pre)
            }
            _ => return None,
        })
    }

    fn between(
        from: Option<(Version, bool)>,
        to: Option<(Version, bool)>,
        prereleases: bool,
    ) -> Self {
        let bound = |(version, inclusive)| Bound { version, inclusive };
        Self {
            from: from.map(bound),
            to: to.map(bound),
            negated: false,
            prereleases,
        }
    }

    fn same(partial: &Partial) -> Self {
        let pre = !partial.pre.is_empty();
        let floor = partial.floor();
        if partial.given == 3 && !partial.wildcard {
            Self::between(Some((floor.clone(), true)), Some((floor, true)), pre)
        } else {
            let to = partial.ceiling(partial.given).map(|top| (top, false));
            Self::between(Some((floor, true)), to, pre)
        }
    }

    fn at_least(partial: &Partial, prereleases: bool) -> Self {
        Self::between(Some((partial.floor(), true)), None, prereleases)
    }

    fn at_most(partial: &Partial, prereleases: bool) -> Self {
        let to = if partial.given == 3 {
            Some((partial.floor(), true))
        } else {
            partial.ceiling(partial.given).map(|top| (top, false))
        };
        Self::between(None, to, prereleases)
    }

    fn holds(&self, version: &Version) -> bool {
        if version.is_prerelease() && !self.prereleases {
            return false;
        }
        let above = self.from.as_ref().is_none_or(|bound| {
            *version > bound.version || (bound.inclusive && *version == bound.version)
        });
        let below = self.to.as_ref().is_none_or(|bound| {
            *version < bound.version || (bound.inclusive && *version == bound.version)
        });
        (above && below) != self.negated
    }
}

/// The one of `versions` that `revision` means, as Argo CD chooses it: the one of that very text, or
/// else the highest that satisfies it as a constraint. Texts that are no versions are never chosen
/// by a constraint.
pub fn choose<'a>(revision: &str, versions: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let constraint = Constraint::parse(revision);
    let mut best: Option<(Version, &str)> = None;
    for text in versions {
        if text == revision {
            return Some(text);
        }
        let satisfying = Version::parse(text).filter(|version| {
            constraint
                .as_ref()
                .is_some_and(|constraint| constraint.is_satisfied_by(version))
        });
        if let Some(version) = satisfying
            && best.as_ref().is_none_or(|(highest, _)| version > *highest)
        {
            best = Some((version, text));
        }
    }
    best.map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(constraint: &str, inside: &[&str], outside: &[&str]) {
        let parsed = Constraint::parse(constraint).unwrap();
        let holds = |text: &str| parsed.is_satisfied_by(&Version::parse(text).unwrap());
        for version in inside {
            assert!(holds(version), "{version} satisfies {constraint}");
        }
        for version in outside {
            assert!(!holds(version), "{version} does not satisfy {constraint}");
        }
    }

    #[test]
    fn constraints_hold_what_masterminds_semver_says() {
        check("1.x", &["1.0.0", "v1.9.3"], &["2.0.0", "1.0.0-rc1"]);
        check("*", &["0.0.1", "9.0.0"], &["1.0.0-alpha"]);
        check("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0"]);
        check("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("^0", &["0.9.9"], &["1.0.0"]);
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0"]);
        check("~1", &["1.9.9"], &["2.0.0"]);
        check("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.1.9", "1.4.6"]);
        check(">=1.2, <2 || >= 3", &["1.5.0", "3.1.0"], &["2.0.0"]);
        check(">1.2", &["1.3.0"], &["1.2.9"]);
        check("<=1.2", &["1.2.9"], &["1.3.0"]);
        check("!=1.2.3", &["1.2.4"], &["1.2.3"]);
        check("!=1.2.x", &["1.3.0"], &["1.2.3"]);
        check(">=1.0.0-0", &["1.0.0-rc.1", "2.0.0-beta"], &["0.9.0"]);
        check("^1.0.0-beta", &["1.0.0-beta.2", "1.1.0"], &["2.0.0"]);
    }

    #[test]
    fn the_very_text_is_chosen_or_else_the_highest_version() {
        let versions = ["1.2.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "nightly"];
        let choose = |revision| choose(revision, versions);
        assert_eq!(choose("1.*"), Some("1.10.0"));
        assert_eq!(choose("1.9.0"), Some("1.9.0"));
        assert_eq!(choose("v1.9"), Some("1.9.0"));
        assert_eq!(choose("*"), Some("1.10.0"));
        assert_eq!(choose(">=2.0.0-0"), Some("2.0.0-rc.1"));
        assert_eq!(choose("nightly"), Some("nightly"));
        assert_eq!(choose("weekly"), None);
        assert_eq!(choose("3.x"), None);
    }

    #[test]
    fn what_is_no_constraint_is_a_name() {
        for text in ["main", "feature/x", "release-1", "", ">=", "1.2.3.4", "x.y"] {
            assert!(Constraint::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn versions_sort_as_semantic_versions_do() {
        let order = ["1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0", "1.10.0"];
        let versions: Vec<_> = order.map(|text| Version::parse(text).unwrap()).into();
        assert!(versions.is_sorted());
    }
}
