//! Five-field cron schedules, as robfig/cron reads them.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use thiserror::Error;

/// What is wrong with a schedule; the wording is robfig/cron's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Nothing at all.
    #[error("empty spec string")]
    Empty,
    /// `@daily` and the like, which sync windows do not take.
    #[error("parser does not accept descriptors: {0}")]
    Descriptor(String),
    /// Not five fields.
    #[error("expected exactly 5 fields, found {}: [{}]", .0.len(), .0.join(" "))]
    Fields(Vec<String>),
    /// Below what the field can hold.
    #[error("beginning of range ({0}) below minimum ({1}): {2}")]
    BelowMinimum(u32, u32, String),
    /// Above what the field can hold.
    #[error("end of range ({0}) above maximum ({1}): {2}")]
    AboveMaximum(u32, u32, String),
    /// A range that ends before it begins.
    #[error("beginning of range ({0}) beyond end of range ({1}): {2}")]
    Backwards(u32, u32, String),
    /// `/0`.
    #[error("step of range should be a positive number: {0}")]
    ZeroStep(String),
    /// More than one `-`.
    #[error("too many hyphens: {0}")]
    Hyphens(String),
    /// More than one `/`.
    #[error("too many slashes: {0}")]
    Slashes(String),
    /// Neither a number nor a name.
    #[error("failed to parse int from {0}")]
    Number(String),
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// How far ahead a schedule is searched; beyond it, it counts as one that never comes.
const YEARS: i16 = 5;

/// The values that a field admits, and whether it admits all of them by a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    star: bool,
}

impl Field {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits & (1 << value) != 0)
    }
}

/// A parsed schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

impl Schedule {
    /// Parses `minute hour day month weekday`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        if text.starts_with('@') {
            return Err(Error::Descriptor(text.to_owned()));
        }
        let fields: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(Error::Fields(fields));
        };
        let none = BTreeMap::new();
        Ok(Self {
            minute: field(minute, 0, 59, &none)?,
            hour: field(hour, 0, 23, &none)?,
            day: field(day, 1, 31, &none)?,
            month: field(month, 1, 12, &named(&MONTHS, 1))?,
            weekday: field(weekday, 0, 6, &named(&DAYS, 0))?,
        })
    }

    /// The first time of the schedule after `after`; `None` if none comes within five years.
    pub fn next(&self, after: DateTime) -> Option<DateTime> {
        let mut date = after.date();
        let last_year = date.year().checked_add(YEARS)?;
        // On the first day only what is later than `after` counts, to the second.
        let mut earliest = Some(after);
        while date.year() <= last_year {
            if self.admits(date)
                && let Some(time) = self.first_time(date, earliest)
            {
                return Some(date.to_datetime(time));
            }
            earliest = None;
            date = self.next_candidate(date)?;
        }
        None
    }

    /// The next day, or the first of the next month if this month is not admitted at all.
    fn next_candidate(&self, date: Date) -> Option<Date> {
        if self.month.has(date.month()) {
            date.tomorrow().ok()
        } else {
            date.last_of_month().tomorrow().ok()
        }
    }

    /// Where both days are restricted either will do; where one is a star both have to agree.
    fn admits(&self, date: Date) -> bool {
        if !self.month.has(date.month()) {
            return false;
        }
        let day = self.day.has(date.day());
        let weekday = self.weekday.has(date.weekday().to_sunday_zero_offset());
        if self.day.star || self.weekday.star {
            day && weekday
        } else {
            day || weekday
        }
    }

    fn first_time(&self, date: Date, earliest: Option<DateTime>) -> Option<Time> {
        (0..24)
            .filter(|hour| self.hour.has(*hour))
            .flat_map(|hour| {
                (0..60)
                    .filter(|minute| self.minute.has(*minute))
                    .filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
            })
            .find(|time| earliest.is_none_or(|earliest| date.to_datetime(*time) > earliest))
    }

    /// The last time of the schedule before or at `at`, looking back at most `days` days.
    pub fn previous(&self, at: DateTime, days: i32) -> Option<DateTime> {
        let mut from = at.checked_sub(days.days()).ok()?;
        let mut last = None;
        while let Some(next) = self.next(from).filter(|next| *next <= at) {
            last = Some(next);
            from = next;
        }
        last
    }
}

