//! What a schema says of a single value besides its type: enumerations, bounds, patterns, formats.

use regex::Regex;
use serde_json::Value;

use super::super::failure::Cause;

/// Adds what `schema` forbids of `value`, which has the right type.
pub(super) fn limits(path: &str, value: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let known: Vec<_> = known.iter().map(text).collect();
        causes.push(Cause::unsupported(path, value, &known));
    }
    match value {
        Value::Number(_) => number(path, value, schema, causes),
        Value::String(text) => string(path, text, schema, causes),
        Value::Array(items) => array(path, items, value, schema, causes),
        Value::Object(map) => {
            let least = schema["minProperties"].as_u64();
            if let Some(least) = least.filter(|least| (map.len() as u64) < *least) {
                let told = format!("should have at least {least} properties");
                causes.push(invalid(path, value, &told));
            }
            let most = schema["maxProperties"].as_u64();
            if let Some(most) = most.filter(|most| map.len() as u64 > *most) {
                causes.push(Cause::too_many(path, map.len(), most));
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn invalid(path: &str, value: &Value, told: &str) -> Cause {
    Cause::invalid(path, value, &format!("{path} in body {told}"))
}

fn number(path: &str, value: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    let number = value.as_f64().unwrap_or_default();
    if let Some(least) = schema["minimum"].as_f64() {
        let open = schema["exclusiveMinimum"] == true;
        if number < least || open && number <= least {
            let or_equal = if open { "" } else { " or equal to" };
            let told = format!("should be greater than{or_equal} {least}");
            causes.push(invalid(path, value, &told));
        }
    }
    if let Some(most) = schema["maximum"].as_f64() {
        let open = schema["exclusiveMaximum"] == true;
        if number > most || open && number >= most {
            let or_equal = if open { "" } else { " or equal to" };
            causes.push(invalid(
                path,
                value,
                &format!("should be less than{or_equal} {most}"),
            ));
        }
    }
    if let Some(step) = schema["multipleOf"].as_f64()
        && (number / step).fract() != 0.0
    {
        causes.push(invalid(
            path,
            value,
            &format!("should be a multiple of {step}"),
        ));
    }
}

fn string(path: &str, text: &str, schema: &Value, causes: &mut Vec<Cause>) {
    let value = Value::from(text);
    let length = text.chars().count() as u64;
    if let Some(least) = schema["minLength"].as_u64().filter(|least| length < *least) {
        causes.push(invalid(
            path,
            &value,
            &format!("should be at least {least} chars long"),
        ));
    }
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| length > *most) {
        causes.push(Cause::too_long(path, most));
    }
    // A pattern that this engine cannot read forbids nothing.
    if let Some(pattern) = schema["pattern"].as_str()
        && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
    {
        causes.push(invalid(path, &value, &format!("should match '{pattern}'")));
    }
    if let Some(format) = schema["format"].as_str()
        && !has_format(text, format)
    {
        let told = format!("must be of type {format}: {text:?}");
        causes.push(invalid(path, &value, &told));
    }
}

/// Whether a text has one of the formats that the server knows; others forbid nothing.
fn has_format(text: &str, format: &str) -> bool {
    match format {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "uuid" => {
            let plain: String = text.chars().filter(|c| *c != '-').collect();
            plain.len() == 32 && plain.bytes().all(|b| b.is_ascii_hexdigit())
        }
        _ => true,
    }
}

fn array(path: &str, items: &[Value], value: &Value, schema: &Value, causes: &mut Vec<Cause>) {
    let length = items.len() as u64;
    if let Some(least) = schema["minItems"].as_u64().filter(|least| length < *least) {
        causes.push(invalid(
            path,
            value,
            &format!("should have at least {least} items"),
        ));
    }
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| length > *most) {
        causes.push(Cause::too_many(path, items.len(), most));
    }
    let repeated = items
        .iter()
        .enumerate()
        .any(|(i, item)| items[..i].contains(item));
    if schema["uniqueItems"] == true && repeated {
        causes.push(invalid(path, value, "shouldn't contain duplicates"));
    }
}
