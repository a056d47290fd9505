//! Fast mode: `{{ name }}` becomes the parameter of that name if it is a string, and stays otherwise.
//!
//! There is no escaping and nothing nests; what is not a parameter is left exactly as written.

use std::sync::Arc;

use argosy_gotemplate::Value;

use super::text::Text;
use crate::params::Params;

/// A piece of a text.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Copied.
    Literal(Arc<str>),
    /// What stands between the braces, as written and trimmed.
    Tag { written: Arc<str>, name: Arc<str> },
}

/// Parses a text that contains `{{`.
pub(super) fn parse(text: &str) -> Text {
    // Only a text with both braces on one line is looked at.
    let is_templated = |line: &str| {
        line.find("{{")
            .is_some_and(|open| line[open + 2..].contains("}}"))
    };
    if !text.split('\n').any(is_templated) {
        return Text::Literal(text.into());
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once("{{") {
        let Some((written, after)) = tag.split_once("}}") else {
            let problem = format!(
                "invalid template: Cannot find end tag=\"}}}}\" in the template={text:?} starting from {tag:?}"
            );
            return Text::Broken(problem.into());
        };
        pieces.push(Piece::Literal(before.into()));
        pieces.push(Piece::Tag {
            written: written.into(),
            name: written.trim().into(),
        });
        rest = after;
    }
    pieces.push(Piece::Literal(rest.into()));
    Text::Fast(pieces)
}

/// The names in the tags.
pub(super) fn names(pieces: &[Piece]) -> impl Iterator<Item = Arc<str>> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Literal(_) => None,
        Piece::Tag { name, .. } => Some(Arc::clone(name)),
    })
}

pub(super) fn render(pieces: &[Piece], params: &Params) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Tag { written, name } => match params.get(name) {
                Some(Value::Str(value)) if !name.is_empty() => text.push_str(value),
                _ => {
                    text.push_str("{{");
                    text.push_str(written);
                    text.push_str("}}");
                }
            },
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use argosy_crds::ApplicationSet;

    use super::*;
    use crate::settings::Settings;
    use crate::template::{Engine, Scope};

    fn render(text: &str) -> Result<String, String> {
        let params = [
            ("name".into(), Value::str("dev")),
            ("n".into(), Value::Float(3.0)),
        ];
        let params: Params = params.into_iter().collect();
        let engine = Engine::new(&ApplicationSet::default(), &Settings::default());
        engine.compile(text).render(&Scope::new(&params))
    }

    #[test]
    fn only_strings_are_replaced() {
        assert_eq!(render("{{name}}-{{ name }}").as_deref(), Ok("dev-dev"));
        assert_eq!(
            render("{{n}} {{ nope }} {{}}").as_deref(),
            Ok("{{n}} {{ nope }} {{}}")
        );
    }

    #[test]
    fn an_open_tag_is_an_error_only_beside_a_closed_one() {
        assert!(render("{{name}} {{name").is_err());
        assert_eq!(render("{{name").as_deref(), Ok("{{name"));
        assert_eq!(render("{{\n}}").as_deref(), Ok("{{\n}}"));
    }
}
