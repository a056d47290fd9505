//! A preview for the comment of a pull request.

use std::fmt::Write as _;

use argosy_generators::plan::FieldChange;
use argosy_generators::preview::{Preview, Update};
use serde_json::Value;
use similar::TextDiff;

use super::withheld_because;

/// Lines of context around a change inside a text of several lines.
const CONTEXT: usize = 3;

/// How many Applications are listed of each kind; a comment has its limits, too.
const LISTED: usize = 100;

pub(super) fn text(set: &str, preview: &Preview) -> String {
    let mut text = format!("### ApplicationSet `{set}`: {}\n", super::summary(preview));
    if let Some(parked) = &preview.parked {
        let _ = write!(text, "\n> [!WARNING]\n> {}\n", super::guard(parked));
    }
    created(&mut text, preview);
    for update in preview.update.iter().take(LISTED) {
        updated(&mut text, update);
    }
    more(&mut text, preview.update.len());
    deleted(&mut text, preview);
    let withheld = preview
        .withheld
        .iter()
        .map(|one| format!("`{}` {}", one.name, withheld_because(one)));
    list(&mut text, "Not allowed", withheld);
    let refused = preview
        .refused
        .iter()
        .map(|(name, why)| format!("`{name}`: {why}"));
    list(&mut text, "Not written", refused);
    text.trim_end().to_owned()
}

fn created(text: &mut String, preview: &Preview) {
    if preview.create.is_empty() {
        return;
    }
    text.push_str("\n| created | project | destination |\n| --- | --- | --- |\n");
    for app in preview.create.iter().take(LISTED) {
        let name = app.metadata.name.as_deref().unwrap_or_default();
        let project = app.spec.project_or_default();
        let _ = writeln!(
            text,
            "| `{name}` | {} | {} |",
            cell(project),
            cell(&super::destination(app))
        );
    }
    more(text, preview.create.len());
}

fn deleted(text: &mut String, preview: &Preview) {
    let lines = preview.delete.iter().map(|gone| {
        let fate = if gone.cascades {
            "with its resources"
        } else {
            "its resources stay"
        };
        format!("`{}`, {fate}", gone.name)
    });
    list(text, "Deleted", lines);
}

fn list(text: &mut String, heading: &str, lines: impl ExactSizeIterator<Item = String>) {
    let all = lines.len();
    if all == 0 {
        return;
    }
    let _ = write!(text, "\n**{heading}**\n\n");
    for line in lines.take(LISTED) {
        let _ = writeln!(text, "- {line}");
    }
    more(text, all);
}

fn more(text: &mut String, all: usize) {
    if all > LISTED {
        let _ = writeln!(text, "\n…and {} more.", all - LISTED);
    }
}

fn updated(text: &mut String, update: &Update) {
    let fields = match update.fields.len() {
        1 => "1 field".to_owned(),
        count => format!("{count} fields"),
    };
    let diff: String = update.fields.iter().map(field).collect();
    // A fence longer than any in the text, which may be Markdown itself.
    let fence = "`".repeat(longest_run(&diff).max(2) + 1);
    let _ = write!(
        text,
        "\n<details><summary>updated <code>{}</code> ({fields})</summary>\n\n{fence}diff\n{diff}{fence}\n\n</details>\n",
        update.name
    );
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn field(change: &FieldChange) -> String {
    let (before, after) = (lines(change.before.as_ref()), lines(change.after.as_ref()));
    let diff = TextDiff::from_lines(&before, &after);
    let mut unified = diff.unified_diff();
    let hunks = unified.context_radius(CONTEXT).iter_hunks();
    let changes: String = hunks
        .flat_map(|hunk| {
            hunk.iter_changes()
                .map(|change| format!("{}{}", change.tag(), change.value()))
                .collect::<Vec<_>>()
        })
        .collect();
    format!("  {}\n{changes}", change.path)
}

/// A value as lines: a text as it is, all else as YAML.
fn lines(value: Option<&Value>) -> String {
    let mut text = match value {
        None => return String::new(),
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(value) => argosy_yaml::to_string(value),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A text that does not end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
