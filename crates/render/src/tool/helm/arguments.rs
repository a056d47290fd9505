//! What `helm template` is told.
//!
//! Every value stands in the same word as its option, so that none can be taken for an option.

use std::collections::BTreeMap;

use argosy_crds::application::{ApplicationSourceHelm, HelmParameter};

use crate::render::Request;

/// Everything but the values.
pub(super) fn base(options: &ApplicationSourceHelm, request: &Request<'_>) -> Vec<String> {
    let mut arguments = vec![
        "template".to_owned(),
        ".".to_owned(),
        format!("--name-template={}", release(options, request)),
    ];
    let namespace = first(&options.namespace, request.namespace);
    if !namespace.is_empty() {
        arguments.push(format!("--namespace={namespace}"));
    }
    let version = kube_version(first(&options.kube_version, request.kube_version));
    if !version.is_empty() {
        arguments.push(format!("--kube-version={version}"));
    }
    let versions = api_versions(&options.api_versions, request);
    arguments.extend(versions.iter().map(|api| format!("--api-versions={api}")));
    for (flag, set) in [
        ("--include-crds", !options.skip_crds),
        ("--skip-tests", options.skip_tests),
        ("--skip-schema-validation", options.skip_schema_validation),
    ] {
        if set {
            arguments.push(flag.to_owned());
        }
    }
    arguments
}

/// Without a name of its own a release has the application's, without the namespace in front.
fn release<'a>(options: &'a ApplicationSourceHelm, request: &Request<'a>) -> &'a str {
    let (_, name) = request
        .app_name
        .rsplit_once('_')
        .unwrap_or(("", request.app_name));
    first(&options.release_name, name)
}

fn first<'a>(own: &'a str, default: &'a str) -> &'a str {
    if own.is_empty() { default } else { own }
}

/// A version without the vendor's additions: `v1.31.2-gke.1` is `1.31.2`.
pub(in crate::tool) fn kube_version(version: &str) -> &str {
    let version = version.strip_prefix('v').unwrap_or(version);
    version.split(['-', '+']).next().unwrap_or_default()
}

/// The source's own list, or else the cluster's.
pub(in crate::tool) fn api_versions<'a>(own: &'a [String], request: &Request<'a>) -> &'a [String] {
    if own.is_empty() {
        request.api_versions
    } else {
        own
    }
}

/// The single values, each name once: the last one of a name counts.
pub(super) fn parameters(options: &ApplicationSourceHelm, request: &Request<'_>) -> Vec<String> {
    let last: BTreeMap<(bool, &str), usize> = options
        .parameters
        .iter()
        .enumerate()
        .map(|(at, parameter)| ((parameter.force_string, parameter.name.as_str()), at))
        .collect();
    let counts = |at: usize, parameter: &HelmParameter| {
        last.get(&(parameter.force_string, parameter.name.as_str())) == Some(&at)
    };
    let parameters = options.parameters.iter().enumerate();
    parameters
        .filter(|(at, parameter)| counts(*at, parameter))
        .map(|(_, parameter)| {
            let value = escape_commas(&request.environment.expand(&parameter.value));
            let flag = if parameter.force_string {
                "set-string"
            } else {
                "set"
            };
            format!("--{flag}={}={value}", parameter.name)
        })
        .collect()
}

/// A comma separates assignments in Helm's syntax, except inside a list in braces.
fn escape_commas(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut escaped = String::new();
    let mut previous = ' ';
    for c in value.chars() {
        if c == ',' && previous != '\\' {
            escaped.push('\\');
        }
        escaped.push(c);
        previous = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_escaped_outside_lists() {
        assert_eq!(escape_commas(r"a,b\,c"), r"a\,b\,c");
        assert_eq!(escape_commas("{a,b}"), "{a,b}");
        assert_eq!(escape_commas("{"), "{");
    }

    #[test]
    fn versions_lose_what_vendors_add() {
        assert_eq!(kube_version("v1.31.2-gke.1"), "1.31.2");
        assert_eq!(kube_version("1.27.1+k3s1"), "1.27.1");
        assert_eq!(kube_version(""), "");
    }
}
