//! Parameters as flat text: what selectors match and what fast mode offers of structures.

use std::collections::BTreeMap;

use argosy_gotemplate::{Elem, Value};

use crate::params::Params;

/// Names nested values by their path (`a.b.0`) and prints each as Go's `%v` does. Empty maps and
/// lists vanish. A list of one type, such as `path.segments`, is one value, as in Argo CD.
pub(crate) fn flatten(params: &Params) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    for (key, value) in params.iter() {
        walk(key, value, &mut flat);
    }
    flat
}

fn walk(path: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Map(map) => {
            for (key, value) in map.entries() {
                walk(&format!("{path}.{key}"), &value, flat);
            }
        }
        Value::List(list) if list.elem() == Elem::Any => {
            for (index, value) in list.as_slice().iter().enumerate() {
                walk(&format!("{path}.{index}"), value, flat);
            }
        }
        scalar => {
            flat.insert(path.to_owned(), print(scalar));
        }
    }
}

/// Prints a value as Go's `%v` does.
pub(crate) fn print(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Float(f) => print_float(*f),
        Value::Int(n) | Value::Int64(n) => n.to_string(),
        Value::Uint(n) => n.to_string(),
        Value::List(list) => {
            let items: Vec<_> = list.as_slice().iter().map(print).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries = map.entries();
            let items: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key}:{}", print(value)))
                .collect();
            format!("map[{}]", items.join(" "))
        }
        Value::Opaque(opaque) => opaque.text(),
        _ => "<nil>".to_owned(),
    }
}

/// The shortest digits that read back as the number, with an exponent below 1e-4 and from 1e6 on.
pub(crate) fn print_float(f: f64) -> String {
    if f == 0.0 {
        return if f.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let text = format!("{f:e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return f.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_go() {
        let printed: Vec<_> = [3.0, 1.5, 1e6, 999_999.0, 1e-5, 0.0001, 1e21, 123_456_789.0]
            .into_iter()
            .map(print_float)
            .collect();
        assert_eq!(
            printed,
            [
                "3",
                "1.5",
                "1e+06",
                "999999",
                "1e-05",
                "0.0001",
                "1e+21",
                "1.23456789e+08"
            ]
        );
    }
}
