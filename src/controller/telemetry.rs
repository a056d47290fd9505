//! What the settings say of the hub's own logs and traces, put into effect while it runs.

use crate::hub::Hub;

impl Hub {
    /// Logs and traces as the flags and settings say; what cannot be used changes nothing.
    pub(crate) fn take_telemetry(&self) {
        let settings = self.fleet.telemetry();
        match self.config.logs.filter(settings.log_filter.as_deref()) {
            Ok(Some(filter)) => tracing::info!(filter, "the log filter was changed"),
            Ok(None) => {}
            Err(refused) => tracing::error!(
                error = refused.one_line(),
                "argocd-cmd-params-cm: the log filter stays as it was"
            ),
        }
        let otlp = self.config.otlp.or(&settings.otlp);
        match self.traces.send_to(&otlp) {
            Ok(true) if self.traces.is_on() => tracing::info!(
                collector = otlp.address.unwrap_or_default(),
                "traces are recorded"
            ),
            Ok(true) => tracing::info!("traces are no longer recorded"),
            Ok(false) => {}
            Err(refused) => {
                tracing::error!(error = refused.one_line(), "traces go on as they were");
            }
        }
    }
}
