//! Reading an object as its kind: absent and null are the zero value, the wrong type is an error.

use serde_json::Value;

/// Why a live object could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field has another type than the kind's.
    #[error(
        "cannot read the live {kind}: `{path}` should be {expected}; correct it in the cluster"
    )]
    WrongType {
        /// The object's kind.
        kind: String,
        /// Where, in dots.
        path: String,
        /// What the kind asks for.
        expected: &'static str,
    },
    /// The check knows the kind but not this version.
    #[error(
        "unsupported {kind} version `{group}/{version}`: no served version of this kind; update apiVersion in git"
    )]
    UnsupportedVersion {
        /// The object's kind.
        kind: String,
        /// The object's API group.
        group: String,
        /// The version it names.
        version: String,
    },
    /// An annotation that should carry JSON does not.
    #[error("cannot read annotation `{annotation}` of the live {kind}: {problem}")]
    Annotation {
        /// The object's kind.
        kind: String,
        /// The annotation's key.
        annotation: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A rule or script for this kind failed.
    #[error("cannot tell the health of {object}: {problem}")]
    Check {
        /// Namespace and name.
        object: String,
        /// What went wrong.
        problem: String,
    },
}

/// A part of an object, remembering the way to it for error messages.
#[derive(Clone)]
pub(crate) struct Typed<'a> {
    kind: &'a str,
    path: String,
    value: &'a Value,
}

impl<'a> Typed<'a> {
    pub(crate) fn of(kind: &'a str, value: &'a Value) -> Self {
        Self {
            kind,
            path: String::new(),
            value,
        }
    }

    pub(crate) fn kind(&self) -> &'a str {
        self.kind
    }

    /// A child object; an empty one where there is none.
    pub(crate) fn object(&self, key: &str) -> Result<Self, Error> {
        let child = self.child(key);
        match child.value {
            Value::Null | Value::Object(_) => Ok(child),
            _ => Err(child.wrong("an object")),
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    pub(crate) fn text(&self, key: &str) -> Result<&'a str, Error> {
        let child = self.child(key);
        match child.value {
            Value::Null => Ok(""),
            Value::String(text) => Ok(text),
            _ => Err(child.wrong("a string")),
        }
    }

    pub(crate) fn optional_int(&self, key: &str) -> Result<Option<i64>, Error> {
        let child = self.child(key);
        match child.value {
            Value::Null => Ok(None),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Ok(Some(whole)),
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the float is whole, as the guard says"
                )]
                (None, Some(float)) if float.fract() == 0.0 => Ok(Some(float as i64)),
                _ => Err(child.wrong("an integer")),
            },
            _ => Err(child.wrong("an integer")),
        }
    }

    pub(crate) fn int(&self, key: &str) -> Result<i64, Error> {
        Ok(self.optional_int(key)?.unwrap_or_default())
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, Error> {
        let child = self.child(key);
        match child.value {
            Value::Null => Ok(false),
            Value::Bool(flag) => Ok(*flag),
            _ => Err(child.wrong("true or false")),
        }
    }

    pub(crate) fn list(&self, key: &str) -> Result<Vec<Self>, Error> {
        let child = self.child(key);
        match child.value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, value)| Self {
                    kind: self.kind,
                    path: format!("{}[{index}]", child.path),
                    value,
                })
                .collect()),
            _ => Err(child.wrong("a list")),
        }
    }

    /// The conditions of the status, each with every standard field checked for its type.
    pub(crate) fn conditions(&self) -> Result<Vec<Condition<'a>>, Error> {
        self.object("status")?
            .list("conditions")?
            .iter()
            .map(Condition::read)
            .collect()
    }

    fn child(&self, key: &str) -> Self {
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self {
            kind: self.kind,
            path,
            value: self.value.get(key).unwrap_or(&Value::Null),
        }
    }

    fn wrong(&self, expected: &'static str) -> Error {
        Error::WrongType {
            kind: self.kind.to_owned(),
            path: self.path.clone(),
            expected,
        }
    }
}

/// One entry of `status.conditions`.
pub(crate) struct Condition<'a> {
    pub(crate) kind: &'a str,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

impl<'a> Condition<'a> {
    pub(crate) fn read(from: &Typed<'a>) -> Result<Self, Error> {
        Ok(Self {
            kind: from.text("type")?,
            status: from.text("status")?,
            reason: from.text("reason")?,
            message: from.text("message")?,
        })
    }
}
