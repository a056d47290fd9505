//! Durations as Go reads and writes them: `1h30m`, `90s`, `1.5ms`.

const NANOS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 6e10),
    ("h", 3.6e12),
];

/// The text that Go writes for a duration; `None` if it is none.
pub(super) fn canonical(text: &str) -> Option<String> {
    parse(text).map(print)
}

fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, nanos) = NANOS.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * nanos;
        rest = tail;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a duration beyond 292 years saturates"
    )]
    let nanos = total.round() as i64;
    Some(if negative { -nanos } else { nanos })
}

fn print(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    if all < 1_000_000_000 {
        let (size, unit) = match all {
            0..1_000 => return format!("{sign}{all}ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{unit}", fraction(all, size));
    }
    let (minutes, seconds) = (all / 60_000_000_000, all % 60_000_000_000);
    let seconds = fraction(seconds, 1_000_000_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

fn fraction(value: u64, unit: u64) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let rest = format!("{rest:0digits$}");
    format!("{whole}.{}", rest.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_go_does() {
        for (text, expected) in [
            ("60s", "1m0s"),
            ("90m", "1h30m0s"),
            ("2160h", "2160h0m0s"),
            ("1500ms", "1.5s"),
            ("0", "0s"),
            ("1.5ms", "1.5ms"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(canonical("60"), None);
    }
}
