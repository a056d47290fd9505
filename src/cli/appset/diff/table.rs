//! A preview for a terminal: one line for each Application and field.

use argosy_generators::preview::Preview;

use super::{shown, withheld_because};
use crate::cli::table::{plain_table, trimmed};

pub(super) fn text(set: &str, preview: &Preview) -> String {
    let mut table = plain_table();
    table.set_header(["CHANGE", "APPLICATION", "FIELD", "BEFORE", "AFTER"]);
    for app in &preview.create {
        let name = app.metadata.name.as_deref().unwrap_or_default();
        table.add_row(["create", name, "", "", &super::destination(app)]);
    }
    for update in &preview.update {
        for field in &update.fields {
            let (before, after) = (shown(field.before.as_ref()), shown(field.after.as_ref()));
            table.add_row(["update", &update.name, &field.path, &before, &after]);
        }
    }
    for gone in &preview.delete {
        let fate = if gone.cascades {
            "with its resources"
        } else {
            "its resources stay"
        };
        table.add_row(["delete", &gone.name, "", "", fate]);
    }
    let mut lines = Vec::new();
    if preview.changes_anything() {
        lines.push(trimmed(&table));
        lines.push(String::new());
    }
    lines.push(format!("{set}: {}", super::summary(preview)));
    for withheld in &preview.withheld {
        lines.push(format!("{} {}", withheld.name, withheld_because(withheld)));
    }
    for (name, why) in &preview.refused {
        lines.push(format!("{name} would not be written: {why}"));
    }
    lines.extend(preview.parked.as_ref().map(super::guard));
    lines.join("\n")
}
