//! What `argocd-cmd-params-cm` says of the hub's own logs and traces: no application or set depends
//! on it, so that a change of it makes nobody look again.

use std::collections::BTreeMap;

use crate::traces::OtlpSettings;

/// What the hub is to tell of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetrySettings {
    /// What is logged; as the hub was started where nothing is said; `controller.log.level`.
    pub log_filter: Option<String>,
    /// Where traces go; `otlp.*`.
    pub otlp: OtlpSettings,
}

impl TelemetrySettings {
    /// The key of the log filter.
    pub const LOG_FILTER: &'static str = "controller.log.level";

    pub(super) fn read(params: &BTreeMap<String, String>) -> Self {
        let text = |key: &str| {
            let text = params.get(key).map(|text| text.trim());
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let ratio = text("otlp.sample.ratio").and_then(|text| text.parse().ok());
        Self {
            log_filter: text(Self::LOG_FILTER),
            otlp: OtlpSettings {
                address: text("otlp.address"),
                insecure: text("otlp.insecure").and_then(|text| text.parse().ok()),
                headers: text("otlp.headers").map(Into::into),
                attributes: text("otlp.attrs"),
                sample_ratio: ratio.filter(|ratio| (0.0..=1.0).contains(ratio)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_argo_cd_s_and_a_slip_leaves_the_default() {
        let params = [
            ("controller.log.level", " debug "),
            ("otlp.address", "otel:4318"),
            ("otlp.insecure", "false"),
            ("otlp.headers", "authorization=hunter2"),
            ("otlp.attrs", ""),
            ("otlp.sample.ratio", "1.5"),
        ];
        let params = params.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = TelemetrySettings::read(&params.into());
        assert_eq!(settings.log_filter.as_deref(), Some("debug"));
        assert_eq!(settings.otlp.address.as_deref(), Some("otel:4318"));
        assert_eq!(settings.otlp.insecure, Some(false));
        assert_eq!(settings.otlp.attributes, None);
        assert_eq!(settings.otlp.sample_ratio, None);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
