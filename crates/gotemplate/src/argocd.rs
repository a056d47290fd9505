//! The functions that Argo CD's ApplicationSet controller offers: sprig's and its own.

use std::borrow::Cow;

use deunicode::deunicode_char;

use crate::error::FuncError;
use crate::funcs::FuncMap;
use crate::sprig::{self, Seams};
use crate::value::Value;

/// All functions of an ApplicationSet's template.
pub fn functions(seams: &Seams) -> FuncMap {
    let mut map = sprig::functions(seams);
    map.extend(own_functions());
    map
}

/// Argo CD's own functions: `normalize`, `slugify`, `toYaml`, `fromYaml` and `fromYamlArray`.
pub fn own_functions() -> FuncMap {
    let mut m = FuncMap::new();
    m.add("normalize", "string", |a| {
        Ok(normalize(text(a.first())).into())
    });
    m.add("slugify", "any...", slugify);
    m.add_metered("toYaml", "any", |a, meter| {
        let json = a.first().unwrap_or(&Value::Nil).json(meter)?;
        Ok(argosy_yaml::to_string(&json).trim_end_matches('\n').into())
    });
    m.add("fromYaml", "string", |a| match parse_yaml(a)? {
        serde_json::Value::Null => Ok(Value::map::<&str>([])),
        json @ serde_json::Value::Object(_) => Ok(json.into()),
        _ => Err(FuncError::new("error unmarshaling YAML: expected a map")),
    });
    m.add("fromYamlArray", "string", |a| match parse_yaml(a)? {
        serde_json::Value::Null => Ok(Value::list(Vec::new())),
        json @ serde_json::Value::Array(_) => Ok(json.into()),
        _ => Err(FuncError::new("error unmarshaling YAML: expected a list")),
    });
    m
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn parse_yaml(args: &[Value]) -> Result<serde_json::Value, FuncError> {
    argosy_yaml::from_str(text(args.first())).map_err(|error| FuncError::new(error.to_string()))
}

/// A name that Kubernetes accepts: lower case, other characters as dashes, at most 253 bytes, no dashes or dots at its ends.
pub fn normalize(name: &str) -> String {
    // Go lower-cases character by character: none becomes two.
    let lower = name.chars().filter_map(|c| c.to_lowercase().next());
    let mapped: String = lower
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.') {
                c
            } else {
                '-'
            }
        })
        .take(253)
        .collect();
    mapped.trim_matches(['-', '.']).to_owned()
}

/// `slugify [max] [smart] text`: a normalised name of at most `max` (50) characters, cut between words when `smart` (true).
fn slugify(args: &[Value]) -> Result<Value, FuncError> {
    let wrong = || {
        FuncError::new(
            "slugify takes the text, optionally preceded by the maximum length (int) and smart truncation (bool)",
        )
    };
    let (length, smart, name) = match args {
        [] => return Ok("".into()),
        [Value::Str(name)] => (50, true, name),
        [Value::Int(length), Value::Str(name)] => (*length, true, name),
        [Value::Int(length), Value::Bool(smart), Value::Str(name)] => (*length, *smart, name),
        _ => return Err(wrong()),
    };
    // A negative length is no limit, except where it is cut at.
    let length = usize::try_from(length).or(if smart { Ok(0) } else { Err(wrong()) })?;
    Ok(slug(&normalize(name), length, smart).into())
}

/// Only letters, digits and single dashes, cut to a length: between words when `smart`, else before
/// anything else is done. Letters outside of ASCII are transliterated.
pub fn slug(name: &str, length: usize, smart: bool) -> String {
    let mut source: String = name.trim().chars().map(ascii).collect();
    source.make_ascii_lowercase();
    if !smart {
        source.truncate(length);
    }
    let words: Vec<&str> = source
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let slug = words.join("-");
    if smart && length > 0 {
        whole_words(&slug, length).to_owned()
    } else {
        slug
    }
}

/// A character of a slug, before what is neither letter nor digit separates its words. Beyond the
/// basic plane there is no transliteration, and the character is left out.
fn ascii(c: char) -> Cow<'static, str> {
    match c {
        '&' => "and".into(),
        '@' => "at".into(),
        '"' | '\'' | '\u{2019}' | '\u{10000}'.. => "".into(),
        _ if c.is_ascii() => c.to_string().into(),
        _ => deunicode_char(c).unwrap_or_default().into(),
    }
}

/// Cut before the word that does not fit; the first word is cut within.
fn whole_words(slug: &str, length: usize) -> &str {
    if slug.len() <= length {
        return slug;
    }
    let end = slug
        .get(..=length)
        .and_then(|head| head.rfind('-'))
        .unwrap_or(length);
    slug.get(..end).unwrap_or(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_acceptable() {
        assert_eq!(normalize("My_Cluster.Example/1-"), "my-cluster.example-1");
        assert_eq!(normalize("--x--"), "x");
        assert_eq!(normalize("."), "");
        assert_eq!(slug("feature-a-very-long-branch", 12, true), "feature-a");
        assert_eq!(
            slug("feature-a-very-long-branch", 12, false),
            "feature-a-ve"
        );
        assert_eq!(slug("Feat/R&D_it's", 50, true), "feat-randd-its");
    }

    #[test]
    fn letters_of_other_alphabets_are_transliterated_as_by_argo_cd() {
        for (name, expected) in [
            ("feature/größe-ändern", "feature-grosse-andern"),
            ("Łódź Ærø Ñandú — œuvre", "lodz-aero-nandu-oeuvre"),
            ("исправить-Ошибку", "ispravit-oshibku"),
            ("διόρθωση", "diorthose"),
            ("修复-bug", "xiu-fu-bug"),
            ("수정", "sujeong"),
            ("ship 🚢 it", "ship-it"),
            ("£5 ‰", "ps5-0"),
            ("объект", "ob-ekt"),
            ("日本語", "ri-ben-yu"),
            ("ไทย", "aithy"),
        ] {
            assert_eq!(slug(name, 50, true), expected, "{name}");
        }
    }
}
