//! Go's time layouts: formatting and parsing by the example of `Mon Jan 2 15:04:05 MST 2006`.

use jiff::civil::Date;
use jiff::tz::Offset;

use super::gotime::Time;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A field of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    ZoneName,
    /// Whether `Z` stands for UTC, whether colons separate, and how many parts there are.
    Zone {
        z: bool,
        colons: bool,
        parts: usize,
    },
    /// Digits of a second; whether trailing zeros stay.
    Fraction {
        zeros: bool,
        digits: usize,
    },
}

/// Longest spellings first where one begins another.
const SPELLINGS: [(&str, Field); 33] = [
    ("January", Field::LongMonth),
    ("Jan", Field::Month),
    ("Monday", Field::LongDay),
    ("Mon", Field::WeekDay),
    ("MST", Field::ZoneName),
    ("002", Field::ZeroYearDay),
    ("01", Field::ZeroMonth),
    ("02", Field::ZeroDay),
    ("03", Field::ZeroHour12),
    ("04", Field::ZeroMinute),
    ("05", Field::ZeroSecond),
    ("06", Field::Year),
    ("15", Field::Hour),
    ("1", Field::NumMonth),
    ("2006", Field::LongYear),
    ("2", Field::Day),
    ("__2", Field::UnderYearDay),
    ("_2", Field::UnderDay),
    ("3", Field::Hour12),
    ("4", Field::Minute),
    ("5", Field::Second),
    ("PM", Field::UpperHalf),
    ("pm", Field::LowerHalf),
    (
        "-07:00:00",
        Field::Zone {
            z: false,
            colons: true,
            parts: 3,
        },
    ),
    (
        "-07:00",
        Field::Zone {
            z: false,
            colons: true,
            parts: 2,
        },
    ),
    (
        "-070000",
        Field::Zone {
            z: false,
            colons: false,
            parts: 3,
        },
    ),
    (
        "-0700",
        Field::Zone {
            z: false,
            colons: false,
            parts: 2,
        },
    ),
    (
        "-07",
        Field::Zone {
            z: false,
            colons: false,
            parts: 1,
        },
    ),
    (
        "Z07:00:00",
        Field::Zone {
            z: true,
            colons: true,
            parts: 3,
        },
    ),
    (
        "Z07:00",
        Field::Zone {
            z: true,
            colons: true,
            parts: 2,
        },
    ),
    (
        "Z070000",
        Field::Zone {
            z: true,
            colons: false,
            parts: 3,
        },
    ),
    (
        "Z0700",
        Field::Zone {
            z: true,
            colons: false,
            parts: 2,
        },
    ),
    (
        "Z07",
        Field::Zone {
            z: true,
            colons: false,
            parts: 1,
        },
    ),
];

/// The text before the next field, the field, and the rest of the layout.
fn next(layout: &str) -> (&str, Option<Field>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = layout.get(at..).unwrap_or_default();
        if let Some((length, field)) = field_at(rest) {
            return (
                layout.get(..at).unwrap_or_default(),
                Some(field),
                rest.get(length..).unwrap_or_default(),
            );
        }
    }
    (layout, None, "")
}

fn field_at(rest: &str) -> Option<(usize, Field)> {
    // The year after an underscore is a year, not a padded day.
    if rest.starts_with("_2006") {
        return None;
    }
    for (spelling, field) in SPELLINGS {
        if !rest.starts_with(spelling) {
            continue;
        }
        let after = rest.get(spelling.len()..).unwrap_or_default();
        // A month's or day's short name must not run on in lower case.
        if matches!(spelling, "Jan" | "Mon") && after.starts_with(|c: char| c.is_ascii_lowercase())
        {
            continue;
        }
        return Some((spelling.len(), field));
    }
    fraction_at(rest)
}

/// `.000` or `,999` not followed by a digit.
fn fraction_at(rest: &str) -> Option<(usize, Field)> {
    let body = rest.strip_prefix(['.', ','])?;
    let first = body.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let digits = body.len() - body.trim_start_matches(first).len();
    let runs_on = body
        .get(digits..)
        .is_some_and(|s| s.starts_with(|c: char| c.is_ascii_digit()));
    (!runs_on).then_some((
        digits + 1,
        Field::Fraction {
            zeros: first == '0',
            digits,
        },
    ))
}

