//! Dates. Local time is UTC; the time now comes from outside.

use std::sync::Arc;

use crate::funcs::FuncMap;
use crate::value::Value;

use super::Seams;
use super::args::{any, fail, text};
use super::gotime::{Time, duration_text, parse_duration};
use super::layout;

const SECOND: i64 = 1_000_000_000;

type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

pub(super) fn register(m: &mut FuncMap, seams: &Seams) {
    let clock = |seams: &Seams| Arc::clone(&seams.now);
    let now = clock(seams);
    m.add("now", "", move |_| Ok(Time::utc(now()).value()));
    let now = clock(seams);
    m.add("date", "string,any", move |a| {
        Ok(shown(&now, text(a, 0), any(a, 1), "UTC"))
    });
    let now = clock(seams);
    m.add("dateInZone", "string,any,string", move |a| {
        Ok(shown(&now, text(a, 0), any(a, 1), text(a, 2)))
    });
    m.alias("dateInZone", &["date_in_zone"]);
    let now = clock(seams);
    m.add("htmlDate", "any", move |a| {
        Ok(shown(&now, "2006-01-02", any(a, 0), "UTC"))
    });
    let now = clock(seams);
    m.add("htmlDateInZone", "any,string", move |a| {
        Ok(shown(&now, "2006-01-02", any(a, 0), text(a, 1)))
    });
    m.add("dateModify", "string,time", |a| {
        let moved = parse_duration(text(a, 0)).zip(any(a, 1).downcast::<Time>());
        Ok(moved.map_or_else(|| any(a, 1).clone(), |(by, time)| time.plus(by).value()))
    });
    m.alias("dateModify", &["date_modify"]);
    m.add("mustDateModify", "string,time", |a| {
        match parse_duration(text(a, 0)).zip(any(a, 1).downcast::<Time>()) {
            Some((by, time)) => Ok(time.plus(by).value()),
            None => fail(format!("time: invalid duration {:?}", text(a, 0))),
        }
    });
    m.alias("mustDateModify", &["must_date_modify"]);
    let now = clock(seams);
    m.add("ago", "any", move |a| {
        let since = Time::utc(now()).since(&time_of(&now, any(a, 0)));
        Ok(duration_text(rounded(since)).into())
    });
    m.add("duration", "any", |a| {
        let seconds = match any(a, 0) {
            Value::Str(s) => s.parse::<i64>().unwrap_or(0),
            Value::Int64(n) => *n,
            _ => 0,
        };
        Ok(duration_text(seconds.wrapping_mul(SECOND)).into())
    });
    let now = clock(seams);
    m.add("durationRound", "any", move |a| {
        Ok(largest_unit(&now, any(a, 0)).into())
    });
    m.add("toDate", "string,string", |a| {
        Ok(layout::parse(text(a, 0), text(a, 1))
            .unwrap_or_else(Time::zero)
            .value())
    });
    m.add("mustToDate", "string,string", |a| {
        match layout::parse(text(a, 0), text(a, 1)) {
            Some(time) => Ok(time.value()),
            None => fail(format!(
                "parsing time {:?} as {:?}: cannot parse it",
                text(a, 1),
                text(a, 0)
            )),
        }
    });
    m.add("unixEpoch", "time", |a| {
        Ok(any(a, 0)
            .downcast::<Time>()
            .map_or(0, |t| t.instant.as_second())
            .to_string()
            .into())
    });
}

/// A time or a count of seconds since 1970; everything else means now.
fn time_of(now: &Clock, value: &Value) -> Time {
    match value {
        Value::Int(n) | Value::Int64(n) => Time::from_second(*n),
        other => other
            .downcast::<Time>()
            .cloned()
            .unwrap_or_else(|| Time::utc(now())),
    }
}

fn shown(now: &Clock, layout: &str, date: &Value, zone: &str) -> Value {
    let time = time_of(now, date);
    let time = time
        .in_zone(zone)
        .unwrap_or_else(|| Time::utc(time.instant));
    layout::format(&time, layout).into()
}

/// To whole seconds, halves away from zero.
fn rounded(nanoseconds: i64) -> i64 {
    let half = if nanoseconds < 0 {
        -SECOND / 2
    } else {
        SECOND / 2
    };
    nanoseconds.saturating_add(half) / SECOND * SECOND
}

/// A duration by its largest unit alone, such as `3d`.
fn largest_unit(now: &Clock, value: &Value) -> String {
    let nanoseconds = match value {
        Value::Str(s) => parse_duration(s).unwrap_or(0),
        Value::Int64(n) => *n,
        other => other
            .downcast::<Time>()
            .map_or(0, |t| Time::utc(now()).since(t)),
    };
    let seconds = 1_000_000_000;
    let units = [
        (365 * 24 * 3600 * seconds, "y"),
        (30 * 24 * 3600 * seconds, "mo"),
        (24 * 3600 * seconds, "d"),
        (3600 * seconds, "h"),
        (60 * seconds, "m"),
        (seconds, "s"),
    ];
    let size: u64 = nanoseconds.unsigned_abs();
    units.iter().find(|(unit, _)| size > *unit).map_or_else(
        || "0s".to_owned(),
        |(unit, name)| format!("{}{name}", size / unit),
    )
}
