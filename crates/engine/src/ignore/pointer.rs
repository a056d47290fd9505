//! Removing what a JSON pointer names, as a JSON patch's `remove` does.

use serde_json::Value;

/// The parts of a pointer; `None` for a text that is none, which then removes nothing.
pub(super) fn parse(text: &str) -> Option<Vec<String>> {
    let rest = text.strip_prefix('/')?;
    Some(
        rest.split('/')
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

/// Removes the place from `state`; false if there was none. A negative index counts from the end.
pub(super) fn remove(state: &mut Value, pointer: &[String]) -> bool {
    let Some((last, way)) = pointer.split_last() else {
        return false;
    };
    let mut place = state;
    for part in way {
        let next = match place {
            Value::Object(map) => map.get_mut(part),
            Value::Array(items) => index(part, items.len()).and_then(|at| items.get_mut(at)),
            _ => None,
        };
        let Some(next) = next else {
            return false;
        };
        place = next;
    }
    match place {
        Value::Object(map) => map.remove(last).is_some(),
        Value::Array(items) => match index(last, items.len()) {
            Some(at) => {
                items.remove(at);
                true
            }
            None => false,
        },
        _ => false,
    }
}

fn index(part: &str, length: usize) -> Option<usize> {
    let at: i64 = part.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    let at = if at < 0 { at + length } else { at };
    (0..length)
        .contains(&at)
        .then(|| usize::try_from(at).ok())?
}
