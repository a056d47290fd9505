//! The flags that say where a hub's traces go.

use argosy_facts::Secret;

use crate::diagnostic::Diagnostic;
use crate::traces::OtlpSettings;

#[derive(clap::Args)]
pub(super) struct OtlpArgs {
    /// The OpenTelemetry collector to send traces to by OTLP over HTTP, such as
    /// `otel-collector:4318`; no traces without one.
    #[arg(
        long = "otlp-address",
        value_name = "ADDRESS",
        env = "ARGOSY_OTLP_ADDRESS"
    )]
    address: Option<String>,
    /// Whether the collector is reached by HTTP instead of HTTPS [default: true].
    #[arg(
        long = "otlp-insecure",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    insecure: Option<bool>,
    /// Headers of each request to the collector, as `key=value,key=value`.
    #[arg(
        long = "otlp-headers",
        value_name = "HEADERS",
        env = "ARGOSY_OTLP_HEADERS",
        hide_env_values = true
    )]
    headers: Option<String>,
    /// Attributes of the hub in its traces, as `key:value,key:value`.
    #[arg(long = "otlp-attrs", value_name = "ATTRIBUTES")]
    attributes: Option<String>,
    /// Which share of the traces is recorded, from 0 to 1 [default: 1].
    #[arg(long = "otlp-sample-ratio", value_name = "RATIO", value_parser = ratio)]
    sample_ratio: Option<f64>,
}

impl OtlpArgs {
    pub(super) fn settings(self) -> Result<OtlpSettings, Diagnostic> {
        let settings = OtlpSettings {
            address: self.address,
            insecure: self.insecure,
            headers: self.headers.map(Secret::new),
            attributes: self.attributes,
            sample_ratio: self.sample_ratio,
        };
        settings.check()?;
        Ok(settings)
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=1.0).contains(&ratio) {
        Ok(ratio)
    } else {
        Err("a share is a number from 0 to 1".to_owned())
    }
}
