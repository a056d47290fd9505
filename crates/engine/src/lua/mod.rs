//! Users' Lua, fenced: health checks and actions from `argocd-cm`.
//!
//! A script sees the object and nothing else: no files, no network, no processes. It has a budget of
//! instructions and of memory, so that a script that loops or eats memory is an error of its own and
//! of nobody else's. The clock it sees is a parameter.

mod clock;

use std::collections::BTreeMap;

use jiff::Timestamp;
use mlua::{HookTriggers, Lua, LuaOptions, LuaSerdeExt as _, StdLib, Value as LuaValue, VmState};
use serde_json::Value;

use crate::health::{Health, HealthStatus};

/// About a second of interpretation; counted in instructions, so that the same script always gets
/// the same answer.
const INSTRUCTIONS: u32 = 40_000_000;
/// How often the count is looked at.
const STRIDE: u32 = 10_000;
/// Memory that a script may hold.
const MEMORY: usize = 64 << 20;

/// Why a script gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not compile, or failed while it ran, or used up its budget.
    #[error("the Lua script failed: {0}")]
    Failed(String),
    /// It returned something else than it should.
    #[error("the Lua script returned {0} where a table is expected")]
    NoTable(&'static str),
    /// A field of the returned table is no text.
    #[error("the Lua script returned a `{0}` that is no text")]
    NoText(&'static str),
}

/// Runs a health script on an object. A script that returns nothing, or an empty table, gives an
/// unset status; a word that is no health code gives `Unknown`.
pub fn health(
    script: &str,
    open_libraries: bool,
    object: &Value,
    now: Timestamp,
) -> Result<Health, Error> {
    let lua = sandbox(open_libraries, now).map_err(|error| failed(&error))?;
    let nullless = mlua::serde::ser::Options::new()
        .set_array_metatable(false)
        .serialize_none_to_null(false)
        .serialize_unit_to_null(false);
    let object = lua
        .to_value_with(object, nullless)
        .map_err(|error| failed(&error))?;
    lua.globals()
        .set("obj", object)
        .map_err(|error| failed(&error))?;
    let answer: LuaValue = lua
        .load(script)
        .set_name("=script")
        .eval()
        .map_err(|error| failed(&error))?;
    read(&answer)
}

/// Fails where a script cannot be read; an empty one can.
pub fn compiles(script: &str) -> Result<(), Error> {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::new()).map_err(|error| failed(&error))?;
    let read = lua.load(script).set_name("=script").into_function();
    read.map(drop).map_err(|error| failed(&error))
}

/// Runs a script on an object, with the parameters of an action if it is one, and returns what it
/// returns as JSON. An empty table of its own making is an empty map.
pub fn answer(
    script: &str,
    object: &Value,
    parameters: Option<&BTreeMap<String, String>>,
    now: Timestamp,
) -> Result<Value, Error> {
    let run = || -> mlua::Result<Value> {
        let lua = sandbox(true, now)?;
        let shaped = mlua::serde::ser::Options::new()
            .serialize_none_to_null(false)
            .serialize_unit_to_null(false);
        let globals = lua.globals();
        globals.set("obj", lua.to_value_with(object, shaped)?)?;
        if let Some(parameters) = parameters {
            globals.set("actionParams", lua.to_value(parameters)?)?;
        }
        let answer: LuaValue = lua.load(script).set_name("=script").eval()?;
        lua.from_value(answer)
    };
    run().map_err(|error| failed(&error))
}

fn failed(error: &mlua::Error) -> Error {
    Error::Failed(error.to_string())
}

fn sandbox(open_libraries: bool, now: Timestamp) -> mlua::Result<Lua> {
    let libraries = if open_libraries {
        StdLib::TABLE | StdLib::STRING | StdLib::MATH
    } else {
        StdLib::TABLE
    };
    let lua = Lua::new_with(libraries, LuaOptions::new())?;
    lua.set_memory_limit(MEMORY)?;
    let globals = lua.globals();
    for outside in ["dofile", "loadfile", "print", "collectgarbage"] {
        globals.set(outside, LuaValue::Nil)?;
    }
    globals.set("os", clock::library(&lua, now)?)?;
    let mut left = INSTRUCTIONS / STRIDE;
    let count = std::sync::Mutex::new(move || {
        left = left.saturating_sub(1);
        left
    });
    lua.set_hook(
        HookTriggers::new().every_nth_instruction(STRIDE),
        move |_, _| {
            let left = count.lock().map_or(0, |mut count| count());
            if left == 0 {
                return Err(mlua::Error::runtime("it ran for too long"));
            }
            Ok(VmState::Continue)
        },
    )?;
    Ok(lua)
}

fn read(answer: &LuaValue) -> Result<Health, Error> {
    let table = match answer {
        LuaValue::Nil => return Ok(Health::default()),
        LuaValue::Table(table) => table,
        other => return Err(Error::NoTable(other.type_name())),
    };
    if table.is_empty() {
        return Ok(Health::default());
    }
    let text = |key: &'static str| -> Result<String, Error> {
        match table.get::<LuaValue>(key) {
            Ok(LuaValue::Nil) => Ok(String::new()),
            Ok(LuaValue::String(text)) => Ok(text.to_string_lossy()),
            _ => Err(Error::NoText(key)),
        }
    };
    let (status, message) = (text("status")?, text("message")?);
    Ok(match HealthStatus::parse(&status) {
        Some(status) if status != HealthStatus::Unset => Health::new(status, message),
        _ => Health::unknown("Lua returned an invalid health status"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(script: &str) -> Result<Health, Error> {
        health(
            script,
            false,
            &json!({"status": {"n": 3}}),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_script_that_loops_is_stopped() {
        assert!(matches!(run("while true do end"), Err(Error::Failed(_))));
    }

    #[test]
    fn a_script_that_eats_memory_is_stopped() {
        let script = "local t = {} for i = 1, 1e9 do t[i] = {i} end";
        assert!(matches!(run(script), Err(Error::Failed(_))));
    }

    #[test]
    fn nothing_outside_can_be_reached() {
        for name in [
            "io",
            "os.execute",
            "os.getenv",
            "require",
            "dofile",
            "string",
            "debug",
        ] {
            let script =
                format!("if {name} ~= nil then return {{status='Degraded'}} end return nil");
            assert_eq!(run(&script), Ok(Health::default()), "{name}");
        }
    }

    #[test]
    fn an_unknown_word_is_an_unknown_health() {
        assert_eq!(
            run("return {status='Fine'}"),
            Ok(Health::unknown("Lua returned an invalid health status"))
        );
    }
}
