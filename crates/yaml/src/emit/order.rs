//! The natural order of keys: letters after everything else, runs of digits by their number.

use serde_json::{Map, Value};

/// A mapping's entries in that order.
pub(super) fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map
        .iter()
        .map(|entry| (entry.0.chars().collect::<Vec<_>>(), entry))
        .collect();
    // Without natural order of digits first, so that equal input in any order gives equal output.
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    merge_sort(entries)
        .into_iter()
        .map(|(_, entry)| entry)
        .collect()
}

/// The standard sort may panic if an order is not total, and this one, with its special case for zeros, may not be.
fn merge_sort<T>(mut left: Vec<(Vec<char>, T)>) -> Vec<(Vec<char>, T)> {
    if left.len() < 2 {
        return left;
    }
    let right = left.split_off(left.len() / 2);
    let mut right = merge_sort(right).into_iter().peekable();
    let mut merged = Vec::with_capacity(right.len() * 2);
    for item in merge_sort(left) {
        while let Some(before) = right.next_if(|before| less(&before.0, &item.0)) {
            merged.push(before);
        }
        merged.push(item);
    }
    merged.extend(right);
    merged
}

fn less(a: &[char], b: &[char]) -> bool {
    let Some(at) = a.iter().zip(b).position(|(a, b)| a != b) else {
        return a.len() < b.len();
    };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at] < b[at],
        (false, false) => {}
        (_, b_is_letter) => return b_is_letter,
    }
    // Zeros within a number count; leading ones do not.
    let zero = a[at] == '0' || b[at] == '0';
    let mut digits_before = a[..at].iter().rev().take_while(|c| c.is_ascii_digit());
    let start = i64::from(zero && digits_before.any(|&c| c != '0'));
    let (a_number, a_end) = number(&a[at..], start);
    let (b_number, b_end) = number(&b[at..], start);
    (a_number, a_end, a[at]) < (b_number, b_end, b[at])
}

/// The number at the start of the characters, and how many of them it has.
fn number(chars: &[char], start: i64) -> (i64, usize) {
    let digits = chars.iter().map_while(|c| c.to_digit(10));
    digits.fold((start, 0), |(number, count), digit| {
        (
            number.wrapping_mul(10).wrapping_add(i64::from(digit)),
            count + 1,
        )
    })
}
