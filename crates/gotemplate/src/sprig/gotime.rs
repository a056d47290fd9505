//! Instants and durations with the methods that templates call on Go's `time.Time` and `time.Duration`.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::value::{Opaque, Value};

use super::args::{Answer, fail, int, text};
use super::layout;

/// An instant and the offset in which it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) instant: Timestamp,
    pub(super) offset: Offset,
    pub(super) zone: String,
}

impl Time {
    pub(super) fn utc(instant: Timestamp) -> Self {
        Self {
            instant,
            offset: Offset::UTC,
            zone: "UTC".to_owned(),
        }
    }

    /// Go's zero time, the first moment of year 1.
    pub(super) fn zero() -> Self {
        let start = jiff::civil::date(1, 1, 1).at(0, 0, 0, 0);
        Self::utc(Offset::UTC.to_timestamp(start).unwrap_or_default())
    }

    pub(super) fn from_second(second: i64) -> Self {
        let bounded = second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Self::utc(Timestamp::from_second(bounded).unwrap_or_default())
    }

    /// The same instant in a zone of the IANA database; nothing when it does not know the name.
    pub(super) fn in_zone(&self, name: &str) -> Option<Self> {
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Self::utc(self.instant));
        }
        let zone = zone(name)?;
        let info = zone.to_offset_info(self.instant);
        Some(Self {
            instant: self.instant,
            offset: info.offset(),
            zone: info.abbreviation().to_owned(),
        })
    }

    pub(super) fn civil(&self) -> DateTime {
        self.offset.to_datetime(self.instant)
    }

    /// Later by so many nanoseconds; as far as times reach.
    pub(super) fn plus(&self, nanoseconds: i64) -> Self {
        let moved = self
            .instant
            .checked_add(jiff::SignedDuration::from_nanos(nanoseconds));
        let bound = if nanoseconds < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        Self {
            instant: moved.unwrap_or(bound),
            ..self.clone()
        }
    }

    /// Nanoseconds since another time.
    pub(super) fn since(&self, other: &Self) -> i64 {
        let nanos = self.instant.as_nanosecond() - other.instant.as_nanosecond();
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    pub(super) fn value(self) -> Value {
        Value::Opaque(Arc::new(self))
    }

    fn add_date(&self, years: i64, months: i64, days: i64) -> Option<Self> {
        // Days beyond the end of a month run over into the next, as in Go.
        let civil = self.civil();
        let month = i64::from(civil.year())
            .checked_add(years)?
            .checked_mul(12)?
            .checked_add(i64::from(civil.month()) - 1 + months)?;
        let year = i16::try_from(month.div_euclid(12)).ok()?;
        let first =
            jiff::civil::Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?;
        let date = first
            .checked_add(
                jiff::Span::new()
                    .try_days(days.checked_add(i64::from(civil.day()) - 1)?)
                    .ok()?,
            )
            .ok()?;
        let instant = self
            .offset
            .to_timestamp(date.to_datetime(civil.time()))
            .ok()?;
        Some(Self {
            instant,
            ..self.clone()
        })
    }
}

pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

impl Opaque for Time {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn text(&self) -> String {
        layout::format(self, "2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn to_json(&self) -> serde_json::Value {
        layout::format(self, "2006-01-02T15:04:05.999999999Z07:00").into()
    }

