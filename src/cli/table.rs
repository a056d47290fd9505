//! Lists, in the forms that kubectl's users expect.

use clap::ValueEnum;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use serde_json::json;

use super::output;
use crate::diagnostic::Diagnostic;

/// The form of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// A table.
    #[default]
    #[value(alias = "text")]
    Table,
    /// A table with more columns.
    Wide,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// `resource/name`, one a line.
    Name,
}

/// A list and how to show it.
pub(crate) struct Listing<'a, T> {
    /// The items.
    pub(crate) items: &'a [T],
    /// What the `name` format prints before the slash.
    pub(crate) resource: &'a str,
    /// The name of an item.
    pub(crate) name: fn(&T) -> String,
    /// The columns: heading, whether only in wide tables, and the cell of an item.
    pub(crate) columns: &'a [Column<T>],
}

/// One column of a table.
pub(crate) struct Column<T> {
    /// The heading.
    pub(crate) heading: &'static str,
    /// Whether only wide tables have it.
    pub(crate) wide: bool,
    /// The cell of an item.
    pub(crate) cell: fn(&T) -> String,
}

impl<T: Serialize> Listing<'_, T> {
    /// Prints the list.
    pub(crate) fn print(&self, format: ListFormat) -> Result<(), Diagnostic> {
        match format {
            ListFormat::Table => output::line(self.table(false)),
            ListFormat::Wide => output::line(self.table(true)),
            ListFormat::Json => {
                output::document(output::Format::Json, &self.document(), String::new)?;
            }
            ListFormat::Yaml => {
                output::document(output::Format::Yaml, &self.document(), String::new)?;
            }
            ListFormat::Name => {
                for item in self.items {
                    output::line(format!("{}/{}", self.resource, (self.name)(item)));
                }
            }
        }
        Ok(())
    }

    fn document(&self) -> serde_json::Value {
        json!({ "apiVersion": "v1", "kind": "List", "items": self.items })
    }

    fn table(&self, wide: bool) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .filter(|column| wide || !column.wide)
            .collect();
        let mut table = plain_table();
        table.set_header(columns.iter().map(|column| column.heading));
        for item in self.items {
            table.add_row(columns.iter().map(|column| (column.cell)(item)));
        }
        trimmed(&table)
    }
}

/// A table without borders, as kubectl prints them.
pub(crate) fn plain_table() -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The table's text without the blanks that surround each line.
pub(crate) fn trimmed(table: &Table) -> String {
    let text = table.to_string();
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n")
}
