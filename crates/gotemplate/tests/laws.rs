//! Whatever a template says, parsing and executing it end, with a text or an error.

use std::sync::Arc;

use argosy_gotemplate::{Limits, Options, Random, Seams, Template, Value, argocd};
use proptest::prelude::*;
use serde_json::json;

fn run(text: &str) -> Result<String, String> {
    let seams = Seams {
        now: Arc::new(jiff::Timestamp::default),
        random: Random::new([1; 32]),
    };
    let options = Options {
        limits: Limits {
            steps: 20_000,
            depth: 100,
            output: 1 << 20,
        },
        ..Options::default()
    };
    let template = Template::parse("t", text, &argocd::functions(&seams), options)
        .map_err(|error| error.to_string())?;
    let data =
        Value::from(json!({"a": 1, "s": "héllo", "l": [1, "x", null], "m": {"k": {"d": [true]}}}));
    template.execute(&data).map_err(|error| error.to_string())
}

fn piece() -> impl Strategy<Value = String> {
    let words = [
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        ".",
        ".a",
        ".s",
        ".l",
        ".m.k",
        "$",
        "$x",
        ":=",
        "=",
        "|",
        "(",
        ")",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "continue",
        "\"t\"",
        "1",
        "-1",
        "1.5",
        "nil",
        "true",
        "index",
        "slice",
        "printf",
        "\"%5.2[1]*v%x\"",
        "list",
        "dict",
        "set",
        "merge",
        "repeat",
        "trunc",
        "substr",
        "until",
        "chunk",
        "regexReplaceAll",
        "date",
        "semverCompare",
        "toYaml",
        "fromYaml",
        "'x'",
        "`r`",
        "/*",
        "*/",
        ",",
        "é",
        "\n",
    ];
    prop_oneof![
        4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_text_ends_with_a_result(pieces in prop::collection::vec(piece(), 0..24)) {
        let _ = run(&pieces.concat());
        let _ = run(&format!("{{{{ {} }}}}", pieces.join(" ")));
    }

    #[test]
    fn functions_take_any_arguments(name in prop::sample::select(names()), args in prop::collection::vec(argument(), 0..5)) {
        let _ = run(&format!("{{{{ {name} {} }}}}", args.join(" ")));
    }
}

fn argument() -> impl Strategy<Value = String> {
    let values = [
        "1",
        "-1",
        "0",
        "\"\"",
        "\"é\"",
        "\"a,b\"",
        "3.7",
        "nil",
        "true",
        ".l",
        ".m",
        ".s",
        ".a",
        ".zz",
        "(list 1 2)",
        "(dict)",
        "now",
        "(semver \"1.2.3\")",
        "9223372036854775807",
        "-9223372036854775808",
        "\"(\"",
        "(until 3)",
        "(float64 \"nan\")",
    ];
    prop::sample::select(values.to_vec()).prop_map(str::to_owned)
}

fn names() -> Vec<String> {
    let seams = Seams {
        now: Arc::new(jiff::Timestamp::default),
        random: Random::new([1; 32]),
    };
    let slow = ["derivePassword", "bcrypt", "htpasswd"];
    argocd::functions(&seams)
        .names()
        .filter(|n| !slow.contains(n))
        .map(str::to_owned)
        .collect()
}

#[test]
fn template_bombs_are_refused() {
    for bomb in [
        "{{ range 1000000000 }}{{ end }}",
        "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
        "{{ $x := \"x\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range 60 }}{{ $x = concat $x $x }}{{ end }}",
        "{{ repeat 1000000000 \"x\" }}",
        "{{ until 1000000000 }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}",
        "{{ $s := repeat 100000 \"x\" }}{{ replace \"\" $s $s }}",
        "{{ $s := repeat 100000 \"x\" }}{{ regexReplaceAll \"\" $s $s }}",
    ] {
        assert!(run(bomb).is_err(), "{bomb}");
    }
    let parens = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(run(&parens).is_err());
    let nested = "{{ $x := list }}{{ range 5000 }}{{ $x = list $x }}{{ end }}{{ len $x }}";
    assert_eq!(run(nested), Ok("1".to_owned()));
}
