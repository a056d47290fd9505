//! Whose an object is: the marks that tie it to its application, written and read.
//!
//! A mark that does not name the object that carries it counts for nothing: controllers copy
//! annotations to what they create, and what they create must never be pruned for it.

mod identity;
mod migrate;

use serde_json::{Map, Value};

pub use identity::{Identity, ParseError};
pub use migrate::virtual_annotation;

use crate::object::{ObjectExt, ResourceKey, names};

/// How objects are tied to applications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// By annotation; the default.
    #[default]
    Annotation,
    /// By annotation, with a label for people.
    AnnotationAndLabel,
    /// By label alone.
    Label,
}

impl Method {
    /// Reads `application.resourceTrackingMethod`; what is unknown or empty is the default.
    pub fn parse(text: &str) -> Self {
        match text {
            "label" => Self::Label,
            "annotation+label" => Self::AnnotationAndLabel,
            _ => Self::Annotation,
        }
    }
}

/// The longest value that a label can have.
const LABEL_LENGTH: usize = 63;

/// How the objects of one hub are marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// The method.
    pub method: Method,
    /// The key of the label, `app.kubernetes.io/instance` unless it is configured.
    pub label_key: String,
    /// The id of this installation, empty if none is configured.
    pub installation_id: String,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            method: Method::default(),
            label_key: names::INSTANCE_LABEL.to_owned(),
            installation_id: String::new(),
        }
    }
}

impl Tracking {
    /// Marks a desired object as belonging to an application; `namespace` is the destination's.
    /// CRDs are not to be marked at all, which is the caller's business.
    pub fn mark(&self, object: &mut Value, application: &str, namespace: &str) {
        if self.method == Method::Label {
            set(object, "labels", &self.label_key, application);
            return;
        }
        let identity = Identity::of(object, application, namespace);
        set(
            object,
            "annotations",
            names::TRACKING_ID,
            &identity.to_string(),
        );
        if !self.installation_id.is_empty() {
            set(
                object,
                "annotations",
                names::INSTALLATION_ID,
                &self.installation_id,
            );
        }
        if self.method == Method::AnnotationAndLabel {
            set(object, "labels", &self.label_key, label_value(application));
        }
    }

    /// The application that the marks of an object name; `None` if there are none, or if they are
    /// of another installation.
    pub fn owner(&self, object: &Value) -> Option<String> {
        if self.method == Method::Label {
            return object
                .label(&self.label_key)
                .filter(|name| !name.is_empty())
                .map(str::to_owned);
        }
        let foreign = !self.installation_id.is_empty()
            && object.annotation(names::INSTALLATION_ID) != Some(&self.installation_id);
        if foreign {
            return None;
        }
        let identity: Identity = object.annotation(names::TRACKING_ID)?.parse().ok()?;
        Some(identity.application)
    }

    /// Whether the object belongs to the application, so that it may be pruned with it: its marks
    /// say so, they are not copied from another object, and nothing else owns it.
    pub fn owns(&self, object: &Value, application: &str) -> bool {
        self.owner(object).as_deref() == Some(application)
            && self.is_self_referencing(object)
            && !object.has_owner()
    }

    /// Whether the marks of an object are about this object. Labels cannot tell.
    pub fn is_self_referencing(&self, object: &Value) -> bool {
        if self.method == Method::Label {
            return true;
        }
        match object
            .annotation(names::TRACKING_ID)
            .map(str::parse::<Identity>)
        {
            None => true,
            Some(Err(ParseError)) => false,
            Some(Ok(identity)) => identity.names(&object.resource_key()),
        }
    }

    /// Whether the marks of a live object are those of a desired one, at whatever place the live
    /// object is by now.
    pub fn marks_agree(&self, live: &Value, desired: &ResourceKey, application: &str) -> bool {
        self.owner(live).as_deref() == Some(application)
            && (self.method == Method::Label
                || live
                    .annotation(names::TRACKING_ID)
                    .and_then(|id| id.parse::<Identity>().ok())
                    .is_some_and(|identity| identity.names(desired)))
    }
}

/// An application's name as a label can hold it.
fn label_value(application: &str) -> &str {
    let cut = application
        .char_indices()
        .map(|(start, c)| start + c.len_utf8())
        .take_while(|end| *end <= LABEL_LENGTH)
        .last()
        .unwrap_or(0);
    let value = &application[..cut];
    if cut == application.len() {
        value
    } else {
        value.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
    }
}

fn set(object: &mut Value, field: &str, key: &str, value: &str) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let metadata = map_at(object, "metadata");
    map_at(metadata, field).insert(key.to_owned(), Value::String(value.to_owned()));
}

/// The map at a key, made if there is none or something else.
fn map_at<'m>(parent: &'m mut Map<String, Value>, key: &str) -> &'m mut Map<String, Value> {
    let slot = parent.entry(key).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut()
        .expect("a map, since it was just made one")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_copied_mark_is_no_ownership() {
        let tracking = Tracking::default();
        let mut service = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop"}});
        tracking.mark(&mut service, "shop", "elsewhere");
        assert!(tracking.owns(&service, "shop"));
        assert!(!tracking.owns(&service, "other"));

        let mut copy = service.clone();
        copy["kind"] = json!("Endpoints");
        assert_eq!(tracking.owner(&copy).as_deref(), Some("shop"));
        assert!(!tracking.owns(&copy, "shop"));

        let mut owned = service.clone();
        owned["metadata"]["ownerReferences"] = json!([{"kind": "X"}]);
        assert!(!tracking.owns(&owned, "shop"));
    }

    #[test]
    fn a_cluster_scoped_object_is_named_with_the_destinations_namespace() {
        let tracking = Tracking::default();
        let mut role = json!({"apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole", "metadata": {"name": "view"}});
        tracking.mark(&mut role, "a", "shop");
        assert_eq!(
            role.annotation(names::TRACKING_ID),
            Some("a:rbac.authorization.k8s.io/ClusterRole:shop/view")
        );
        assert!(tracking.owns(&role, "a"));
    }

    #[test]
    fn labels_are_cut_to_what_kubernetes_takes() {
        assert_eq!(label_value("short"), "short");
        let long = format!("{}--b", "a".repeat(61));
        assert_eq!(label_value(&long), "a".repeat(61));
    }
}
