//! Answers that are errors, with the texts of the real server.

use serde_json::{Value, json};

use crate::registry::Kind;

/// One field's complaint in an `Invalid` answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    /// `FieldValueRequired`, `FieldValueInvalid` …
    pub(crate) reason: &'static str,
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Cause {
    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = match detail {
            "" => "Required value".to_owned(),
            detail => format!("Required value: {detail}"),
        };
        Self {
            reason: "FieldValueRequired",
            field: field.into(),
            message,
        }
    }

    pub(crate) fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {}: {detail}", shown(value));
        Self {
            reason: "FieldValueInvalid",
            field: field.into(),
            message,
        }
    }

    pub(crate) fn unsupported(field: impl Into<String>, value: &Value, known: &[String]) -> Self {
        let known: Vec<_> = known.iter().map(|text| format!("{text:?}")).collect();
        let message = format!(
            "Unsupported value: {}: supported values: {}",
            shown(value),
            known.join(", ")
        );
        Self {
            reason: "FieldValueNotSupported",
            field: field.into(),
            message,
        }
    }

    pub(crate) fn wrong_type(field: impl Into<String>, value: &Value, wanted: &str) -> Self {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(n) if n.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let field = field.into();
        let message = format!(
            "Invalid value: {found:?}: {field} in body must be of type {wanted}: {found:?}"
        );
        Self {
            reason: "FieldValueTypeInvalid",
            field,
            message,
        }
    }

    pub(crate) fn too_many(field: impl Into<String>, found: usize, most: u64) -> Self {
        let items = if most == 1 { "item" } else { "items" };
        Self {
            reason: "FieldValueTooMany",
            field: field.into(),
            message: format!("Too many: {found}: must have at most {most} {items}"),
        }
    }

    pub(crate) fn too_long(field: impl Into<String>, most: u64) -> Self {
        Self {
            reason: "FieldValueTooLong",
            field: field.into(),
            message: format!("Too long: may not be more than {most} bytes"),
        }
    }

    pub(crate) fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        let message = format!("Duplicate value: {}", shown(value));
        Self {
            reason: "FieldValueDuplicate",
            field: field.into(),
            message,
        }
    }

    pub(crate) fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        let message = format!("Forbidden: {detail}");
        Self {
            reason: "FieldValueForbidden",
            field: field.into(),
            message,
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

/// An error answer: the parts of a Status.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) details: Option<Value>,
}

