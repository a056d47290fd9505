//! The actions that well-known kinds have without any setting.
//!
//! Names are those of Argo CD, so that habits and policies carry over.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Action, Error, Impact, Operation, Parameter, Parameters};
use crate::object::ObjectExt;

/// An action of a well-known kind.
pub(super) struct Bundled {
    pub(super) name: &'static str,
    /// Whether it makes sense in the state that the object is in.
    available: fn(&Value) -> bool,
    params: &'static [&'static str],
    act: Act,
}

enum Act {
    /// Changes the object.
    Change(fn(&mut Value, Asked<'_>) -> Result<(), Error>),
    /// Makes another object of it.
    Create(fn(&Value, Timestamp) -> Value),
}

/// What an action is told.
#[derive(Clone, Copy)]
struct Asked<'a> {
    parameters: &'a Parameters,
    now: Timestamp,
}

impl Bundled {
    const fn change(
        name: &'static str,
        available: fn(&Value) -> bool,
        change: fn(&mut Value, Asked<'_>) -> Result<(), Error>,
    ) -> Self {
        Self {
            name,
            available,
            params: &[],
            act: Act::Change(change),
        }
    }

    const fn create(name: &'static str, create: fn(&Value, Timestamp) -> Value) -> Self {
        Self {
            name,
            available: always,
            params: &[],
            act: Act::Create(create),
        }
    }

    /// The action as a list shows it.
    pub(super) fn offer(&self, object: &Value) -> Action {
        let params = self.params.iter().map(|name| Parameter {
            name: (*name).to_owned(),
            default: String::new(),
        });
        Action {
            name: self.name.to_owned(),
            disabled: !(self.available)(object),
            params: params.collect(),
            ..Action::default()
        }
    }

    /// What it comes to.
    pub(super) fn run(
        &self,
        object: &Value,
        parameters: &Parameters,
        now: Timestamp,
    ) -> Result<Impact, Error> {
        if !(self.available)(object) {
            return Err(Error::Disabled(self.name.to_owned()));
        }
        match self.act {
            Act::Change(change) => {
                let mut resource = object.clone();
                change(&mut resource, Asked { parameters, now })?;
                Ok(Impact {
                    operation: Operation::Patch,
                    resource,
                })
            }
            Act::Create(create) => Ok(Impact {
                operation: Operation::Create,
                resource: create(object, now),
            }),
        }
    }
}

const SCALE: Bundled = Bundled {
    name: "scale",
    available: always,
    params: &["replicas"],
    act: Act::Change(scale),
};
const RESTART: Bundled = Bundled::change("restart", always, restart_template);
const PAUSE: Bundled = Bundled::change(
    "pause",
    |object| !is_set(object, "/spec/paused"),
    |object, _| put(object, &["spec", "paused"], json!(true)),
);
const RESUME: Bundled = Bundled::change(
    "resume",
    |object| is_set(object, "/spec/paused"),
    |object, _| put(object, &["spec", "paused"], json!(false)),
);
const SUSPEND: Bundled = Bundled::change(
    "suspend",
    |object| !is_set(object, "/spec/suspend"),
    |object, _| put(object, &["spec", "suspend"], json!(true)),
);
const UNSUSPEND: Bundled = Bundled::change(
    "resume",
    |object| is_set(object, "/spec/suspend"),
    |object, _| put(object, &["spec", "suspend"], json!(false)),
);

static DEPLOYMENT: [Bundled; 4] = [RESTART, PAUSE, RESUME, SCALE];
static STATEFUL_SET: [Bundled; 2] = [RESTART, SCALE];
static DAEMON_SET: [Bundled; 1] = [RESTART];
static CRON_JOB: [Bundled; 3] = [Bundled::create("create-job", job), SUSPEND, UNSUSPEND];
static JOB: [Bundled; 2] = [SUSPEND, UNSUSPEND];
static CRON_WORKFLOW: [Bundled; 3] = [
    Bundled::create("create-workflow", scheduled_workflow),
    SUSPEND,
    UNSUSPEND,
];
static WORKFLOW_TEMPLATE: [Bundled; 1] = [Bundled::create("create-workflow", templated_workflow)];
static ANALYSIS_RUN: [Bundled; 1] = [Bundled::change(
    "terminate",
    |object| {
        !matches!(
            object["status"]["phase"].as_str(),
            Some("Successful" | "Failed" | "Error" | "Inconclusive")
        )
    },
    |object, _| put(object, &["spec", "terminate"], json!(true)),
)];
static ROLLOUT: [Bundled; 8] = [
    Bundled::change("restart", always, |object, asked| {
        put(object, &["spec", "restartAt"], json!(stamp(asked.now)))
    }),
    PAUSE,
    Bundled::change("resume", is_rollout_paused, |object, _| {
        put(object, &["spec", "paused"], json!(false))?;
        put(object, &["status", "pauseConditions"], Value::Null)
    }),
    Bundled::change("abort", is_rolling_out, |object, _| {
        put(object, &["status", "abort"], json!(true))
    }),
    Bundled::change(
        "retry",
        |object| is_set(object, "/status/abort"),
        |object, _| put(object, &["status", "abort"], json!(false)),
    ),
    Bundled::change("promote-full", is_rolling_out, |object, _| {
        put(object, &["status", "promoteFull"], json!(true))
    }),
    Bundled::change("skip-current-step", has_step_to_skip, |object, _| {
        let next = object["status"]["currentStepIndex"].as_u64().unwrap_or(0) + 1;
        put(object, &["status", "currentStepIndex"], json!(next))
    }),
    SCALE,
];
static FLUX: [Bundled; 3] = [
    Bundled::change("reconcile", always, |object, asked| {
        annotate(object, "reconcile.fluxcd.io/requestedAt", &stamp(asked.now))
    }),
    SUSPEND,
    UNSUSPEND,
];
static KEDA: [Bundled; 2] = [
    Bundled::change(
        "pause",
        |object| !is_keda_paused(object),
        |object, _| annotate(object, KEDA_PAUSED, "true"),
    ),
    Bundled::change("unpause", is_keda_paused, |object, _| {
        put(
            object,
            &["metadata", "annotations", KEDA_PAUSED],
            Value::Null,
        )
    }),
];
static EXTERNAL_SECRET: [Bundled; 1] = [Bundled::change("refresh", always, |object, asked| {
    annotate(object, "force-sync", &asked.now.as_second().to_string())
})];
static PUSH_SECRET: [Bundled; 1] = [Bundled::change("push", always, |object, asked| {
    annotate(object, "force-sync", &asked.now.as_second().to_string())
})];
static POSTGRES: [Bundled; 4] = [
    Bundled::change("restart", always, |object, asked| {
        annotate(object, RESTARTED_AT, &stamp(asked.now))
    }),
    Bundled::change("reload", always, |object, asked| {
        annotate(object, "cnpg.io/reloadedAt", &stamp(asked.now))
    }),
    Bundled::change(
        "suspend",
        |object| !is_hibernating(object),
        |object, _| annotate(object, HIBERNATION, "on"),
    ),
    Bundled::change("resume", is_hibernating, |object, _| {
        annotate(object, HIBERNATION, "off")
    }),
];

const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
const KEDA_PAUSED: &str = "autoscaling.keda.sh/paused";
const HIBERNATION: &str = "cnpg.io/hibernation";

/// The actions of the object's kind.
pub(super) fn of(object: &Value) -> &'static [Bundled] {
    match (object.group(), object.kind()) {
        ("apps", "Deployment") => &DEPLOYMENT,
        ("apps", "StatefulSet") => &STATEFUL_SET,
        ("apps", "DaemonSet") => &DAEMON_SET,
        ("batch", "CronJob") => &CRON_JOB,
        ("batch", "Job") => &JOB,
        ("argoproj.io", "Rollout") => &ROLLOUT,
        ("argoproj.io", "AnalysisRun") => &ANALYSIS_RUN,
        ("argoproj.io", "CronWorkflow") => &CRON_WORKFLOW,
        ("argoproj.io", "WorkflowTemplate" | "ClusterWorkflowTemplate") => &WORKFLOW_TEMPLATE,
        ("external-secrets.io", "ExternalSecret" | "ClusterExternalSecret") => &EXTERNAL_SECRET,
        ("external-secrets.io", "PushSecret") => &PUSH_SECRET,
        ("keda.sh", "ScaledObject" | "ScaledJob") => &KEDA,
        ("postgresql.cnpg.io", "Cluster") => &POSTGRES,
        (
            "kustomize.toolkit.fluxcd.io"
            | "helm.toolkit.fluxcd.io"
            | "source.toolkit.fluxcd.io"
            | "image.toolkit.fluxcd.io"
            | "notification.toolkit.fluxcd.io",
            _,
        ) => &FLUX,
        _ => &[],
    }
}

fn always(_: &Value) -> bool {
    true
}

fn is_set(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer) == Some(&Value::Bool(true))
}

