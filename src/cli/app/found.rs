//! Applications that are told one by one to a person, and as one list in any other form.

use argosy_crds::Application;
use serde_json::json;

use crate::cli::output::{self, Format};
use crate::diagnostic::Diagnostic;

/// The applications that a command has come to so far.
pub(super) struct Found {
    form: Format,
    applications: Vec<Application>,
}

impl Found {
    /// None yet.
    pub(super) fn new(form: Format) -> Self {
        Self {
            form,
            applications: Vec::new(),
        }
    }

    /// One more.
    pub(super) fn add(&mut self, app: Application, tell: impl FnOnce(&Application)) {
        match self.form {
            Format::Text => tell(&app),
            _ => self.applications.push(app),
        }
    }

    /// That is all.
    pub(super) fn finish(self) -> Result<(), Diagnostic> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": self.applications});
        output::document(self.form, &list, String::new)
    }
}
