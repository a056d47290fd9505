//! What the demo has to say about its applications: the table, the reasons, the changes, and what
//! to try.

use std::collections::BTreeMap;

use crate::cli::table::{plain_table, trimmed};
use crate::demo::{Demo, Row, View};

/// More names than these are counted, not listed.
const NAMES: usize = 4;

/// The longest part of a reason that a change is told with, in characters.
const REASON: usize = 80;

/// The applications, one a line.
pub(super) fn table(view: &View) -> String {
    let mut table = plain_table();
    table.set_header(["NAME", "CLUSTER", "SYNC", "HEALTH", "REVISION"]);
    for (name, row) in &view.rows {
        table.add_row([name, &row.cluster, &row.sync, &row.health, &row.revision]);
    }
    trimmed(&table)
}

/// Why the fleet is not complete, an application a line.
pub(super) fn reasons(view: &View) -> String {
    let mut lines = Vec::new();
    for set in view.pending_sets() {
        lines.push(format!(
            "ApplicationSet {set}: its applications are not made yet"
        ));
    }
    for (name, row) in view.rows.iter().filter(|(_, row)| !row.settled) {
        let reasons = if row.reasons.is_empty() {
            "still under way".to_owned()
        } else {
            row.reasons.join("; ")
        };
        lines.push(format!("{name}: {}, {}: {reasons}", row.sync, row.health));
    }
    if view.rows.is_empty() {
        lines.push("there is no application; the hub has not taken up its work".to_owned());
    }
    lines.join("\n")
}

/// What differs between two views, a line for all applications that came to be the same.
pub(super) fn changes(before: &View, now: &View) -> Vec<String> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, row) in &now.rows {
        if before.rows.get(name) != Some(row) {
            groups.entry(state(row)).or_default().push(name);
        }
    }
    for name in before.rows.keys() {
        if !now.rows.contains_key(name) {
            groups.entry("deleted".to_owned()).or_default().push(name);
        }
    }
    let mut lines = Vec::new();
    for (state, names) in groups {
        let mut reasons = names
            .iter()
            .filter_map(|name| now.rows.get(*name)?.reasons.first());
        let reason = reasons
            .next()
            .map_or_else(String::new, |reason| cut(reason));
        lines.push(format!("{}: {state}{reason}", listed(&names)));
    }
    lines
}

fn state(row: &Row) -> String {
    let at = if row.revision.is_empty() { "" } else { " at " };
    format!("{}, {}{at}{}", row.sync, row.health, row.revision)
}

/// A reason in what is left of a line; `argosy app get` has the whole.
fn cut(reason: &str) -> String {
    match reason.char_indices().nth(REASON) {
        Some((end, _)) => format!(" ({}…)", &reason[..end]),
        None => format!(" ({reason})"),
    }
}

fn listed(names: &[&str]) -> String {
    if names.len() <= NAMES {
        return names.join(", ");
    }
    let (shown, rest) = names.split_at(NAMES - 1);
    format!("{} and {} more", shown.join(", "), rest.len())
}

/// Three things to try, as commands to paste.
pub(super) fn things_to_try(demo: &Demo, flags: &str) -> String {
    let argosy = program();
    let kubeconfig = demo.kubeconfig.display();
    let repository = demo.repository.path().display();
    format!(
        "
Contexts: hub, dev, staging, prod. In another terminal:

  export KUBECONFIG={kubeconfig}
  kubectl get applications

Commit a change, and see it on all clusters:
  cd {repository}
  sed -i 's/GREETING: .*/GREETING: Welcome aboard/' tenants/team-a/web/config.yaml
  git commit -am 'Greet differently'
  kubectl --context prod -n team-a get configmap web -o yaml

Change something by hand, and see it put back:
  kubectl --context staging -n team-a delete deployment web
  kubectl --context staging -n team-a get deployment web

Stop a cluster, and see the others go on:
  {argosy} demo stop-cluster prod{flags}
  {argosy} demo start-cluster prod{flags}
"
    )
}

/// How this program is called: by name where the shell finds it, else by path.
fn program() -> String {
    let Ok(path) = std::env::current_exe() else {
        return "argosy".to_owned();
    };
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .find_map(|folder| folder.join("argosy").canonicalize().ok());
    if found.is_some() && found == path.canonicalize().ok() {
        return "argosy".to_owned();
    }
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(rows: &[(&str, &str, &str)]) -> View {
        let row = |sync: &str, revision: &str| Row {
            cluster: "dev".to_owned(),
            sync: sync.to_owned(),
            health: "Healthy".to_owned(),
            revision: revision.to_owned(),
            settled: sync == "Synced",
            ..Row::default()
        };
        View {
            rows: rows
                .iter()
                .map(|(name, sync, revision)| ((*name).to_owned(), row(sync, revision)))
                .collect(),
            ..View::default()
        }
    }

    #[test]
    fn changes_that_lead_to_the_same_are_told_together() {
        let before = view(&[
            ("a", "Synced", "1"),
            ("b", "Synced", "1"),
            ("c", "Synced", "1"),
            ("d", "Synced", "1"),
        ]);
        let now = view(&[
            ("a", "Synced", "2"),
            ("b", "Synced", "2"),
            ("c", "OutOfSync", "2"),
        ]);
        assert_eq!(
            changes(&before, &now),
            [
                "c: OutOfSync, Healthy at 2",
                "a, b: Synced, Healthy at 2",
                "d: deleted"
            ]
        );
    }

    #[test]
    fn one_reason_is_told_and_not_at_length() {
        let mut now = view(&[("a", "Unknown", "1"), ("b", "Unknown", "1")]);
        for row in now.rows.values_mut() {
            row.reasons = vec!["é".repeat(100)];
        }
        let told = changes(&view(&[]), &now);
        assert_eq!(
            told,
            [format!("a, b: Unknown, Healthy at 1 ({}…)", "é".repeat(80))]
        );
    }

    #[test]
    fn many_names_are_counted() {
        assert_eq!(listed(&["a", "b", "c", "d"]), "a, b, c, d");
        assert_eq!(listed(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }

    #[test]
    fn reasons_name_what_is_not_there_yet() {
        let text = reasons(&view(&[("a", "OutOfSync", "1"), ("b", "Synced", "1")]));
        assert_eq!(text, "a: OutOfSync, Healthy: still under way");
    }
}