/// `Time.Format`
pub(super) fn format(time: &Time, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    loop {
        let (text, field, after) = next(rest);
        out.push_str(text);
        let Some(field) = field else { return out };
        let separator = rest
            .get(text.len()..)
            .and_then(|s| s.chars().next())
            .unwrap_or('.');
        out.push_str(&write(time, field, separator));
        rest = after;
    }
}

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

fn write(time: &Time, field: Field, separator: char) -> String {
    let t = time.civil();
    let month = usize::try_from(t.month() - 1)
        .ok()
        .and_then(|i| MONTHS.get(i))
        .copied()
        .unwrap_or_default();
    let day = usize::try_from(t.weekday().to_sunday_zero_offset())
        .ok()
        .and_then(|i| DAYS.get(i))
        .copied()
        .unwrap_or_default();
    let hour12 = if t.hour() % 12 == 0 {
        12
    } else {
        t.hour() % 12
    };
    match field {
        Field::LongMonth => month.to_owned(),
        Field::Month => short(month).to_owned(),
        Field::NumMonth => t.month().to_string(),
        Field::ZeroMonth => format!("{:02}", t.month()),
        Field::LongDay => day.to_owned(),
        Field::WeekDay => short(day).to_owned(),
        Field::Day => t.day().to_string(),
        Field::UnderDay => format!("{:2}", t.day()),
        Field::ZeroDay => format!("{:02}", t.day()),
        Field::UnderYearDay => format!("{:3}", t.date().day_of_year()),
        Field::ZeroYearDay => format!("{:03}", t.date().day_of_year()),
        Field::Hour => format!("{:02}", t.hour()),
        Field::Hour12 => hour12.to_string(),
        Field::ZeroHour12 => format!("{hour12:02}"),
        Field::Minute => t.minute().to_string(),
        Field::ZeroMinute => format!("{:02}", t.minute()),
        Field::Second => t.second().to_string(),
        Field::ZeroSecond => format!("{:02}", t.second()),
        Field::LongYear => format!("{:04}", t.year()),
        Field::Year => format!("{:02}", t.year().rem_euclid(100)),
        Field::UpperHalf => if t.hour() >= 12 { "PM" } else { "AM" }.to_owned(),
        Field::LowerHalf => if t.hour() >= 12 { "pm" } else { "am" }.to_owned(),
        Field::ZoneName => time.zone.clone(),
        Field::Zone { z: true, .. } if time.offset.seconds() == 0 => "Z".to_owned(),
        Field::Zone { colons, parts, .. } => zone_text(time.offset, colons, parts),
        Field::Fraction { zeros, digits } => {
            let all = format!("{:09}", t.subsec_nanosecond());
            let part = all.get(..digits.min(9)).unwrap_or(&all);
            let part = if zeros {
                part
            } else {
                part.trim_end_matches('0')
            };
            if part.is_empty() {
                String::new()
            } else {
                format!("{separator}{part}")
            }
        }
    }
}

fn zone_text(offset: Offset, colons: bool, parts: usize) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let total = seconds.abs();
    let numbers = [total / 3600, total / 60 % 60, total % 60];
    let texts: Vec<String> = numbers
        .iter()
        .take(parts)
        .map(|n| format!("{n:02}"))
        .collect();
    format!("{sign}{}", texts.join(if colons { ":" } else { "" }))
}

/// What a text has told so far.
#[derive(Default)]
struct Parsed {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    year_day: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    afternoon: Option<bool>,
    offset: Option<i32>,
    zone: Option<String>,
}

/// `time.Parse` in UTC; nothing when the text does not fit the layout.
pub(super) fn parse(layout: &str, text: &str) -> Option<Time> {
    let mut parsed = Parsed::default();
    let (mut layout, mut text) = (layout, text);
    loop {
        let (literal, field, after) = next(layout);
        text = skip(text, literal)?;
        let Some(field) = field else { break };
        text = read(&mut parsed, field, text, after)?;
        layout = after;
    }
    if text.is_empty() { parsed.time() } else { None }
}

