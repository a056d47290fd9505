//! Which applications a command is about: those named, or those with certain labels.

use argosy_crds::Application;
use clap::Args;
use kube::Api;

use super::names;
use crate::cli::hub_access::HubArgs;
use crate::diagnostic::Diagnostic;

/// The applications, and the hub that has them.
#[derive(Args)]
pub(super) struct Selection {
    /// The applications.
    names: Vec<String>,
    /// All applications with these labels instead, such as `team=red`.
    #[arg(short = 'l', long, conflicts_with = "names")]
    selector: Option<String>,
    #[command(flatten)]
    hub: HubArgs,
}

impl Selection {
    /// The API of the hub's applications, and the names of those that are meant: at least one, which
    /// need not exist if the user named it.
    pub(super) async fn resolve(self) -> Result<(Api<Application>, Vec<String>), Diagnostic> {
        let api = self.hub.api().await?;
        if !self.names.is_empty() {
            return Ok((api, self.names));
        }
        let Some(selector) = self.selector else {
            return Err(Diagnostic::user("NothingNamed", "no application is named")
                .fix("give one or more names, or labels with --selector"));
        };
        let found = names(&api, Some(selector.clone())).await?;
        if found.is_empty() {
            let what = format!("no application has `{selector}`");
            return Err(Diagnostic::user("NothingSelected", what));
        }
        Ok((api, found))
    }
}