fn is_keda_paused(object: &Value) -> bool {
    object
        .annotation(KEDA_PAUSED)
        .is_some_and(|text| text != "false")
}

fn is_hibernating(object: &Value) -> bool {
    object.annotation(HIBERNATION) == Some("on")
}

fn is_rollout_paused(object: &Value) -> bool {
    let conditions = object["status"]["pauseConditions"].as_array();
    is_set(object, "/spec/paused") || conditions.is_some_and(|all| !all.is_empty())
}

/// Whether a new version is on its way.
fn is_rolling_out(object: &Value) -> bool {
    let status = &object["status"];
    let stable = status["stableRS"].as_str();
    stable.is_some_and(|stable| status["currentPodHash"] != stable)
        && !is_set(object, "/status/abort")
}

fn has_step_to_skip(object: &Value) -> bool {
    let steps = object["spec"]["strategy"]["canary"]["steps"].as_array();
    let steps = steps.map_or(0, |steps| steps.len() as u64);
    object["status"]["currentStepIndex"].as_u64().unwrap_or(0) < steps
}

fn stamp(now: Timestamp) -> String {
    format!("{now:.0}")
}

/// Sets a field, with the objects on the way to it; null removes it.
fn put(object: &mut Value, way: &[&str], value: Value) -> Result<(), Error> {
    let mut place = object;
    let (last, parents) = way.split_last().unwrap_or((&"", &[]));
    for name in parents {
        if place.get(*name).is_none_or(Value::is_null) {
            place[*name] = Value::Object(Map::new());
        }
        place = &mut place[*name];
    }
    let Value::Object(fields) = place else {
        return Err(Error::Answer {
            action: way.join("."),
            problem: "does not fit the object, whose field is no map".to_owned(),
        });
    };
    if value.is_null() {
        fields.remove(*last);
    } else {
        fields.insert((*last).to_owned(), value);
    }
    Ok(())
}

