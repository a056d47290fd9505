//! What makes a struct a kind of the API: its names, and `apiVersion` and `kind` on the wire.

/// Implements `kube_core::Resource` and `Serialize` for a struct with `metadata` and `spec`.
/// The optional fields are written only where they are set.
macro_rules! kind {
    ($type:ident, $plural:literal, $($optional:ident),+) => {
        impl kube_core::Resource for $type {
            type DynamicType = ();
            type Scope = k8s_openapi::NamespaceResourceScope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                stringify!($type).into()
            }
            fn group((): &()) -> std::borrow::Cow<'_, str> {
                $crate::names::GROUP.into()
            }
            fn version((): &()) -> std::borrow::Cow<'_, str> {
                $crate::names::VERSION.into()
            }
            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("apiVersion", $crate::names::API_VERSION)?;
                map.serialize_entry("kind", stringify!($type))?;
                map.serialize_entry("metadata", &self.metadata)?;
                map.serialize_entry("spec", &self.spec)?;
                $(if let Some(value) = &self.$optional {
                    map.serialize_entry(stringify!($optional), value)?;
                })+
                map.end()
            }
        }
    };
}

pub(crate) use kind;