    fn member(&self, name: &str, args: &[Value]) -> Option<Answer> {
        let civil = self.civil();
        let number = |n: i64| Value::Int(n);
        Some(match (name, args) {
            ("Year", []) => Ok(number(civil.year().into())),
            ("Month", []) => Ok(month(civil.month())),
            ("Day", []) => Ok(number(civil.day().into())),
            ("Hour", []) => Ok(number(civil.hour().into())),
            ("Minute", []) => Ok(number(civil.minute().into())),
            ("Second", []) => Ok(number(civil.second().into())),
            ("Nanosecond", []) => Ok(number(civil.subsec_nanosecond().into())),
            ("YearDay", []) => Ok(number(civil.date().day_of_year().into())),
            ("Weekday", []) => Ok(weekday(civil.weekday())),
            ("Unix", []) => Ok(Value::Int64(self.instant.as_second())),
            ("UnixMilli", []) => Ok(Value::Int64(self.instant.as_millisecond())),
            ("UnixMicro", []) => Ok(Value::Int64(self.instant.as_microsecond())),
            ("UnixNano", []) => Ok(Value::Int64(
                i64::try_from(self.instant.as_nanosecond()).unwrap_or_default(),
            )),
            ("String", []) => Ok(self.text().into()),
            ("UTC" | "Local", []) => Ok(Self::utc(self.instant).value()),
            ("IsZero", []) => Ok((self.instant == Self::zero().instant).into()),
            ("Format", [Value::Str(l)]) => Ok(layout::format(self, l).into()),
            ("Add", [by]) => match by {
                Value::Int(n) => Ok(self.plus(*n).value()),
                Value::Opaque(o) if o.integer().is_some() => {
                    Ok(self.plus(o.integer().unwrap_or(0)).value())
                }
                other => fail(format!(
                    "wrong type for value; expected time.Duration; got {}",
                    other.type_name()
                )),
            },
            ("AddDate", [Value::Int(_), Value::Int(_), Value::Int(_)]) => {
                match self.add_date(int(args, 0), int(args, 1), int(args, 2)) {
                    Some(time) => Ok(time.value()),
                    None => fail("the date is out of range"),
                }
            }
            ("Sub" | "Before" | "After" | "Equal" | "Compare", [other]) => {
                match other.downcast::<Self>() {
                    Some(other) => Ok(self.relation(name, other)),
                    None => fail(format!(
                        "wrong type for value; expected time.Time; got {}",
                        other.type_name()
                    )),
                }
            }
            (
                "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Unix" | "Weekday"
                | "YearDay" | "Format" | "Add" | "AddDate" | "Sub" | "Before" | "After" | "Equal"
                | "UTC" | "Local" | "String" | "IsZero",
                _,
            ) => fail(format!("wrong arguments for {name}: {}", text(args, 0))),
            _ => return None,
        })
    }
}

impl Time {
    fn relation(&self, name: &str, other: &Self) -> Value {
        match name {
            "Sub" => Named::duration(self.since(other)),
            "Before" => (self.instant < other.instant).into(),
            "After" => (self.instant > other.instant).into(),
            "Equal" => (self.instant == other.instant).into(),
            _ => Value::Int(self.instant.cmp(&other.instant) as i64),
        }
    }
}

/// An integer type with a name of its own for each value: durations, months, days of the week.
#[derive(Debug)]
pub(super) struct Named {
    kind: &'static str,
    type_name: &'static str,
    number: i64,
    text: String,
}

impl Named {
    pub(super) fn duration(nanoseconds: i64) -> Value {
        let text = duration_text(nanoseconds);
        Value::Opaque(Arc::new(Self {
            kind: "int64",
            type_name: "time.Duration",
            number: nanoseconds,
            text,
        }))
    }
}

fn month(number: i8) -> Value {
    let text = usize::try_from(number - 1)
        .ok()
        .and_then(|i| layout::MONTHS.get(i))
        .copied()
        .unwrap_or_default();
    let text = text.to_owned();
    Value::Opaque(Arc::new(Named {
        kind: "int",
        type_name: "time.Month",
        number: number.into(),
        text,
    }))
}

fn weekday(day: jiff::civil::Weekday) -> Value {
    let number = day.to_sunday_zero_offset();
    let text = usize::try_from(number)
        .ok()
        .and_then(|i| layout::DAYS.get(i))
        .copied()
        .unwrap_or_default()
        .to_owned();
    Value::Opaque(Arc::new(Named {
        kind: "int",
        type_name: "time.Weekday",
        number: number.into(),
        text,
    }))
}

impl Opaque for Named {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> &'static str {
        self.kind
    }

    fn text(&self) -> String {
        self.text.clone()
    }

    fn integer(&self) -> Option<i64> {
        Some(self.number)
    }

    fn to_json(&self) -> serde_json::Value {
        self.number.into()
    }

    fn member(&self, name: &str, args: &[Value]) -> Option<Answer> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "durations as floats lose precision in Go too"
        )]
        let number = self.number as f64;
        if !args.is_empty() {
            return None;
        }
        Some(Ok(match (self.type_name, name) {
            (_, "String") => self.text.as_str().into(),
            ("time.Duration", "Hours") => Value::Float(number / 3.6e12),
            ("time.Duration", "Minutes") => Value::Float(number / 6e10),
            ("time.Duration", "Seconds") => Value::Float(number / 1e9),
            ("time.Duration", "Milliseconds") => Value::Int64(self.number / 1_000_000),
            ("time.Duration", "Microseconds") => Value::Int64(self.number / 1_000),
            ("time.Duration", "Nanoseconds") => Value::Int64(self.number),
            _ => return None,
        }))
    }
}

/// Go's text of a duration, such as `1h2m3.5s`.
pub(super) fn duration_text(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    let fraction = |n: u64, unit: u64| {
        let digits = unit.to_string().len() - 1;
        let part = format!("{:0digits$}", n % unit);
        let part = part.trim_end_matches('0');
        if part.is_empty() || unit == 1 {
            (n / unit).to_string()
        } else {
            format!("{}.{part}", n / unit)
        }
    };
    match total {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{total}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(total, 1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(total, 1_000_000)),
        _ => {
            let minutes = total / 60_000_000_000;
            let seconds = fraction(total % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, m) => format!("{sign}{m}m{seconds}s"),
                (h, m) => format!("{sign}{h}h{m}m{seconds}s"),
            }
        }
    }
}

/// Go's `ParseDuration`; nothing when the text is malformed or out of range.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
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
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let digits = |d: &str| {
            if d.is_empty() {
                Some(0)
            } else {
                d.parse::<i64>().ok().map(i128::from)
            }
        };
        total += digits(whole)? * unit;
        let fraction = fraction.get(..fraction.len().min(15)).unwrap_or_default();
        total += digits(fraction)? * unit / 10i128.pow(u32::try_from(fraction.len()).ok()?);
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}
