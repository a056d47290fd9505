//! What the fuzz target for Go templates tries, with cases of the corpus that were changed.

#[path = "../../../fuzz/mutation.rs"]
mod mutation;
#[path = "../../../fuzz/src/templates.rs"]
mod templates;

use mutation::mutated;
use proptest::{collection::vec, prelude::*, sample::Index};

fn seeds() -> Vec<String> {
    let rows = include_str!("../../../tests/corpora/gotemplate/cases.jsonl").lines();
    let rows = rows.map(serde_json::from_str::<serde_json::Value>);
    rows.filter_map(|row| Some(row.ok()?["t"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn any_text_is_a_template_that_ends_or_none() {
    let seeds = seeds();
    let inputs = (any::<[Index; 2]>(), vec(any::<(u8, u16, u8)>(), 0..6));
    proptest!(ProptestConfig::with_cases(400), |((chosen, changes) in inputs)| {
        let two = chosen.map(|seed| seed.get(&seeds).as_str()).concat();
        templates::run(&mutated(two.as_bytes(), &changes));
    });
}
