//! The build environment: variables that parameters may refer to, and how they are replaced.
//!
//! Pure text. It is never the environment of the hub's own process.

use std::collections::BTreeMap;

/// Variables by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

/// What the standard variables are made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuildFacts<'a> {
    /// The application's name, with its namespace in front if that is not the hub's own.
    pub app_name: &'a str,
    /// The destination's namespace.
    pub namespace: &'a str,
    /// The project.
    pub project: &'a str,
    /// The resolved revision.
    pub revision: &'a str,
    /// The source's repository.
    pub repo_url: &'a str,
    /// The source's path.
    pub path: &'a str,
    /// The revision as the source asks for it.
    pub target_revision: &'a str,
}

impl Environment {
    /// The variable for the resolved revision; the names of its short forms begin with this.
    pub const REVISION: &str = "ARGOCD_APP_REVISION";

    /// Argo CD's standard build environment.
    pub fn standard(facts: &BuildFacts<'_>) -> Self {
        let short = |length: usize| facts.revision.get(..length).unwrap_or(facts.revision);
        let variables = [
            ("ARGOCD_APP_NAME", facts.app_name),
            ("ARGOCD_APP_NAMESPACE", facts.namespace),
            ("ARGOCD_APP_PROJECT_NAME", facts.project),
            (Self::REVISION, facts.revision),
            ("ARGOCD_APP_REVISION_SHORT", short(7)),
            ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
            ("ARGOCD_APP_SOURCE_REPO_URL", facts.repo_url),
            ("ARGOCD_APP_SOURCE_PATH", facts.path),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", facts.target_revision),
        ];
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    /// With one more variable.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Every variable with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of one variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Replaces `$NAME` and `${NAME}`; `$$` is a dollar sign and an unknown name is nothing.
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            match name(rest) {
                Name::Plain(name) | Name::Braced(name) if name == "$" => {
                    out.push('$');
                    rest = &rest[name_width(rest)..];
                }
                Name::Plain(name) | Name::Braced(name) => {
                    out.push_str(self.0.get(name).map_or("", String::as_str));
                    rest = &rest[name_width(rest)..];
                }
                Name::Malformed(width) => rest = &rest[width..],
                Name::None => out.push('$'),
            }
        }
        out.push_str(rest);
        out
    }
}

enum Name<'a> {
    Plain(&'a str),
    Braced(&'a str),
    /// Braces without a name in them; this much of the text is dropped.
    Malformed(usize),
    None,
}

/// The name after a dollar sign, by the rules of Go's `os.Expand`.
fn name(text: &str) -> Name<'_> {
    let Some(first) = text.chars().next() else {
        return Name::None;
    };
    if first == '{' {
        let inner = &text[1..];
        if let Some(special) = inner.get(..1)
            && is_special(special)
            && inner[1..].starts_with('}')
        {
            return Name::Braced(special);
        }
        return match inner.find('}') {
            Some(0) => Name::Malformed(2),
            Some(end) => Name::Braced(&inner[..end]),
            None => Name::Malformed(1),
        };
    }
    if is_special(&text[..first.len_utf8()]) {
        return Name::Plain(&text[..1]);
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    if end == 0 {
        Name::None
    } else {
        Name::Plain(&text[..end])
    }
}

/// Shell's variables of one character.
fn is_special(text: &str) -> bool {
    text.len() == 1 && text.contains(|c| "*#$@!?-0123456789".contains(c))
}

fn name_width(text: &str) -> usize {
    match name(text) {
        Name::Plain(name) => name.len(),
        Name::Braced(name) => name.len() + 2,
        Name::Malformed(width) => width,
        Name::None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_go_does() {
        let environment = Environment::standard(&BuildFacts {
            app_name: "web",
            revision: "0123456789",
            ..BuildFacts::default()
        });
        let check = |text: &str, expected: &str| assert_eq!(environment.expand(text), expected);
        check("$ARGOCD_APP_NAME-x", "web-x");
        check("${ARGOCD_APP_NAME}x", "webx");
        check("$ARGOCD_APP_REVISION_SHORT", "0123456");
        check("$UNKNOWN.", ".");
        check("a$$b $. 5$", "a$b $. 5$");
        check("${} ${", " ");
    }
}
