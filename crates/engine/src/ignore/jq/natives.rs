//! The functions of jq that are not written in jq, for values that are paid for.

use jaq_core::load::parse::Def;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{RunPtr, ValR};
use jaq_json::Val;

use super::Evaluation;
use super::budget::pay;
use super::value::{Paid, failed};

/// What a search by pattern is called before it is paid for.
const SEARCHES: [(&str, &str); 3] = [
    ("matches", "matches_unpaid"),
    ("split_matches", "split_matches_unpaid"),
    ("split_", "split_unpaid"),
];

/// Searches by pattern that are paid for.
const DEFINITIONS: &str = "
    def matches($re; $flags): pay_for_pattern($re) | matches_unpaid($re; $flags);
    def split_matches($re; $flags): pay_for_pattern($re) | split_matches_unpaid($re; $flags);
    def split_($re; $flags): pay_for_pattern($re) | split_unpaid($re; $flags);";

/// All functions.
pub(super) fn functions() -> impl Iterator<Item = Fun<Evaluation>> {
    let standard = jaq_std::funs().map(|(name, arguments, native)| {
        let search = SEARCHES.iter().find(|(public, _)| *public == name);
        (
            search.map_or(name, |(_, unpaid)| *unpaid),
            arguments,
            native,
        )
    });
    jaq_core::funs().chain(standard).chain(own())
}

/// The definitions that the functions need.
pub(super) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    jaq_core::load::parse(DEFINITIONS, |parser| parser.defs())
        .into_iter()
        .flatten()
}

fn own() -> impl Iterator<Item = Fun<Evaluation>> {
    let functions: [Filter<RunPtr<Evaluation>>; 8] = [
        ("length", v(0), |cv| bome(length(cv.1))),
        ("contains", v(1), |cv| {
            unary(cv, |one, other| Ok(contains(&one.0, &other.0).into()))
        }),
        ("has", v(1), |cv| unary(cv, |one, key| has(&one, &key))),
        ("indices", v(1), |cv| {
            unary(cv, |one, other| indices(&one, &other))
        }),
        ("bsearch", v(1), |cv| {
            unary(cv, |items, wanted| search(&items, &wanted))
        }),
        ("tojson", v(0), |cv| bome(Ok(cv.1.to_string().into()))),
        ("fromjson", v(0), |cv| bome(parsed(&cv.1))),
        ("pay_for_pattern", v(1), |cv| {
            unary(cv, |text, pattern| {
                pay(price(&text.0, &pattern.0));
                Ok(text)
            })
        }),
    ];
    functions.into_iter().map(run::<Evaluation>)
}

fn length(value: Paid) -> ValR<Paid> {
    Ok(match &value.0 {
        Val::Null => 0_usize.into(),
        Val::Num(_) if value.0 < Val::from(0_usize) => return -value,
        Val::Num(_) => value,
        Val::TStr(text) => {
            pay(text.len());
            String::from_utf8_lossy(text).chars().count().into()
        }
        Val::BStr(bytes) => bytes.len().into(),
        Val::Arr(items) => items.len().into(),
        Val::Obj(fields) => fields.len().into(),
        Val::Bool(_) => return Err(failed()),
    })
}

fn contains(one: &Val, other: &Val) -> bool {
    pay(1);
    match (one, other) {
        (Val::TStr(one), Val::TStr(other)) | (Val::BStr(one), Val::BStr(other)) => {
            pay(one.len() + other.len());
            String::from_utf8_lossy(one).contains(&*String::from_utf8_lossy(other))
        }
        (Val::Arr(one), Val::Arr(other)) => other
            .iter()
            .all(|wanted| one.iter().any(|item| contains(item, wanted))),
        (Val::Obj(one), Val::Obj(other)) => other
            .iter()
            .all(|(key, wanted)| one.get(key).is_some_and(|field| contains(field, wanted))),
        _ => one == other,
    }
}

fn has(one: &Paid, key: &Paid) -> ValR<Paid> {
    key.pay_whole();
    match (&one.0, jaq_std::ValT::as_isize(&key.0)) {
        (Val::Obj(fields), _) => Ok(fields.contains_key(&key.0).into()),
        (Val::Arr(items), Some(at)) => {
            Ok(usize::try_from(at).is_ok_and(|at| at < items.len()).into())
        }
        _ => Err(failed()),
    }
}

fn indices(one: &Paid, other: &Paid) -> ValR<Paid> {
    let at = |is_there: bool, at: usize| is_there.then(|| at.into());
    match (&one.0, &other.0) {
        (Val::TStr(text), Val::TStr(part)) => {
            pay(text.len().saturating_mul(1 + part.len() / 16));
            let (text, part) = (String::from_utf8_lossy(text), String::from_utf8_lossy(part));
            let places = text.char_indices().enumerate();
            Ok(places
                .filter_map(|(number, (place, _))| {
                    at(
                        !part.is_empty() && text[place..].starts_with(&*part),
                        number,
                    )
                })
                .collect())
        }
        (Val::Arr(items), Val::Arr(part)) => {
            one.pay_whole();
            (0..items.len()).for_each(|_| other.pay_whole());
            let places = items.windows(part.len().max(1)).enumerate();
            Ok(places
                .filter_map(|(place, window)| at(window == part.as_slice(), place))
                .collect())
        }
        (Val::Arr(items), wanted) => {
            one.pay_whole();
            (0..items.len()).for_each(|_| other.pay_whole());
            let places = items.iter().enumerate();
            Ok(places
                .filter_map(|(place, item)| at(item == wanted, place))
                .collect())
        }
        _ => Err(failed()),
    }
}

fn search(items: &Paid, wanted: &Paid) -> ValR<Paid> {
    items.pay_whole();
    wanted.pay_whole();
    let Val::Arr(items) = &items.0 else {
        return Err(failed());
    };
    let place = items.binary_search(&wanted.0);
    let number = place.map_or_else(|at| isize::try_from(at).map(|at| -1 - at), isize::try_from);
    number.map(Paid::from).map_err(|_| failed())
}

fn parsed(text: &Paid) -> ValR<Paid> {
    let Val::TStr(text) = &text.0 else {
        return Err(failed());
    };
    // A long number takes the square of its length.
    pay(text.len().saturating_mul(1 + text.len() / 1024));
    jaq_json::read::parse_single(text)
        .map(Paid)
        .map_err(|_| failed())
}

/// The steps of a search: as many as the text has bytes for each part of the pattern, and a pattern
/// has as many parts as it says by numbers in braces.
fn price(text: &Val, pattern: &Val) -> usize {
    let bytes = |value: &Val| jaq_std::ValT::as_bytes(value).map_or(0, <[u8]>::len);
    let parts = match pattern {
        Val::TStr(pattern) => String::from_utf8_lossy(pattern)
            .split('{')
            .skip(1)
            .flat_map(|braces| braces.split(|c: char| !c.is_ascii_digit()).take(2))
            .filter_map(|number| number.parse::<usize>().ok())
            .fold(pattern.len(), |parts, times| {
                parts.saturating_mul(times.max(1))
            }),
        _ => 1,
    };
    (bytes(text) + 16).saturating_mul(parts + 1) / 16
}
