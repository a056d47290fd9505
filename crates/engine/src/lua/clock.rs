//! The part of Lua's `os` that scripts may use: time and date, in UTC, at the caller's moment.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use mlua::{Lua, Table, Value};

pub(super) fn library(lua: &Lua, now: Timestamp) -> mlua::Result<Table> {
    let os = lua.create_table()?;
    os.set(
        "time",
        lua.create_function(move |_, at: Option<Table>| match at {
            None => Ok(now.as_second()),
            Some(fields) => seconds(&fields),
        })?,
    )?;
    os.set(
        "date",
        lua.create_function(move |lua, (format, at): (Option<String>, Option<i64>)| {
            date(lua, format.as_deref().unwrap_or("%c"), at, now)
        })?,
    )?;
    Ok(os)
}

fn seconds(fields: &Table) -> mlua::Result<i64> {
    let part = |key: &str, or: i16| -> mlua::Result<i16> {
        Ok(fields.get::<Option<i16>>(key)?.unwrap_or(or))
    };
    let small = |value: i16| i8::try_from(value).map_err(mlua::Error::external);
    DateTime::new(
        part("year", 1970)?,
        small(part("month", 1)?)?,
        small(part("day", 1)?)?,
        small(part("hour", 12)?)?,
        small(part("min", 0)?)?,
        small(part("sec", 0)?)?,
        0,
    )
    .and_then(|civil| civil.to_zoned(TimeZone::UTC))
    .map(|zoned| zoned.timestamp().as_second())
    .map_err(mlua::Error::external)
}

fn date(lua: &Lua, format: &str, at: Option<i64>, now: Timestamp) -> mlua::Result<Value> {
    let moment = match at {
        Some(at) => Timestamp::from_second(at).map_err(mlua::Error::external)?,
        None => now,
    };
    let zoned = moment.to_zoned(TimeZone::UTC);
    let format = format.strip_prefix('!').unwrap_or(format);
    if format.starts_with("*t") {
        let table = lua.create_table()?;
        for (key, value) in [
            ("year", i32::from(zoned.year())),
            ("month", i32::from(zoned.month())),
            ("day", i32::from(zoned.day())),
            ("hour", i32::from(zoned.hour())),
            ("min", i32::from(zoned.minute())),
            ("sec", i32::from(zoned.second())),
            ("yday", i32::from(zoned.day_of_year())),
            ("wday", i32::from(zoned.weekday().to_sunday_one_offset())),
        ] {
            table.set(key, value)?;
        }
        table.set("isdst", false)?;
        return Ok(Value::Table(table));
    }
    let text = strtime::format(format, &zoned).map_err(mlua::Error::external)?;
    Ok(Value::String(lua.create_string(text)?))
}
