//! An object as a watch brings it, of which no more is read than somebody needs.
//!
//! Most of what lives of a watched kind belongs to no application, and changes all the time. Of such
//! an object its names and marks are read and the rest is skipped. What cannot be read as a whole is
//! no object: whoever needs it asks the cluster again and hears why.

use std::borrow::Cow;
use std::collections::BTreeMap;

use argosy_engine::object::ResourceKey;
use kube::Resource;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicResourceScope;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// An object as it came, or, if `METADATA`, its metadata alone, which is all that is asked for then.
#[derive(Clone, Debug)]
pub(super) struct Watched<const METADATA: bool> {
    /// Its names, marks and version; nothing else of its metadata.
    meta: Box<ObjectMeta>,
    text: Box<RawValue>,
}

/// What says which object it is, in which version, and whose.
#[derive(serde::Deserialize)]
struct Head {
    metadata: Marks,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marks {
    name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl<'de, const METADATA: bool> Deserialize<'de> for Watched<METADATA> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let Head { metadata } = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Self {
            meta: Box::new(ObjectMeta {
                name: metadata.name,
                namespace: metadata.namespace,
                resource_version: metadata.resource_version,
                labels: metadata.labels,
                annotations: metadata.annotations,
                ..ObjectMeta::default()
            }),
            text,
        })
    }
}

impl<const METADATA: bool> Watched<METADATA> {
    /// Which object of the kind `of` it is.
    pub(super) fn key(&self, of: &ApiResource) -> ResourceKey {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        ResourceKey::new(
            &of.group,
            &of.kind,
            text(&self.meta.namespace),
            text(&self.meta.name),
        )
    }

    /// Its names and marks as an object of the kind `of`.
    pub(super) fn head(&self, of: &ApiResource) -> Value {
        json!({"apiVersion": of.api_version, "kind": of.kind, "metadata": self.meta})
    }

    /// All of it; `None` if it cannot be read.
    pub(super) fn whole(&self, of: &ApiResource) -> Option<Value> {
        let mut object: Value = serde_json::from_str(self.text.get()).ok()?;
        // The items of a list do not repeat the list's kind, and metadata alone has one of its own.
        object["apiVersion"] = of.api_version.as_str().into();
        object["kind"] = of.kind.as_str().into();
        Some(object)
    }
}

impl<const METADATA: bool> Resource for Watched<METADATA> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn metadata_api() -> bool {
        METADATA
    }

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn api_version(of: &ApiResource) -> Cow<'_, str> {
        of.api_version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
mod tests {
    use argosy_engine::object::ObjectExt as _;
    use kube::api::WatchEvent;
    use kube::core::GroupVersionKind;

    use super::*;

    #[test]
    fn names_and_marks_are_read_and_the_rest_when_it_is_asked_for() {
        let pods = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
        let object = json!({"metadata": {"name": "p", "namespace": "n", "resourceVersion": "7", "uid": "u",
                "labels": {"a": "b"}, "annotations": {"c": "d"}, "managedFields": [{"manager": "m"}]},
            "spec": {"nodeName": "x"}});
        let line = format!("{{\"type\":\"MODIFIED\",\"object\":{object}}}");
        let event: WatchEvent<Watched<false>> = serde_json::from_str(&line).unwrap();
        let WatchEvent::Modified(watched) = event else {
            panic!("{event:?}");
        };
        assert_eq!(watched.meta.resource_version.as_deref(), Some("7"));
        assert_eq!(watched.key(&pods), ResourceKey::new("", "Pod", "n", "p"));
        let head = watched.head(&pods);
        assert_eq!(
            (head.label("a"), head.annotation("c")),
            (Some("b"), Some("d"))
        );
        assert_eq!((head.api_version(), head.kind()), ("v1", "Pod"));
        let whole = watched.whole(&pods).unwrap();
        assert_eq!(whole["spec"], object["spec"]);
        assert_eq!(whole["metadata"], object["metadata"]);
        assert_eq!((whole.api_version(), whole.kind()), ("v1", "Pod"));
    }

    #[test]
    fn what_is_no_object_is_refused_and_what_is_too_deep_cannot_be_read() {
        assert!(serde_json::from_str::<Watched<false>>("{\"kind\": \"Pod\"}").is_err());
        assert!(serde_json::from_str::<Watched<false>>("[]").is_err());
        let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
        let text = format!("{{\"metadata\":{{\"name\":\"p\"}},\"spec\":{deep}}}");
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
        let watched: Watched<false> = serde_json::from_str(&text).unwrap();
        assert!(watched.whole(&kind).is_none());
    }
}
