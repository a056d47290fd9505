//! The dialects against the verdicts of the programs that define them.

use argosy_glob::{doublestar, gobwas::Glob, path_match};
use serde_json::Value;

fn corpus() -> Vec<Value> {
    let folder = std::env::var("ARGOSY_CORPORA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpora").to_owned());
    std::fs::read_to_string(format!("{folder}/glob/matrix.jsonl"))
        .expect("the corpus is readable")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

fn verdicts<E>(names: &[&str], verdict: impl Fn(&str) -> Result<bool, E>) -> String {
    let letter = |name: &&str| match verdict(name) {
        Ok(true) => '1',
        Ok(false) => '0',
        Err(_) => 'e',
    };
    names.iter().map(letter).collect()
}

fn gobwas(pattern: &str, names: &[&str], separators: &[char]) -> String {
    match Glob::compile(pattern, separators) {
        Ok(glob) => verdicts(names, |name| Ok::<_, ()>(glob.is_match(name))),
        Err(_) => "E".to_owned(),
    }
}

#[test]
fn every_dialect_answers_as_its_reference() {
    let corpus = corpus();
    let names: Vec<&str> = corpus[0]["names"]
        .as_array()
        .expect("the first line holds names")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut wrong = Vec::new();
    for row in &corpus[1..] {
        let pattern = row["p"].as_str().expect("a row has a pattern");
        let answers = [
            (
                "path",
                verdicts(&names, |name| path_match::matches(pattern, name)),
            ),
            (
                "dstar",
                verdicts(&names, |name| doublestar::matches(pattern, name)),
            ),
            ("gobwas", gobwas(pattern, &names, &[])),
            ("gobwas_sep", gobwas(pattern, &names, &['/'])),
        ];
        for (dialect, answer) in answers {
            let expected = row[dialect].as_str().expect("a row has every dialect");
            let expected = if expected.starts_with("E:") {
                "E"
            } else {
                expected
            };
            if expected != answer {
                let pairs = expected.chars().zip(answer.chars()).zip(&names);
                let names: Vec<_> = pairs.filter(|((e, a), _)| e != a).collect();
                wrong.push(format!("{dialect} {pattern}: {names:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