/// Skips a literal; blanks match any number of blanks.
fn skip<'t>(text: &'t str, literal: &str) -> Option<&'t str> {
    let mut text = text;
    let mut literal = literal;
    while let Some(c) = literal.chars().next() {
        if c == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            literal = literal.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
        } else {
            text = text.strip_prefix(c)?;
            literal = literal.get(c.len_utf8()..)?;
        }
    }
    Some(text)
}

fn digits(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let count = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if count < least {
        return None;
    }
    let (number, rest) = text.split_at(count);
    Some((number.parse().ok()?, rest))
}

fn named<'t>(text: &'t str, names: &[&str], length: Option<usize>) -> Option<(i8, &'t str)> {
    names.iter().enumerate().find_map(|(i, name)| {
        let name = length.map_or(*name, |n| name.get(..n).unwrap_or(name));
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name)
            .then(|| text.get(name.len()..))
            .flatten()
            .and_then(|rest| Some((i8::try_from(i).ok()?, rest)))
    })
}

#[expect(
    clippy::too_many_lines,
    reason = "one short arm for each field of a layout"
)]
fn read<'t>(p: &mut Parsed, field: Field, text: &'t str, after: &str) -> Option<&'t str> {
    let small = |least: usize, text: &'t str| -> Option<(i8, &'t str)> {
        let (number, rest) = digits(text, least, 2)?;
        Some((i8::try_from(number).ok()?, rest))
    };
    let rest = match field {
        Field::LongYear => {
            let (year, rest) = digits(text, 4, 4)?;
            p.year = Some(i16::try_from(year).ok()?);
            rest
        }
        Field::Year => {
            let (year, rest) = digits(text, 2, 2)?;
            p.year = Some(i16::try_from(if year >= 69 { year + 1900 } else { year + 2000 }).ok()?);
            rest
        }
        Field::LongMonth | Field::Month => {
            let (month, rest) = named(text, &MONTHS, (field == Field::Month).then_some(3))?;
            p.month = Some(month + 1);
            rest
        }
        Field::NumMonth | Field::ZeroMonth => {
            let (month, rest) = small(if field == Field::ZeroMonth { 2 } else { 1 }, text)?;
            p.month = Some(month);
            rest
        }
        Field::LongDay | Field::WeekDay => {
            named(text, &DAYS, (field == Field::WeekDay).then_some(3))?.1
        }
        Field::Day | Field::UnderDay | Field::ZeroDay => {
            let text = if field == Field::UnderDay {
                text.strip_prefix(' ').unwrap_or(text)
            } else {
                text
            };
            let (day, rest) = small(if field == Field::ZeroDay { 2 } else { 1 }, text)?;
            p.day = Some(day);
            rest
        }
        Field::UnderYearDay | Field::ZeroYearDay => {
            let (day, rest) = digits(text.trim_start_matches(' '), 1, 3)?;
            p.year_day = Some(i16::try_from(day).ok()?);
            rest
        }
        Field::Hour => {
            let (hour, rest) = small(1, text)?;
            p.hour = Some(hour).filter(|h| *h < 24)?;
            rest
        }
        Field::Hour12 | Field::ZeroHour12 => {
            let (hour, rest) = small(if field == Field::ZeroHour12 { 2 } else { 1 }, text)?;
            p.hour = Some(hour).filter(|h| *h <= 12)?;
            rest
        }
        Field::Minute | Field::ZeroMinute => {
            let (minute, rest) = small(if field == Field::ZeroMinute { 2 } else { 1 }, text)?;
            p.minute = Some(minute).filter(|m| *m < 60)?;
            rest
        }
        Field::Second | Field::ZeroSecond => {
            let (second, rest) = small(if field == Field::ZeroSecond { 2 } else { 1 }, text)?;
            p.second = Some(second).filter(|s| *s < 60)?;
            // A fraction may follow though the layout has none.
            match fraction_at(after) {
                Some(_) => rest,
                None => fraction(p, rest).unwrap_or(rest),
            }
        }
        Field::Fraction {
            zeros,
            digits: count,
        } => {
            if zeros {
                let rest = fraction(p, text)?;
                if text.len() - rest.len() != count + 1 {
                    return None;
                }
                rest
            } else {
                fraction(p, text).unwrap_or(text)
            }
        }
        Field::UpperHalf | Field::LowerHalf => {
            let (am, pm) = if field == Field::UpperHalf {
                ("AM", "PM")
            } else {
                ("am", "pm")
            };
            p.afternoon = Some(text.starts_with(pm));
            text.strip_prefix(pm).or_else(|| text.strip_prefix(am))?
        }
        Field::ZoneName => zone_name(p, text)?,
        Field::Zone { z: true, .. } if text.starts_with('Z') => {
            p.offset = Some(0);
            text.get(1..)?
        }
        Field::Zone { colons, parts, .. } => zone_offset(p, text, colons, parts)?,
    };
    Some(rest)
}

