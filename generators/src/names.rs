//! Names made fit for Kubernetes.

/// The longest name that Kubernetes takes.
const MAX_LENGTH: usize = 253;

/// Lower-cases, puts `-` for everything but letters, digits, `-` and `.`, cuts to 253 characters, and
/// trims `-` and `.` at both ends. What remains may be empty.
pub(crate) fn normalise(name: &str) -> String {
    let fitting: String = name
        .to_lowercase()
        .chars()
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '-' | '.' => c,
            _ => '-',
        })
        .take(MAX_LENGTH)
        .collect();
    fitting.trim_matches(['-', '.']).to_owned()
}

/// A short form for labels and host names: at most 50 characters of letters, digits and `-`, cut at
/// a `-` where that loses less than a word.
pub(crate) fn slug(name: &str) -> String {
    const LENGTH: usize = 50;
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_matches('-');
    if slug.len() <= LENGTH {
        return slug.to_owned();
    }
    let cut = &slug[..LENGTH];
    let cut = match cut.rfind('-') {
        Some(at) if !slug[LENGTH..].starts_with('-') => &cut[..at],
        _ => cut,
    };
    cut.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_host_names() {
        assert_eq!(normalise("My_Cluster.EU!"), "my-cluster.eu");
        assert_eq!(normalise("--x--"), "x");
        assert_eq!(normalise("."), "");
    }

    #[test]
    fn slugs_are_short() {
        assert_eq!(slug("Feature/My_Branch"), "feature-my-branch");
        let long = slug(&"word-".repeat(20));
        assert!(long.len() <= 50 && long.ends_with("word"));
    }
}
