//! An object that is too large for its cluster, in words that help.
//!
//! API servers say of it that some request of theirs was too large, and not which object or limit
//! that is about.

use argosy_engine::object::ObjectExt as _;
use serde_json::Value;

use super::request::Failure;

/// What API servers say where etcd refuses, or where they do not even ask it.
const SIGNS: [&str; 3] = [
    "request is too large",
    "trying to send message larger than max",
    "Request entity too large",
];

/// The failure to write `object`, in other words if the object is too large.
pub(super) fn explained(failure: Failure, object: &Value) -> Failure {
    let is_too_large =
        failure.code == 413 || SIGNS.iter().any(|sign| failure.message.contains(sign));
    if !is_too_large {
        return failure;
    }
    Failure {
        message: format!(
            "{}/{} takes {} KiB, which is too large for the cluster: etcd takes 1536 KiB in one request, unless its \
             --max-request-bytes says otherwise, and an API server 3072 KiB; make it smaller, or \
             split it ({})",
            object.kind(),
            object.name(),
            object.to_string().len() / 1024,
            failure.message
        ),
        ..failure
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(code: u16, message: &str) -> String {
        let object = json!({"kind": "Widget", "metadata": {"name": "w"}, "data": "a".repeat(4096)});
        let failure = Failure {
            code,
            reason: "InternalError".to_owned(),
            message: message.to_owned(),
        };
        explained(failure, &object).message
    }

    #[test]
    fn names_the_object_and_the_limit_and_nothing_else_is_touched() {
        for message in [
            "etcdserver: request is too large",
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2102019 vs. 2097152)",
        ] {
            let told = told(500, message);
            for part in [
                "Widget/w",
                "4 KiB",
                "1536 KiB",
                "--max-request-bytes",
                message,
            ] {
                assert!(told.contains(part), "{told}");
            }
        }
        assert!(told(413, "limit is 3145728").contains("Widget/w"));
        assert_eq!(told(500, "etcdserver: no leader"), "etcdserver: no leader");
    }
}
