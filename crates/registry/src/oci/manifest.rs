//! What an artifact consists of.

use serde::Deserialize;

use crate::Digest;

/// The type of the layer that holds a Helm chart.
pub const HELM_CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// The type of a Helm chart's configuration, which tells that an artifact is one.
const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

/// What registries are asked for.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// The types of layers that hold files: the value of `reposerver.oci.layer.media.types` in Argo CD.
const CONTENT_LAYERS: [&str; 3] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    HELM_CHART_LAYER,
];

/// The most layers of an artifact, as in Argo CD.
const LAYERS: usize = 10;

/// One artifact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    #[serde(default)]
    config: Option<Config>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    media_type: String,
}

/// Names content in the same repository.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What kind of content it is.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Manifest {
    /// Reads a manifest; the index of an image for several platforms is none.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Shape {
            #[serde(default)]
            manifests: Option<serde::de::IgnoredAny>,
        }
        let wrong = |error: serde_json::Error| format!("the manifest cannot be read: {error}");
        let shape: Shape = serde_json::from_slice(text).map_err(wrong)?;
        if shape.manifests.is_some() {
            return Err("it is an index of several images, and not a chart or artifact".to_owned());
        }
        serde_json::from_slice(text).map_err(wrong)
    }

    /// Whether the artifact is a Helm chart.
    pub fn is_chart(&self) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.media_type == HELM_CONFIG)
    }

    /// The one layer with content: of a chart the chart, of others the one with files.
    pub fn content(&self) -> Result<&Descriptor, String> {
        if self.layers.len() > LAYERS {
            return Err(format!(
                "expected no more than {LAYERS} oci layers, got {}",
                self.layers.len()
            ));
        }
        let is_content = |layer: &&Descriptor| {
            if self.is_chart() {
                layer.media_type == HELM_CHART_LAYER
            } else {
                CONTENT_LAYERS.contains(&layer.media_type.as_str())
            }
        };
        let layers: Vec<_> = self.layers.iter().filter(is_content).collect();
        match layers.as_slice() {
            [layer] => Ok(layer),
            [] => {
                let types: Vec<_> = self
                    .layers
                    .iter()
                    .map(|layer| layer.media_type.as_str())
                    .collect();
                Err(format!(
                    "it has no layer of the types {}; it has: {}",
                    CONTENT_LAYERS.join(", "),
                    types.join(", ")
                ))
            }
            several => Err(format!(
                "expected only a single oci content layer, got {}",
                several.len()
            )),
        }
    }
}
