//! Makes a document's value while it is parsed, without a tree between, which nearly every document allows. Never says
//! what is wrong with one, and never knows aliases, tags, merges, keys other than text or keys that come twice: where it
//! gives up, the tree tells.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    Limits,
    cursor::Mark,
    error::Error,
    parse::{self, Compose, Given},
    scalar::plain,
    typed::scalar_json,
};

/// The value of the first document, null if the text has none; `None` where only its tree can tell.
pub(crate) fn read(text: &str, limits: &Limits) -> Option<Value> {
    let mut values = Values {
        room: limits.nodes.saturating_sub(1),
    };
    let value = parse::parse(text, limits.depth, &mut values).ok()?;
    Some(value.unwrap_or_default())
}

struct Values {
    /// How many more nodes the document may have.
    room: usize,
}

impl Values {
    /// Counts a node against the limit, and gives up where it has more than its content.
    fn count(&mut self, properties: &Given<'_>) -> Result<(), Error> {
        if self.room == 0 || properties.is_some() {
            return Err(unfit());
        }
        self.room -= 1;
        Ok(())
    }
}

fn unfit() -> Error {
    Error::new(String::new())
}

impl<'a> Compose<'a> for Values {
    type Node = Value;
    type Open = ();
    type Entries = Map<String, Value>;

    fn alias(&mut self, _: &'a str, _: Mark) -> Result<Value, Error> {
        Err(unfit())
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        implicit: bool,
        properties: Given<'a>,
        _: Mark,
    ) -> Result<Value, Error> {
        self.count(&properties)?;
        match plain(&text).filter(|_| implicit) {
            Some(scalar) => scalar_json(scalar),
            None => Ok(Value::String(text.into_owned())),
        }
    }

    fn open(&mut self, properties: Given<'a>, _: Mark) -> Result<(), Error> {
        self.count(&properties)
    }

    fn sequence(&mut self, (): (), items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    fn entry(
        &mut self,
        entries: &mut Map<String, Value>,
        key: Value,
        value: Value,
    ) -> Result<(), Error> {
        let Value::String(key) = key else {
            return Err(unfit());
        };
        if key == "<<" || entries.insert(key, value).is_some() {
            return Err(unfit());
        }
        Ok(())
    }

    fn mapping(&mut self, (): (), entries: Map<String, Value>) -> Value {
        Value::Object(entries)
    }
}