impl Failure {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    fn about(self, kind: &Kind, name: &str) -> Self {
        let mut details = json!({"kind": kind.plural});
        if !name.is_empty() {
            details["name"] = name.into();
        }
        if !kind.group.is_empty() {
            details["group"] = kind.group.clone().into();
        }
        Self {
            details: Some(details),
            ..self
        }
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} not found", kind.qualified_plural());
        Self::new(404, "NotFound", message).about(kind, name)
    }

    pub(crate) fn no_such_path() -> Self {
        let mut failure = Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        );
        failure.details = Some(json!({}));
        failure
    }

    pub(crate) fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", kind.qualified_plural());
        Self::new(409, "AlreadyExists", message).about(kind, name)
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, detail: &str) -> Self {
        let table = kind.qualified_plural();
        let message = format!("Operation cannot be fulfilled on {table} {name:?}: {detail}");
        Self::new(409, "Conflict", message).about(kind, name)
    }

    /// A delete asked for another object of the name.
    pub(crate) fn precondition(kind: &Kind, name: &str, detail: &str) -> Self {
        let named = &kind.kind;
        let message = format!("Operation cannot be fulfilled on {named} {name:?}: {detail}");
        let mut failure = Self::new(409, "Conflict", message).about(kind, name);
        if let Some(details) = &mut failure.details {
            details["kind"] = named.as_str().into();
        }
        failure
    }

    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        let detail = "the object has been modified; please apply your changes to the latest \
                      version and try again";
        Self::conflict(kind, name, detail)
    }

    pub(crate) fn forbidden(kind: &Kind, name: &str, detail: &str) -> Self {
        let message = format!(
            "{} {name:?} is forbidden: {detail}",
            kind.qualified_plural()
        );
        Self::new(403, "Forbidden", message).about(kind, name)
    }

    pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let told: Vec<_> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let told = match told.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} {name:?} is invalid: {told}", kind.qualified_kind());
        let mut failure = Self::new(422, "Invalid", message).about(kind, name);
        if let Some(details) = &mut failure.details {
            details["kind"] = kind.kind.clone().into();
            details["causes"] = causes.iter().map(listed).collect();
        }
        failure
    }

    /// As [`Self::invalid`], with the resource in the place of the kind.
    pub(crate) fn invalid_resource(kind: &Kind, name: &str, cause: &Cause) -> Self {
        let told = format!("{}: {}", cause.field, cause.message);
        let message = format!("{} {name:?} is invalid: {told}", kind.qualified_plural());
        let mut failure = Self::new(422, "Invalid", message).about(kind, name);
        if let Some(details) = &mut failure.details {
            details["causes"] = json!([listed(cause)]);
        }
        failure
    }

    /// A custom object that calls itself something else.
    pub(crate) fn misnamed(kind: &Kind, api_version: &str, named: &str, name: &str) -> Self {
        let cause = if named == kind.kind {
            let detail = format!("must be {}", kind.api_version());
            Cause::invalid("apiVersion", &api_version.into(), &detail)
        } else {
            Cause::invalid("kind", &named.into(), &format!("must be {}", kind.kind))
        };
        let told = format!("{}: {}", cause.field, cause.message);
        let group = &kind.group;
        let message = format!("{named}.{group} {name:?} is invalid: {told}");
        Self {
            details: Some(
                json!({"group": group, "kind": named, "name": name, "causes": [listed(&cause)]}),
            ),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// Options of a request that do not fit: `PatchOptions`, `ListOptions` …
    pub(crate) fn options(kind: &str, cause: &Cause) -> Self {
        let told = format!("{}: {}", cause.field, cause.message);
        let message = format!("{kind}.meta.k8s.io \"\" is invalid: {told}");
        Self {
            details: Some(json!({"group": "meta.k8s.io", "kind": kind, "causes": [listed(cause)]})),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// Something invalid that is no object of any kind.
    pub(crate) fn nameless(cause: &Cause) -> Self {
        let message = format!(" \"\" is invalid: {}: {}", cause.field, cause.message);
        Self {
            details: Some(json!({"causes": [listed(cause)]})),
            ..Self::new(422, "Invalid", message)
        }
    }

    /// What the real server did not foresee: code 500 without a reason.
    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// A path that no part of the server serves; answered as text.
    pub(crate) fn no_such_page() -> Self {
        Self::new(404, "", "404 page not found")
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self {
            details: Some(json!({})),
            ..Self::new(405, "MethodNotAllowed", message)
        }
    }

    pub(crate) fn unsupported_media() -> Self {
        let message = "the body of the request was in an unknown format - accepted media types \
                       include: application/json, application/yaml, \
                       application/vnd.kubernetes.protobuf";
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(crate) fn unsupported_patch() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type")
        }
    }

    pub(crate) fn not_acceptable() -> Self {
        let message = "406: Not Acceptable\n\nAvailable representations: application/json, \
                       application/yaml, application/vnd.kubernetes.protobuf";
        Self {
            details: Some(json!({})),
            ..Self::new(406, "NotAcceptable", message)
        }
    }

    /// What a fault answers.
    pub(crate) fn injected(code: u16, message: String) -> Self {
        let reason = match code {
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            410 => "Expired",
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "InternalError",
        };
        Self::new(code, reason, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "InternalError", message)
    }

    /// The Status object.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

fn listed(cause: &Cause) -> Value {
    json!({"reason": cause.reason, "message": cause.message, "field": cause.field})
}
