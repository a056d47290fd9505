//! What the fuzz target for YAML tries, with random bytes and with cases of the corpus that were changed.

#[path = "../../../fuzz/mutation.rs"]
mod mutation;
#[path = "../../../fuzz/src/yaml.rs"]
mod yaml;

use mutation::mutated;
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::Value;

fn seeds() -> Vec<String> {
    let rows = include_str!("../../../tests/corpora/yaml/cases.jsonl").lines();
    let rows = rows.map(|row| serde_json::from_str::<Value>(row).expect("because rows are JSON"));
    rows.filter_map(|row| Some(row["in"].as_str()?.to_owned()))
        .collect()
}

#[test]
fn any_bytes_are_read_or_refused() {
    let seeds = seeds();
    let inputs = (
        any::<Index>(),
        vec(any::<(u8, u16, u8)>(), 0..6),
        vec(any::<u8>(), 0..64),
    );
    proptest!(ProptestConfig::with_cases(2_000), |((seed, changes, bytes) in inputs)| {
        yaml::read(&bytes);
        yaml::read(&mutated(seed.get(&seeds).as_bytes(), &changes));
    });
}
