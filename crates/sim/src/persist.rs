//! The state on disk: one redb file with one row an object. A change is durable before it is
//! answered; the journal never decides anything.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde_json::Value;

const OBJECTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("objects");
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// Why the state file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PersistError {
    /// redb refuses; the file may be in use by another process.
    #[error("cannot use `{path}`: {message}; is another process using it?")]
    Database {
        /// The file.
        path: PathBuf,
        /// redb's reason.
        message: String,
    },
    /// A row is not what this program wrote.
    #[error("`{path}` holds an unreadable object `{key}`; restore a copy of the file or remove it")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row's key.
        key: String,
        /// The JSON error.
        #[source]
        source: serde_json::Error,
    },
}

/// One object's change: its row, and its content or `None` where it was deleted.
pub(crate) struct Change<'a> {
    pub(crate) table: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) content: Option<&'a Value>,
}

/// One object as it was kept.
pub(crate) struct Kept {
    pub(crate) table: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) content: Value,
}

/// The open file.
pub(crate) struct Journal {
    path: PathBuf,
    database: Database,
}

impl Journal {
    pub(crate) fn open(path: &Path) -> Result<Self, PersistError> {
        let database = Database::create(path).map_err(|e| fail(path, &e))?;
        let journal = Self {
            path: path.to_owned(),
            database,
        };
        journal.append(0, 0, &[])?;
        Ok(journal)
    }

    /// All objects, the resource version and the number of identifiers given out.
    pub(crate) fn load(&self) -> Result<(Vec<Kept>, u64, u64), PersistError> {
        let wrong = |e: &dyn std::fmt::Display| fail(&self.path, e);
        let read = self.database.begin_read().map_err(|e| wrong(&e))?;
        let numbers = read.open_table(NUMBERS).map_err(|e| wrong(&e))?;
        let number = |key| -> Result<u64, PersistError> {
            Ok(numbers
                .get(key)
                .map_err(|e| wrong(&e))?
                .map_or(0, |found| found.value()))
        };
        let (version, given) = (number("version")?, number("identifiers")?);
        let mut kept = Vec::new();
        for row in read
            .open_table(OBJECTS)
            .map_err(|e| wrong(&e))?
            .iter()
            .map_err(|e| wrong(&e))?
        {
            let (key, bytes) = row.map_err(|e| wrong(&e))?;
            let key = key.value();
            let content =
                serde_json::from_slice(bytes.value()).map_err(|source| PersistError::Row {
                    path: self.path.clone(),
                    key: key.to_owned(),
                    source,
                })?;
            let mut parts = key.splitn(3, '\u{0}').map(str::to_owned);
            if let (Some(table), Some(namespace), Some(name)) =
                (parts.next(), parts.next(), parts.next())
            {
                kept.push(Kept {
                    table,
                    namespace,
                    name,
                    content,
                });
            }
        }
        Ok((kept, version, given))
    }

    /// Writes the changes and the counters in one durable transaction. Counters never fall.
    pub(crate) fn append(
        &self,
        version: u64,
        given: u64,
        changes: &[Change<'_>],
    ) -> Result<(), PersistError> {
        let wrong = |e: &dyn std::fmt::Display| fail(&self.path, e);
        let write = self.database.begin_write().map_err(|e| wrong(&e))?;
        {
            let mut objects = write.open_table(OBJECTS).map_err(|e| wrong(&e))?;
            for change in changes {
                let key = format!(
                    "{}\u{0}{}\u{0}{}",
                    change.table, change.namespace, change.name
                );
                match change.content {
                    Some(content) => {
                        let bytes = serde_json::to_vec(content).map_err(|e| wrong(&e))?;
                        objects
                            .insert(key.as_str(), bytes.as_slice())
                            .map_err(|e| wrong(&e))?;
                    }
                    None => drop(objects.remove(key.as_str()).map_err(|e| wrong(&e))?),
                }
            }
            let mut numbers = write.open_table(NUMBERS).map_err(|e| wrong(&e))?;
            for (name, value) in [("version", version), ("identifiers", given)] {
                let kept = numbers
                    .get(name)
                    .map_err(|e| wrong(&e))?
                    .map_or(0, |v| v.value());
                numbers
                    .insert(name, value.max(kept))
                    .map_err(|e| wrong(&e))?;
            }
        }
        write.commit().map_err(|e| wrong(&e))
    }
}

fn fail(path: &Path, message: &dyn std::fmt::Display) -> PersistError {
    PersistError::Database {
        path: path.to_owned(),
        message: message.to_string(),
    }
}
