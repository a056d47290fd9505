//! Gates: services that a project asks before and after each sync of its applications.
//!
//! A project declares them in an annotation, so that Argo CD keeps and ignores them. Nothing here
//! asks anybody: [`declared`] reads the declaration, [`question`] is what a gate is sent and
//! [`judge`] what its answers mean. A declaration that cannot be read opens no gate.

mod judge;

use std::collections::BTreeSet;

use argosy_crds::application::{GateStage, Operation};
use argosy_crds::names::annotation;
use argosy_crds::{AppProject, Application};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::duration;

pub use judge::{Answer, Verdict, judge};

/// How the condition begins that a closed gate is told by.
pub const CLOSED: &str = "GateClosed";

/// How long a gate may stay closed unless its declaration says otherwise.
const TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

/// A service that is asked about syncs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its name, unique among those of its stage.
    pub name: String,
    /// When it is asked.
    pub stage: GateStage,
    /// Where; without credentials.
    pub url: Url,
    /// How long it may stay closed before the sync fails, five minutes by default.
    pub timeout: SignedDuration,
}

/// What is wrong with the gates of a project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("annotation {} of AppProject {project}: {problem}", annotation::GATES)]
pub struct Malformed {
    project: String,
    problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    name: String,
    when: GateStage,
    url: String,
    timeout: Option<String>,
}

/// The gates of a project, in the order in which they are asked.
///
/// # Errors
/// An annotation that is no list of gates; then nothing may be synced.
pub fn declared(project: &AppProject) -> Result<Vec<Gate>, Malformed> {
    let annotations = project.metadata.annotations.as_ref();
    let Some(text) = annotations.and_then(|all| all.get(annotation::GATES)) else {
        return Ok(Vec::new());
    };
    read(text).map_err(|problem| Malformed {
        project: project.metadata.name.clone().unwrap_or_default(),
        problem,
    })
}

fn read(text: &str) -> Result<Vec<Gate>, String> {
    let list = argosy_yaml::from_str_strict(text).map_err(|error| error.to_string())?;
    let declared: Vec<Declaration> =
        serde_path_to_error::deserialize(list).map_err(|error| error.to_string())?;
    let mut names = BTreeSet::new();
    let gates = declared.into_iter().map(|one| {
        let gate = gate(&one).map_err(|problem| format!("gate {:?}: {problem}", one.name))?;
        if !names.insert((gate.stage, gate.name.clone())) {
            return Err(format!("gate {:?} is declared twice", gate.name));
        }
        Ok(gate)
    });
    gates.collect()
}

fn gate(declaration: &Declaration) -> Result<Gate, String> {
    if declaration.name.is_empty() {
        return Err("it needs a name".to_owned());
    }
    // The address is not repeated: it may have been meant to hold a secret.
    let url = Url::parse(&declaration.url).map_err(|error| format!("its url: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its url has to begin with https:// or http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its url must hold no credentials".to_owned());
    }
    let timeout = match &declaration.timeout {
        Some(text) => duration::parse(text).map_err(|error| format!("its timeout: {error}"))?,
        None => TIMEOUT,
    };
    if timeout <= SignedDuration::ZERO {
        return Err("its timeout has to be longer than 0s".to_owned());
    }
    Ok(Gate {
        name: declaration.name.clone(),
        stage: declaration.when,
        url,
        timeout,
    })
}

/// What a gate is sent: what is synced where, and on whose word. It holds no manifest, no parameter
/// and no address of a repository, so that it holds no secret.
pub fn question(
    gate: &Gate,
    application: &Application,
    operation: &Operation,
    revisions: &[String],
) -> Value {
    let metadata = &application.metadata;
    let by = &operation.initiated_by;
    json!({
        "gate": gate.name,
        "when": gate.stage,
        "application": {"namespace": metadata.namespace, "name": metadata.name},
        "project": application.spec.project_or_default(),
        "destination": application.spec.destination,
        "revisions": revisions,
        "initiatedBy": {"username": by.username, "automated": by.automated},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        read(text).unwrap_err()
    }

    #[test]
    fn gates_are_read_in_their_order_with_five_minutes_by_default() {
        let gates = read(
            "- {name: freeze, when: before, url: 'https://gates.example.com/freeze?env=prod', timeout: 24h}\n\
             - {name: smoke, when: after, url: 'http://smoke.ops/run'}\n",
        )
        .unwrap();
        let told: Vec<_> = gates
            .iter()
            .map(|gate| (gate.name.as_str(), gate.stage, gate.timeout.as_secs()))
            .collect();
        assert_eq!(
            told,
            [
                ("freeze", GateStage::Before, 86_400),
                ("smoke", GateStage::After, 300)
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_no_address_is_repeated() {
        let secret = problem("- {name: a, when: before, url: 'https://ada:hunter2@example.com'}");
        assert_eq!(secret, "gate \"a\": its url must hold no credentials");
        assert!(
            problem("- {name: a, when: before, url: 'file:///etc/passwd'}").contains("https://")
        );
        assert!(problem("- {name: a, when: during, url: 'https://a.b'}").contains("during"));
        assert!(
            problem("- {name: a, when: after, url: 'https://a.b', token: x}").contains("token")
        );
        assert!(
            problem("- {name: a, when: after, url: 'https://a.b', timeout: '5'}")
                .contains("timeout")
        );
        assert_eq!(
            problem("- {name: a, when: after, url: 'https://a.b', timeout: 5}"),
            "[0].timeout: invalid type: integer `5`, expected a string"
        );
        assert!(problem("name: a").contains("sequence"));
        let twice = "- {name: a, when: after, url: 'https://a.b'}\n".repeat(2);
        assert!(problem(&twice).contains("twice"));
    }
}
