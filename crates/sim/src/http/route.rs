//! What a method and a path ask for.

use super::query::Query;

/// A request's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Health,
    Version,
    /// `/api`, `/apis`, or one group (version); the path's parts.
    Discovery {
        group: Vec<String>,
    },
    /// The index, or one document.
    OpenApi {
        group: Option<String>,
    },
    Resource(Resource),
    Unknown,
}

/// A request for objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) verb: &'static str,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    /// Empty for all namespaces, and for what has none.
    pub(crate) namespace: String,
    /// Empty for a collection.
    pub(crate) name: String,
    pub(crate) subresource: String,
    pub(crate) query: Query,
}

impl Route {
    pub(crate) fn parse(method: &str, path: &str, query: Option<&str>) -> Self {
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(super::query::decoded)
            .collect();
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["healthz" | "livez" | "readyz", ..] => Self::Health,
            ["version"] => Self::Version,
            ["openapi", "v3"] => Self::OpenApi { group: None },
            ["openapi", "v3", rest @ ..] => Self::OpenApi {
                group: Some(rest.join("/")),
            },
            ["api" | "apis"] | ["api" | "apis", _] | ["apis", _, _] => {
                Self::Discovery { group: parts }
            }
            ["api", version, rest @ ..] => {
                resource(method, ("", version), rest, Query::parse(query))
            }
            ["apis", group, version, rest @ ..] => {
                resource(method, (group, version), rest, Query::parse(query))
            }
            _ => Self::Unknown,
        }
    }

    /// The verb and resource under which the request is counted.
    pub(crate) fn counted(&self) -> (&'static str, String) {
        match self {
            Self::Resource(resource) if resource.subresource.is_empty() => {
                (resource.verb, resource.plural.clone())
            }
            Self::Resource(resource) => (
                resource.verb,
                format!("{}/{}", resource.plural, resource.subresource),
            ),
            _ => ("get", String::new()),
        }
    }

    /// The API group of objects, empty for the core group and for what is no object.
    pub(crate) fn group(&self) -> &str {
        match self {
            Self::Resource(resource) => &resource.group,
            _ => "",
        }
    }

    /// The plural, empty for what is no object.
    pub(crate) fn resource(&self) -> &str {
        match self {
            Self::Resource(resource) => &resource.plural,
            _ => "",
        }
    }
}

fn resource(method: &str, (group, version): (&str, &str), rest: &[&str], query: Query) -> Route {
    let (namespace, plural, name, subresource) = match rest {
        ["watch", ..] => return Route::Unknown,
        // `namespaces/x` is an object; `namespaces/x/pods` a collection in it.
        ["namespaces", name, "status" | "finalize"] => ("", "namespaces", *name, rest[2]),
        ["namespaces", namespace, plural] => (*namespace, *plural, "", ""),
        ["namespaces", namespace, plural, name] => (*namespace, *plural, *name, ""),
        ["namespaces", namespace, plural, name, sub] => (*namespace, *plural, *name, *sub),
        [plural] => ("", *plural, "", ""),
        [plural, name] => ("", *plural, *name, ""),
        [plural, name, sub] => ("", *plural, *name, *sub),
        _ => return Route::Unknown,
    };
    let verb = match (method, name.is_empty()) {
        ("GET" | "HEAD", _) if query.flag("watch") => "watch",
        ("GET" | "HEAD", true) => "list",
        ("GET" | "HEAD", false) => "get",
        ("POST", _) => "create",
        ("PUT", false) => "update",
        ("PATCH", false) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        _ => "unknown",
    };
    Route::Resource(Resource {
        verb,
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        subresource: subresource.to_owned(),
        query,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &str, path: &str, wanted: [&str; 5]) {
        let Route::Resource(found) = Route::parse(method, path, None) else {
            panic!("{path} is no resource")
        };
        let parts = [
            found.verb,
            &found.plural,
            &found.namespace,
            &found.name,
            &found.subresource,
        ];
        assert_eq!(parts, wanted, "{path}");
    }

    #[test]
    fn paths_name_objects_collections_and_subresources() {
        check(
            "GET",
            "/api/v1/namespaces/a",
            ["get", "namespaces", "", "a", ""],
        );
        check(
            "GET",
            "/api/v1/namespaces/a/pods",
            ["list", "pods", "a", "", ""],
        );
        check(
            "PUT",
            "/api/v1/namespaces/a/finalize",
            ["update", "namespaces", "", "a", "finalize"],
        );
        check(
            "PATCH",
            "/apis/apps/v1/namespaces/a/deployments/d/status",
            ["patch", "deployments", "a", "d", "status"],
        );
        check(
            "DELETE",
            "/apis/apps/v1/deployments",
            ["deletecollection", "deployments", "", "", ""],
        );
    }
}
