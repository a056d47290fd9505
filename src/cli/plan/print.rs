//! A plan as a table, as Markdown for a pull request, and as JSON.

use std::fmt::Write as _;

use serde_json::json;

use super::compare::{Change, Kind, Plan};
use crate::cli::output::Report;
use crate::cli::table::{plain_table, trimmed};
use crate::diagnostic::Diagnostic;

/// Prints a plan.
pub(super) fn print(
    form: Report,
    plan: &Plan,
    (base, head): (&str, &str),
) -> Result<(), Diagnostic> {
    let answer = json!({"base": base, "head": head, "changes": plan.changes, "notes": plan.notes});
    form.print(
        &answer,
        || table(&plan.changes),
        || markdown(plan, base, head),
    )
}

const HEADINGS: [&str; 7] = [
    "APPLICATION",
    "CLUSTER",
    "CHANGE",
    "ADDED",
    "CHANGED",
    "REMOVED",
    "REMARKS",
];

fn row(change: &Change) -> [String; 7] {
    [
        change.application.clone(),
        change.cluster.clone(),
        change.kind.as_str().to_owned(),
        change.count(Kind::Added).to_string(),
        change.count(Kind::Changed).to_string(),
        change.count(Kind::Removed).to_string(),
        change.remarks.join("; "),
    ]
}

fn table(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "nothing changes".to_owned();
    }
    let mut table = plain_table();
    table.set_header(HEADINGS);
    for change in changes {
        table.add_row(row(change));
    }
    trimmed(&table)
}

fn markdown(plan: &Plan, base: &str, head: &str) -> String {
    if plan.changes.is_empty() {
        return format!("Nothing changes between `{base}` and `{head}`.");
    }
    let mut text = format!("### What changes between `{base}` and `{head}`\n\n");
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    text += &line(&HEADINGS.map(str::to_lowercase));
    text += &line(&HEADINGS.map(|_| "---".to_owned()));
    for change in &plan.changes {
        text += &line(&row(change).map(|cell| cell.replace('|', "\\|").replace('\n', " ")));
    }
    for change in &plan.changes {
        details(&mut text, change);
    }
    for note in &plan.notes {
        // Writing to a text cannot fail.
        let _ = write!(text, "\n> {}\n", note.replace('\n', " "));
    }
    text
}

fn details(text: &mut String, change: &Change) {
    if change.objects.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "\n<details><summary>{} on {}</summary>\n",
        change.application, change.cluster
    );
    for object in &change.objects {
        let kind = if object.group.is_empty() {
            object.kind.clone()
        } else {
            format!("{}.{}", object.kind, object.group)
        };
        let _ = write!(
            text,
            "\n{kind} `{}/{}` is {}\n\n{fence}diff\n{}{fence}\n",
            object.namespace,
            object.name,
            object.change.as_str(),
            object.diff,
            fence = fence(&object.diff),
        );
    }
    text.push_str("\n</details>\n");
}

/// A fence that the text does not hold itself.
fn fence(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    fence
}
