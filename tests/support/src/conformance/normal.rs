//! Replaces what no two servers say alike by names that keep equality: the first uid is always
//! `uid-1`, and an object that was not written keeps its `version-1`.

use serde_json::{Map, Value};

/// Remembers what was replaced by what.
#[derive(Default)]
pub(crate) struct Normaliser {
    uids: Vec<String>,
    versions: Vec<String>,
    hidden: Vec<(String, String)>,
}

impl Normaliser {
    /// Shows `shown` for `text` wherever it occurs.
    pub(crate) fn hide(&mut self, text: &str, shown: &str) {
        if !text.is_empty() {
            self.hidden.push((text.to_owned(), shown.to_owned()));
        }
    }

    /// Normalises a body.
    pub(crate) fn body(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(object) => Value::Object(self.object(object)),
            Value::Array(items) => items.iter().map(|item| self.body(item)).collect(),
            Value::String(text) => Value::String(self.text(text)),
            other => other.clone(),
        }
    }

    fn object(&mut self, object: &Map<String, Value>) -> Map<String, Value> {
        // Only objects have names; the version of a list is that of the whole store.
        let is_object = object.contains_key("name") || object.contains_key("generateName");
        let mut normal = Map::new();
        for (key, value) in object {
            let shown = match (key.as_str(), value.as_str()) {
                (_, Some("")) => value.clone(),
                ("uid", Some(uid)) => numbered("uid", &mut self.uids, uid),
                ("resourceVersion", Some(version)) if is_object => {
                    numbered("version", &mut self.versions, version)
                }
                ("resourceVersion", Some(_)) => Value::from("<version>"),
                ("continue", Some(_)) => Value::from("<continue>"),
                ("clusterIP", Some(address)) if address != "None" => Value::from("<address>"),
                ("verbs", None) => sorted(value),
                ("managedFields", None) => self.body(&by_manager(value)),
                ("causes", None) => self.body(&unrepeated(value)),
                ("clusterIPs", None) => Value::from("<addresses>"),
                _ => self.body(value),
            };
            normal.insert(self.text(key), shown);
        }
        normal
    }

    /// Normalises a text: times, ages, and what was hidden or numbered before.
    pub(crate) fn text(&self, text: &str) -> String {
        if is_time(text) {
            return "<time>".to_owned();
        }
        if is_age(text) {
            return "<age>".to_owned();
        }
        let mut shown = text.to_owned();
        for (hidden, name) in &self.hidden {
            shown = shown.replace(hidden, name);
        }
        // Uids that a case made up are words like others.
        for (index, uid) in self
            .uids
            .iter()
            .enumerate()
            .filter(|(_, uid)| uid.len() > 8)
        {
            shown = shown.replace(uid, &format!("uid-{}", index + 1));
        }
        mask_number(&mut shown, "resourceVersion=");
        mask_number(&mut shown, "resource version: ");
        // What follows is the server's own: a printed object, or a key of its store.
        for marker in ["StorageError: invalid object", "Invalid value: \"{"] {
            if let Some(found) = shown.find(marker) {
                shown.truncate(found + marker.len());
            }
        }
        shown
    }
}

fn numbered(kind: &str, known: &mut Vec<String>, value: &str) -> Value {
    let index = known
        .iter()
        .position(|known| known == value)
        .unwrap_or_else(|| {
            known.push(value.to_owned());
            known.len() - 1
        });
    Value::from(format!("{kind}-{}", index + 1))
}

/// Verbs are a set.
fn sorted(value: &Value) -> Value {
    let mut items = value.as_array().cloned().unwrap_or_default();
    items.sort_by_key(ToString::to_string);
    Value::Array(items)
}

/// Managers are listed by the second of their last write, so that their order is a matter of luck.
fn by_manager(value: &Value) -> Value {
    let mut items = value.as_array().cloned().unwrap_or_default();
    let text = |item: &Value, field: &str| item[field].to_string();
    items
        .sort_by_key(|item| ["operation", "manager", "subresource"].map(|field| text(item, field)));
    Value::Array(items)
}

/// The real server repeats a cause as often as its validations overlap.
fn unrepeated(value: &Value) -> Value {
    let mut items = value.as_array().cloned().unwrap_or_default();
    items.dedup();
    Value::Array(items)
}

/// Replaces the number after a marker, unless it is 0 or 1, which cases ask for by intent.
fn mask_number(text: &mut String, marker: &str) {
    let Some(start) = text.find(marker).map(|found| found + marker.len()) else {
        return;
    };
    let length = text[start..].bytes().take_while(u8::is_ascii_digit).count();
    if length > 1 {
        text.replace_range(start..start + length, "<version>");
    }
}

/// `2026-01-02T03:04:05Z`, with or without fractions of a second.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20
        && bytes.len() <= 30
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':'
        && bytes.ends_with(b"Z")
}

/// `5s`, as tables show ages. Cases are done within minutes.
fn is_age(text: &str) -> bool {
    text.strip_suffix('s').is_some_and(|number| {
        (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}
