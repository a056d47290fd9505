//! How fields are read and left out, so that values look as Go's `omitempty` makes them.

use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;
use serde::{Deserialize, Deserializer};

/// Reads `null` as the empty value.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a code; one that is empty or unknown counts as absent.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let code = Option::<String>::deserialize(deserializer)?;
    Ok(code.and_then(|code| {
        T::deserialize(IntoDeserializer::<ValueError>::into_deserializer(code)).ok()
    }))
}

/// Whether the value is the empty one.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads a code that cannot be absent; one that is empty or unknown becomes the default.
pub(crate) fn lenient_or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(lenient(deserializer)?.unwrap_or_default())
}