/// `.123`, when the text goes on with it.
fn fraction<'t>(p: &mut Parsed, text: &'t str) -> Option<&'t str> {
    let body = text.strip_prefix(['.', ','])?;
    let count = body.bytes().take_while(u8::is_ascii_digit).count();
    if count == 0 || count > 9 {
        return None;
    }
    let (number, rest) = body.split_at(count);
    p.nanosecond = format!("{number:0<9}").parse().ok()?;
    Some(rest)
}

fn zone_offset<'t>(p: &mut Parsed, text: &'t str, colons: bool, parts: usize) -> Option<&'t str> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let mut rest = text.get(1..)?;
    let mut seconds = 0;
    for (i, unit) in [3600, 60, 1].into_iter().take(parts).enumerate() {
        if i > 0 && colons {
            rest = rest.strip_prefix(':')?;
        }
        let (number, after) = digits(rest, 2, 2)?;
        if number > if i == 0 { 24 } else { 60 } {
            return None;
        }
        seconds += number * unit;
        rest = after;
    }
    p.offset = Some(sign * seconds);
    Some(rest)
}

/// Three or four capitals, or `GMT` with hours.
fn zone_name<'t>(p: &mut Parsed, text: &'t str) -> Option<&'t str> {
    let count = text
        .bytes()
        .take(6)
        .take_while(u8::is_ascii_uppercase)
        .count();
    let length = match count {
        3 => 3,
        4 if text.as_bytes().get(3) == Some(&b'T') || text.starts_with("WITA") => 4,
        5 if text.as_bytes().get(4) == Some(&b'T') => 5,
        _ => return None,
    };
    let (name, rest) = text.split_at(length);
    p.zone = Some(name.to_owned());
    Some(rest)
}

impl Parsed {
    fn time(self) -> Option<Time> {
        let year = self.year.unwrap_or(0);
        let date = match self.year_day {
            Some(day) => {
                let first = Date::new(year, 1, 1).ok()?;
                let date = first
                    .checked_add(jiff::Span::new().try_days(i64::from(day) - 1).ok()?)
                    .ok()?;
                Some(date).filter(|d| d.year() == year)?
            }
            None => Date::new(year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?,
        };
        let hour = match (self.afternoon, self.hour) {
            (Some(true), hour) if hour < 12 => hour + 12,
            (Some(false), 12) => 0,
            (_, hour) => hour,
        };
        let civil = date.at(hour, self.minute, self.second, self.nanosecond);
        let zone = self.zone.unwrap_or_else(|| {
            if self.offset.unwrap_or(0) == 0 {
                "UTC".into()
            } else {
                String::new()
            }
        });
        let offset = Offset::from_seconds(self.offset.unwrap_or(0)).ok()?;
        let zone = if zone.is_empty() {
            zone_text(offset, false, 2)
        } else {
            zone
        };
        Some(Time {
            instant: offset.to_timestamp(civil).ok()?,
            offset,
            zone,
        })
    }
}