fn named(names: &[&'static str], first: u32) -> BTreeMap<&'static str, u32> {
    names.iter().copied().zip(first..).collect()
}

fn field(
    text: &str,
    min: u32,
    max: u32,
    names: &BTreeMap<&'static str, u32>,
) -> Result<Field, Error> {
    let mut whole = Field {
        bits: 0,
        star: false,
    };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let one = range(part, min, max, names)?;
        whole.bits |= one.bits;
        whole.star |= one.star;
    }
    Ok(whole)
}

fn range(
    text: &str,
    min: u32,
    max: u32,
    names: &BTreeMap<&'static str, u32>,
) -> Result<Field, Error> {
    let (bounds, step) = match text.split('/').collect::<Vec<_>>().as_slice() {
        [bounds] => (*bounds, None),
        [bounds, step] => (*bounds, Some(*step)),
        _ => return Err(Error::Slashes(text.to_owned())),
    };
    let bounds: Vec<_> = bounds.split('-').collect();
    let any = matches!(bounds[0], "*" | "?");
    let (start, mut end) = match bounds.as_slice() {
        _ if any => (min, max),
        [only] => {
            let value = value(only, names)?;
            (value, value)
        }
        [low, high] => (value(low, names)?, value(high, names)?),
        _ => return Err(Error::Hyphens(text.to_owned())),
    };
    let step = match step {
        None => 1,
        Some(step) => {
            if bounds.len() == 1 {
                end = max;
            }
            number(step)?
        }
    };
    if start < min {
        return Err(Error::BelowMinimum(start, min, text.to_owned()));
    }
    if end > max {
        return Err(Error::AboveMaximum(end, max, text.to_owned()));
    }
    if start > end {
        return Err(Error::Backwards(start, end, text.to_owned()));
    }
    if step == 0 {
        return Err(Error::ZeroStep(text.to_owned()));
    }
    let stride = usize::try_from(step).unwrap_or(usize::MAX);
    let bits = (start..=end)
        .step_by(stride)
        .fold(0, |bits, value| bits | 1_u64 << value);
    Ok(Field {
        bits,
        star: any && step == 1,
    })
}

fn value(text: &str, names: &BTreeMap<&'static str, u32>) -> Result<u32, Error> {
    match names.get(text.to_lowercase().as_str()) {
        Some(value) => Ok(*value),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, Error> {
    text.parse().map_err(|_| Error::Number(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    fn next(schedule: &str, after: DateTime) -> Option<DateTime> {
        Schedule::parse(schedule).unwrap().next(after)
    }

    #[test]
    fn the_next_time_is_strictly_later() {
        let nine = datetime(2026, 3, 8, 9, 0, 0, 0);
        assert_eq!(
            next("0 9 * * *", nine),
            Some(datetime(2026, 3, 9, 9, 0, 0, 0))
        );
        let before = datetime(2026, 3, 8, 8, 59, 59, 900_000_000);
        assert_eq!(next("0 9 * * *", before), Some(nine));
    }

    #[test]
    fn restricted_days_are_either_or() {
        // 13 March 2026 is a Friday; the 8th a Sunday.
        let from = datetime(2026, 3, 8, 12, 0, 0, 0);
        assert_eq!(
            next("0 0 20 * fri", from),
            Some(datetime(2026, 3, 13, 0, 0, 0, 0))
        );
        assert_eq!(
            next("0 0 13 * *", from),
            Some(datetime(2026, 3, 13, 0, 0, 0, 0))
        );
        assert_eq!(
            next("0 0 */5 * 1", from),
            Some(datetime(2026, 3, 9, 0, 0, 0, 0))
        );
    }

    #[test]
    fn what_never_comes_is_none() {
        assert_eq!(next("0 0 31 2 *", datetime(2026, 1, 1, 0, 0, 0, 0)), None);
        assert_eq!(
            next("0 0 29 2 *", datetime(2026, 1, 1, 0, 0, 0, 0)),
            Some(datetime(2028, 2, 29, 0, 0, 0, 0))
        );
    }

    #[test]
    fn looks_back_too() {
        let schedule = Schedule::parse("0 */6 * * *").unwrap();
        assert_eq!(
            schedule.previous(datetime(2026, 3, 8, 13, 0, 0, 0), 1),
            Some(datetime(2026, 3, 8, 12, 0, 0, 0))
        );
    }
}
