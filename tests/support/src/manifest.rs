//! Objects that many tests begin with.

use serde_json::{Value, json};

/// An application that syncs, prunes and heals itself.
pub fn automated(name: &str, repo: &str, path: &str, server: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "default",
            "source": {"repoURL": repo, "path": path, "targetRevision": "main"},
            "destination": {"server": server, "namespace": name},
            "syncPolicy": {
                "automated": {"prune": true, "selfHeal": true},
                "syncOptions": ["CreateNamespace=true"],
            },
        },
    })
}

/// An application that syncs when it is asked to.
pub fn manual(name: &str, repo: &str, path: &str, server: &str) -> Value {
    let mut app = automated(name, repo, path, server);
    app["spec"]["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
    app
}

/// A Deployment of one replica.
pub fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    \
         spec: {{containers: [{{name: main, image: '{image}'}}]}}\n"
    )
}

/// A ConfigMap of one key, with annotations in flow style.
pub fn config(name: &str, value: &str, annotations: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\n\
         data: {{a: '{value}'}}\n"
    )
}

/// A Job that is a hook; `more` are further annotations in flow style, with a comma before them.
pub fn hook(name: &str, phase: &str, more: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations: \
         {{argocd.argoproj.io/hook: {phase}{more}}}\nspec:\n  template:\n    spec: {{restartPolicy: Never, \
         containers: [{{name: main, image: 'job:1'}}]}}\n"
    )
}
