//! A template that would run for ever, fill the memory or exhaust the stack ends with an error that says which bound it
//! met. The bounds are counted and not timed, so that these tests say the same on every machine.

use std::sync::Arc;

use argosy_gotemplate::{Limits, Options, Random, Seams, Template, Value, argocd};
use serde_json::json;

fn run_within(limits: Limits, text: &str) -> Result<String, String> {
    let seams = Seams {
        now: Arc::new(jiff::Timestamp::default),
        random: Random::new([1; 32]),
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let template = Template::parse("bomb", text, &argocd::functions(&seams), options)
        .map_err(|error| error.to_string())?;
    let data = Value::from(json!({"a": 1, "list": [1, 2, 3]}));
    template.execute(&data).map_err(|error| error.to_string())
}

/// A tenth of the default steps, so that unoptimised tests are quick.
fn run(text: &str) -> Result<String, String> {
    let limits = Limits {
        steps: Limits::default().steps / 10,
        ..Limits::default()
    };
    run_within(limits, text)
}

/// Checks that each bomb fails with a message that contains `why`.
#[track_caller]
fn refused(why: &str, bombs: &[&str]) {
    refused_by(run, why, bombs);
}

#[track_caller]
fn refused_by(run: impl Fn(&str) -> Result<String, String>, why: &str, bombs: &[&str]) {
    for bomb in bombs {
        match run(bomb) {
            Err(error) => assert!(error.contains(why), "{bomb}\n{error}"),
            Ok(text) => panic!("{bomb}\ngave {} bytes", text.len()),
        }
    }
}

/// Puts a list into itself twice, again and again: few values, and an astronomical tree.
const TREE: &str = r"{{ $x := list 1 }}{{ range until 100 }}{{ $x = list $x $x }}{{ end }}";

/// As [`TREE`], of maps.
const MAPS: &str =
    r#"{{ $x := dict "v" 1 }}{{ range until 100 }}{{ $x = dict "a" $x "b" $x }}{{ end }}"#;

#[test]
fn loops_end_by_their_steps() {
    refused(
        "steps",
        &[
            "{{ range 1000000000 }}{{ end }}",
            "{{ range until 1000000 }}{{ range until 1000 }}{{ end }}{{ end }}",
            "{{ range $i := until 5000 }}{{ range $j := until 5000 }}{{ $x := add $i $j }}{{ end }}{{ end }}",
            r#"{{ define "fork" }}{{ if lt . 60 }}{{ template "fork" (add1 .) }}{{ template "fork" (add1 .) }}{{ end }}{{ end }}{{ template "fork" 0 }}"#,
        ],
    );
}

#[test]
fn slow_functions_take_many_steps() {
    // Enough for one call.
    let steps = 70_000;
    let limits = Limits {
        steps,
        ..Limits::default()
    };
    refused_by(
        |bomb| run_within(limits, bomb),
        "steps",
        &[
            r#"{{ range until 1000 }}{{ $x := bcrypt "x" }}{{ end }}"#,
            r#"{{ range until 1000 }}{{ $x := htpasswd "u" "x" }}{{ end }}"#,
            r#"{{ range until 1000 }}{{ $x := derivePassword 1 "long" "p" "u" "s" }}{{ end }}"#,
        ],
    );
}

#[test]
fn large_data_takes_steps_however_few_the_calls() {
    refused(
        "steps",
        &[
            r#"{{ $s := repeat 16000000 "a" }}{{ range until 1000 }}{{ $x := upper $s }}{{ end }}"#,
            r#"{{ $s := repeat 1000000 "a" }}{{ range until 1000 }}{{ $x := regexMatch "a*b$" $s }}{{ end }}"#,
            r#"{{ $l := list }}{{ range until 1000 }}{{ $l = append $l (repeat 10000000 "x") }}{{ end }}"#,
            r"{{ $l := until 100000 }}{{ range until 10000 }}{{ $l = append $l 1 }}{{ end }}",
            r"{{ $l := until 100000 }}{{ range until 100000 }}{{ $x := has -1 $l }}{{ end }}",
            r"{{ $x := uniq (until 100000) }}",
            r#"{{ $x := "x" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}"#,
            r#"{{ $s := repeat 10000000 "a" }}{{ $t := print $s "b" }}{{ $u := print $s "c" }}{{ range until 100000 }}{{ $x := deepEqual (list $t) (list $u) }}{{ end }}"#,
        ],
    );
}

#[test]
fn trees_that_share_their_branches_are_not_walked_to_the_end() {
    for (tree, uses) in [
        (
            TREE,
            vec![
                "{{ deepEqual $x $y }}",
                "{{ has $x (list $y) }}",
                "{{ uniq (list $x $y) }}",
                "{{ without (list $x) $y }}",
                "{{ deepCopy $x }}",
                "{{ toYaml $x }}",
            ],
        ),
        (
            MAPS,
            vec![
                "{{ merge $x $y }}",
                "{{ mergeOverwrite $x $y }}",
                "{{ deepEqual $x $y }}",
                r#"{{ set (dict) "x" $x }}"#,
                "{{ deepCopy $x }}",
                "{{ toYaml $x }}",
            ],
        ),
    ] {
        for used in uses {
            let other = tree.replace("$x", "$y");
            refused("steps", &[&format!("{tree}{other}{used}")]);
        }
    }
}

#[test]
fn outputs_are_bounded() {
    refused_by(
        |bomb| run_within(Limits::default(), bomb),
        "than 16777216 bytes",
        &[
            r#"{{ repeat 1000000000 "x" }}"#,
            r#"{{ range until 100 }}{{ repeat 1000000 "x" }}{{ end }}"#,
            r#"{{ "x" | indent 2000000000 }}"#,
            r#"{{ $s := repeat 30000 "\n" }}{{ $s | nindent 30000 }}"#,
            r#"{{ $s := repeat 100000 "x" }}{{ replace "" $s $s }}"#,
            r#"{{ $s := repeat 100000 "x" }}{{ regexReplaceAll "" $s $s }}"#,
            r#"{{ $s := repeat 100000 "x" }}{{ regexReplaceAll "x+" $s (repeat 100000 "${0}") }}"#,
            r#"{{ printf (repeat 1000 "%1000000[1]d") 1 }}"#,
            r#"{{ $l := list }}{{ $s := repeat 20000 "x" }}{{ range until 1000 }}{{ $l = append $l $s }}{{ end }}{{ join "," $l }}"#,
            r"{{ randAlpha 1000000000 }}",
            &format!("{TREE}{{{{ $x }}}}"),
            &format!("{TREE}{{{{ print $x }}}}"),
            &format!("{TREE}{{{{ printf \"%v\" $x }}}}"),
            &format!("{TREE}{{{{ toString $x }}}}"),
            &format!("{TREE}{{{{ toJson $x }}}}"),
            &format!("{TREE}{{{{ join \",\" (list $x $x) }}}}"),
            &format!("{TREE}{{{{ quote $x }}}}"),
            &format!("{MAPS}{{{{ $x }}}}"),
            &format!("{MAPS}{{{{ toPrettyJson $x }}}}"),
        ],
    );
}

#[test]
fn a_width_beyond_a_million_is_refused_as_in_go() {
    assert_eq!(
        run(r#"{{ printf "%1000000000d" 1 }}"#).as_deref(),
        Ok("%!(NOVERB)%!(EXTRA int=1)")
    );
}

#[test]
fn lists_are_bounded() {
    refused_by(
        |bomb| run_within(Limits::default(), bomb),
        "elements",
        &[
            "{{ until 1000000000 }}",
            "{{ untilStep 0 1000000000 1 }}",
            "{{ seq 1 1000000000 }}",
            r#"{{ splitList "" (repeat 2000000 "x") }}"#,
            r#"{{ regexFindAll "x" (repeat 300000 "xxxx") -1 }}"#,
            r"{{ $x := until 200000 }}{{ concat $x $x $x $x $x $x }}",
        ],
    );
}

#[test]
fn regular_expressions_are_bounded_and_linear() {
    refused(
        "when compiled",
        &[
            r#"{{ regexMatch "((a{0,1000}){0,1000}){0,1000}" "a" }}"#,
            r#"{{ mustRegexMatch "(\\pL{1000}){1000}" "a" }}"#,
        ],
    );
    // A backtracking engine would need 2^n steps.
    let text = r#"{{ regexMatch "^(a+)+$" (print (repeat 30000 "a") "b") }}"#;
    assert_eq!(run(text).as_deref(), Ok("false"));
    refused(
        "steps",
        &[r#"{{ range $i := until 1000 }}{{ $x := regexMatch (printf "x{%d}" $i) "a" }}{{ end }}"#],
    );
}

#[test]
fn recursion_and_nesting_are_bounded() {
    refused(
        "maximum template depth",
        &[
            r#"{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}"#,
            r#"{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#,
        ],
    );
    let blocks = 90;
    let deep = format!(
        r#"{{{{ define "r" }}}}{}{{{{ template "r" . }}}}{}{{{{ end }}}}{{{{ template "r" . }}}}"#,
        "{{ if true }}".repeat(blocks),
        "{{ end }}".repeat(blocks)
    );
    refused("blocks are open", &[&deep]);
    for (open, close) in [("(", ")"), ("(list ", ")")] {
        let parens = format!("{{{{ {}1{} }}}}", open.repeat(5000), close.repeat(5000));
        assert!(run(&parens).is_err());
    }
    for flow in ["[", "{a: "] {
        let yaml = format!("{{{{ fromYaml {:?} }}}}", flow.repeat(100_000));
        assert!(run(&yaml).is_err());
    }
    refused(
        "into itself",
        &[r#"{{ $d := dict }}{{ $x := set $d "d" $d }}"#],
    );
}

#[test]
fn what_a_template_may_need_is_within_the_bounds() {
    for (text, length) in [
        ("{{ range until 20000 }}x{{ end }}", 20_000),
        (
            "{{ $l := list }}{{ range until 2000 }}{{ $l = append $l . }}{{ end }}{{ len $l }}",
            4,
        ),
        (r#"{{ repeat 1000000 "x" }}"#, 1_000_000),
        (r#"{{ range until 2 }}{{ bcrypt "x" }}{{ end }}"#, 120),
        (
            r"{{ $d := dict }}{{ range until 1000 }}{{ $_ := set $d (toString .) (list 1 2 3) }}{{ end }}{{ len $d }}",
            4,
        ),
        (
            r#"{{ define "r" }}{{ if lt . 80 }}{{ if true }}x{{ template "r" (add1 .) }}{{ end }}{{ end }}{{ end }}{{ template "r" 0 }}"#,
            80,
        ),
        (
            r#"{{ range until 200 }}{{ if regexMatch "^[a-z]{1,63}$" "name" }}x{{ end }}{{ end }}"#,
            200,
        ),
    ] {
        let written = run_within(Limits::default(), text);
        assert_eq!(written.map(|text| text.len()), Ok(length), "{text}");
    }
}