fn annotate(object: &mut Value, key: &str, value: &str) -> Result<(), Error> {
    put(object, &["metadata", "annotations", key], json!(value))
}

fn restart_template(object: &mut Value, asked: Asked<'_>) -> Result<(), Error> {
    let way = ["spec", "template", "metadata", "annotations", RESTARTED_AT];
    put(object, &way, json!(stamp(asked.now)))
}

fn scale(object: &mut Value, asked: Asked<'_>) -> Result<(), Error> {
    let wrong = |problem: &str| Error::Parameter {
        action: "scale".to_owned(),
        name: "replicas".to_owned(),
        problem: problem.to_owned(),
    };
    let text = asked.parameters.get("replicas");
    let text = text.ok_or_else(|| wrong("is missing"))?;
    let replicas: u32 = text
        .parse()
        .map_err(|_| wrong("is no number of replicas"))?;
    put(object, &["spec", "replicas"], json!(replicas))
}

/// What a schedule makes when its time has come, made now.
fn job(cron: &Value, now: Timestamp) -> Value {
    let template = &cron["spec"]["jobTemplate"];
    made(cron, ("batch/v1", "Job"), template, &template["spec"], now)
}

fn scheduled_workflow(cron: &Value, now: Timestamp) -> Value {
    let spec = &cron["spec"];
    let kind = ("argoproj.io/v1alpha1", "Workflow");
    let mut workflow = made(
        cron,
        kind,
        &json!({"metadata": spec["workflowMetadata"]}),
        &spec["workflowSpec"],
        now,
    );
    workflow["metadata"]["labels"]["workflows.argoproj.io/cron-workflow"] = json!(cron.name());
    workflow
}

fn templated_workflow(template: &Value, now: Timestamp) -> Value {
    let mut reference = json!({"name": template.name()});
    if template.kind() == "ClusterWorkflowTemplate" {
        reference["clusterScope"] = json!(true);
    }
    let kind = ("argoproj.io/v1alpha1", "Workflow");
    let spec = json!({"workflowTemplateRef": reference});
    let mut workflow = made(
        template,
        kind,
        &template["spec"]["workflowMetadata"],
        &spec,
        now,
    );
    if let Some(metadata) = workflow["metadata"].as_object_mut() {
        // It runs by itself and outlives its template.
        metadata.remove("ownerReferences");
    }
    workflow
}

fn made(
    owner: &Value,
    (api_version, kind): (&str, &str),
    template: &Value,
    spec: &Value,
    now: Timestamp,
) -> Value {
    let name = format!("{}-{}", owner.name(), now.as_second());
    let metadata = &template["metadata"];
    let map = |field: &str| metadata[field].as_object().cloned().unwrap_or_default();
    let mut annotations = map("annotations");
    annotations.insert(
        "cronjob.kubernetes.io/instantiate".to_owned(),
        json!("manual"),
    );
    json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {
            "name": name, "namespace": owner.namespace(),
            "labels": map("labels"), "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": owner.api_version(), "kind": owner.kind(), "name": owner.name(),
                "uid": owner.uid(), "blockOwnerDeletion": true, "controller": true,
            }],
        },
        "spec": spec,
    })
}
