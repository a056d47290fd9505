//! Queries that keep to the hub that is selected.

/// What the names of a hub's metrics begin with. Recorded series, whose names have a colon, are of
/// all hubs.
const PREFIXES: [&str; 4] = ["argocd_", "argosy_", "workqueue_", "process_"];

const MATCHERS: &str = r#"job=~"$job",instance=~"$instance""#;

/// The query, with matchers of the variables `job` and `instance` in each of its selectors.
pub(super) fn selected(query: &str) -> String {
    let mut written = String::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => text(rest),
            _ if is_of_name(first) => rest.find(|one| !is_of_name(one)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        written.push_str(token);
        rest = after;
        if PREFIXES.iter().any(|prefix| token.starts_with(prefix)) {
            let (matchers, after) = match rest.strip_prefix('{') {
                Some(after) if after.starts_with('}') => (format!("{{{MATCHERS}"), after),
                Some(after) => (format!("{{{MATCHERS},"), after),
                None => (format!("{{{MATCHERS}}}"), rest),
            };
            written.push_str(&matchers);
            rest = after;
        }
    }
    written
}

fn is_of_name(one: char) -> bool {
    one.is_ascii_alphanumeric() || matches!(one, '_' | ':' | '$')
}

/// How long the quoted text is that this begins with.
fn text(rest: &str) -> usize {
    let mut escaped = true;
    for (at, one) in rest.char_indices() {
        match one {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_selector_keeps_to_the_selected_hub() {
        let query = r#"sum by (name) (rate(argosy_a_total[$__rate_interval])) / argocd_b{c="argosy_d\"{",e=~"$f"} > argosy:g unless process_h{}"#;
        assert_eq!(
            selected(query),
            r#"sum by (name) (rate(argosy_a_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) / argocd_b{job=~"$job",instance=~"$instance",c="argosy_d\"{",e=~"$f"} > argosy:g unless process_h{job=~"$job",instance=~"$instance"}"#
        );
    }
}
