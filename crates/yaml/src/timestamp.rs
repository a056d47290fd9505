//! Tells whether a text is a timestamp in one of the forms that Kubernetes' library knows. Never makes one: timestamps
//! stay text.

/// Whether it is a date, or a date and time in one of the three accepted forms.
pub(crate) fn is_timestamp(text: &str) -> bool {
    parse(text).is_some()
}

fn parse(text: &str) -> Option<()> {
    let (year, rest) = digits(text, 4, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    if day == 0 || day > days(year, month)? {
        return None;
    }
    if rest.is_empty() {
        return Some(());
    }
    if let Some(clock) = rest.strip_prefix(['T', 't']) {
        return zone(time(clock)?);
    }
    time(rest.strip_prefix(' ')?)?.is_empty().then_some(())
}

fn days(year: u32, month: u32) -> Option<u32> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => Some(29),
        2 => Some(28),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

/// `15:4:5` with an optional fraction; gives the rest.
fn time(text: &str) -> Option<&str> {
    let (hour, rest) = digits(text, 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    match rest.strip_prefix(['.', ',']) {
        Some(fraction) => Some(digits(fraction, 1, usize::MAX)?.1),
        None => Some(rest),
    }
}

/// `Z` or `+07:00`.
fn zone(text: &str) -> Option<()> {
    if text == "Z" {
        return Some(());
    }
    let (hour, rest) = digits(text.strip_prefix(['+', '-'])?, 2, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    (hour <= 24 && minute < 60 && rest.is_empty()).then_some(())
}

/// Takes between `least` and `most` digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least {
        return None;
    }
    let (number, rest) = text.split_at(count);
    Some((number.parse().unwrap_or(u32::MAX), rest))
}
