//! What a user of the reader relies on beyond agreement with Kubernetes: places, encodings, limits.

use argosy_yaml::{
    Limits, Position, decode, from_str, from_str_strict, from_str_with, parse_documents,
    parse_documents_with,
};
use serde_json::json;

const STREAM: &str = "\
# two objects
a: 1
---
kind: Deployment
spec:
  ports:
  - name: http
    port: 80
  - {name: https,
     port: 443}
  base: &base
    yes: 1
  on:
    <<: *base
";

#[track_caller]
fn check_position(document: usize, pointer: &str, expected: Option<(usize, usize)>) {
    let documents = parse_documents(STREAM).expect("because the stream is valid");
    let position = documents[document].position_of(pointer);
    assert_eq!(
        position.map(|place| (place.line, place.column)),
        expected,
        "{pointer}"
    );
}

#[test]
fn a_pointer_leads_to_its_line_and_column_in_the_stream() {
    check_position(0, "/a", Some((2, 1)));
    check_position(1, "", Some((4, 1)));
    check_position(1, "/spec/ports/0", Some((7, 5)));
    check_position(1, "/spec/ports/1/port", Some((10, 6)));
    check_position(1, "/spec/base/true", Some((12, 5)));
    check_position(1, "/spec/true/true", Some((12, 5)));
    check_position(1, "/spec/ports/2", None);
    check_position(1, "/spec/kind", None);
}

#[test]
fn a_document_knows_its_first_line() {
    let documents = parse_documents(STREAM).expect("because the stream is valid");
    assert_eq!(
        documents
            .iter()
            .map(|document| document.line)
            .collect::<Vec<_>>(),
        [1, 4]
    );
    let documents = parse_documents("{\"a\": 1}\n\n{\"b\":\n 2}\n").expect("because it is JSON");
    assert_eq!(
        documents
            .iter()
            .map(|document| document.line)
            .collect::<Vec<_>>(),
        [1, 3]
    );
    let position = documents[1].position_of("/b");
    assert_eq!(position, Some(Position { line: 3, column: 2 }));
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = parse_documents(text).expect_err("because the text is wrong");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn errors_say_where_in_the_stream() {
    check_error(
        "a: 1\n---\nb: 1\nc: [1\n",
        "line 5, column 1: did not find expected ',' or ']'",
    );
    check_error(
        "a: 1\n---\n\nb: {c: *x}\n",
        "line 4, column 8: unknown anchor 'x' referenced",
    );
    check_error(
        "a: b: c\n",
        "line 1, column 5: mapping values are not allowed in this context",
    );
    check_error(
        "a: 'b\n\n",
        "line 1, column 4: found unexpected end of stream in a quoted scalar, ' is missing",
    );
    check_error(
        "a: 1\n--- b\n",
        "line 2, column 4: invalid YAML document separator: only a comment may follow '---'",
    );
    check_error(
        "a:\n\t- b\n",
        "line 2, column 1: found character that cannot start any token",
    );
    check_error(
        "a: 1\nb: \u{7}\n",
        "line 2, column 4: control characters are not allowed: U+0007",
    );
    check_error(
        "{\"a\": 1,\n \"b\" 2}\n",
        "line 2, column 6: did not find expected ',' or '}'",
    );
}

#[test]
fn a_repeated_key_is_refused_where_it_is_only_in_strict_mode() {
    let text = "a: 1\nb:\n  c: 1\n  c: 2\n";
    assert_eq!(from_str(text), Ok(json!({"a": 1, "b": {"c": 2}})));
    let error = from_str_strict(text).expect_err("because `c` is repeated");
    assert_eq!(
        error.to_string(),
        "line 4, column 3: key \"c\" already set in map"
    );
}

#[test]
fn files_of_every_encoding_read_alike() {
    let text = "name: Zoë 😀\r\nlist:\r\n- |\r\n  a\r\n  b\r\n";
    let value = json!({"name": "Zoë 😀", "list": ["a\nb\n"]});
    let le: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let be: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    let marked = format!("\u{feff}{text}");
    for bytes in [text.as_bytes(), marked.as_bytes(), &le, &be] {
        let decoded = decode(bytes).expect("because the encoding is known");
        assert_eq!(from_str(&decoded), Ok(value.clone()));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let error = decode(b"a: 1\nb: \xff\n").expect_err("because 0xff is no UTF-8");
    assert_eq!(error.position(), Some(Position { line: 2, column: 4 }));
    assert!(decode(&[0xff, 0xfe, 0x61]).is_err());
    assert!(decode(&[0xff, 0xfe, 0x00, 0xd8]).is_err());
}

/// Texts that grow when they are read are refused before they do, whatever reader of YAML they were
/// made for (CVE-2019-11253, RUSTSEC-2024-0320).
#[test]
fn limits_hold() {
    let limits = Limits {
        bytes: 100,
        depth: 3,
        nodes: 10,
    };
    assert!(from_str_with("[[[1]]]", &limits).is_ok());
    assert!(from_str_with("[[[[1]]]]", &limits).is_err());
    assert!(from_str_with("a:\n b:\n  c: 1\n", &limits).is_ok());
    assert!(from_str_with("a:\n b:\n  c:\n   d: 1\n", &limits).is_err());
    assert!(from_str_with("a: &a [[1]]\nb: [*a]\n", &limits).is_err());
    assert!(from_str_with("[1, 2, 3, 4, 5, 6, 7, 8]", &limits).is_ok());
    assert!(from_str_with("[1, 2, 3, 4, 5, 6, 7, 8, 9]", &limits).is_err());
    assert!(from_str_with(&" ".repeat(101), &limits).is_err());
    assert!(parse_documents_with("{\"a\":[[[1]]]}", &limits).is_err());
}

#[test]
fn nesting_up_to_the_default_limit_is_read_and_printed() {
    for text in [
        format!("{}{}", "[".repeat(128), "]".repeat(128)),
        "- ".repeat(128),
        format!("{}1{}", "{\"a\":".repeat(128), "}".repeat(128)),
        (0..128)
            .flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()])
            .collect(),
    ] {
        let value = from_str(&text).expect("because it is within the limit");
        assert_eq!(from_str(&argosy_yaml::to_string(&value)), Ok(value));
    }
    assert!(from_str(&"[".repeat(100_000)).is_err());
    assert!(parse_documents(&"{\"a\":".repeat(100_000)).is_err());
}

#[test]
fn aliases_cannot_blow_a_text_up() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        text += &["a", &level.to_string(), ": &a", &level.to_string(), " ["].concat();
        text += before.trim_end_matches(", ");
        text += "]\n";
    }
    let error = from_str(&text).expect_err("because it stands for a billion items");
    assert_eq!(error.message(), "document contains excessive aliasing");
}
