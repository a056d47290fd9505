//! What the server adds to objects on their way in, and what it does right after: allocated
//! addresses, folded secret data, every namespace's own objects, tokens.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::create::CreateOptions;
use super::failure::Failure;
use super::object::{at, child, get_text, map_of, name_of, namespace_of, uid_of};
use super::state::{Key, State, WriteOptions};
use super::{definition, seconds};
use crate::registry::Kind;

/// The placeholder for a certificate authority where clients want one to be there.
const CA: &str = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";

/// Completes a new or changed object.
pub(super) fn prepare(state: &mut State, kind: &Kind, object: &mut Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Service") => allocate(state, object),
        ("", "Namespace") => name_namespace(object),
        ("", "Pod") => start_pod(object),
        ("", "PersistentVolumeClaim" | "PersistentVolume") if object.get("status").is_none() => {
            object["status"] = json!({"phase": "Pending"});
        }
        ("batch", "Job") => select_job(object),
        ("apiextensions.k8s.io", _) => definition::complete(state, object),
        ("apps" | "networking.k8s.io" | "policy" | "autoscaling" | "batch", _)
            if kind.status && object.get("status").is_none() =>
        {
            object["status"] = first_status(&kind.kind);
        }
        _ => {}
    }
}

fn first_status(kind: &str) -> Value {
    match kind {
        "ReplicaSet" => json!({"replicas": 0}),
        "StatefulSet" => json!({"replicas": 0, "availableReplicas": 0}),
        "DaemonSet" => json!({
            "currentNumberScheduled": 0, "numberMisscheduled": 0,
            "desiredNumberScheduled": 0, "numberReady": 0,
        }),
        "Ingress" => json!({"loadBalancer": {}}),
        "PodDisruptionBudget" => json!({
            "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
        }),
        "HorizontalPodAutoscaler" => json!({"desiredReplicas": 0, "currentMetrics": null}),
        _ => json!({}),
    }
}

fn name_namespace(namespace: &mut Value) {
    namespace["spec"] = json!({"finalizers": ["kubernetes"]});
    if get_text(namespace, &["status", "phase"]).is_empty() {
        namespace["status"]["phase"] = "Active".into();
    }
}

fn start_pod(pod: &mut Value) {
    if pod.get("status").is_none() {
        let class = quality(pod);
        pod["status"] = json!({"phase": "Pending", "qosClass": class});
    }
}

fn quality(pod: &Value) -> &'static str {
    let containers = pod["spec"]["containers"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let part = |container: &Value, what: &str| container["resources"][what].clone();
    let nothing = |value: &Value| value.as_object().is_none_or(Map::is_empty);
    if containers
        .iter()
        .all(|c| nothing(&part(c, "requests")) && nothing(&part(c, "limits")))
    {
        return "BestEffort";
    }
    let full = |c: &Value| {
        let limits = part(c, "limits");
        limits == part(c, "requests") && limits["cpu"].is_string() && limits["memory"].is_string()
    };
    if containers.iter().all(full) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// A Job selects its pods by its own uid unless told otherwise.
fn select_job(job: &mut Value) {
    if job["spec"]["selector"].is_object() || job["spec"]["manualSelector"] == true {
        return;
    }
    let (uid, name) = (uid_of(job).to_owned(), name_of(job).to_owned());
    job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
    let template = child(job, "spec");
    let template = map_of(template.entry("template").or_insert_with(|| json!({})));
    let meta = map_of(template.entry("metadata").or_insert_with(|| json!({})));
    let labels = map_of(meta.entry("labels").or_insert_with(|| json!({})));
    for (key, value) in [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ] {
        labels.insert(key.to_owned(), value.clone().into());
    }
    if job.get("status").is_none() {
        job["status"] = json!({});
    }
}

fn allocate(state: &mut State, service: &mut Value) {
    if service.get("status").is_none() {
        service["status"] = json!({"loadBalancer": {}});
    }
    let kind = get_text(service, &["spec", "type"]).to_owned();
    if kind == "ExternalName" {
        return;
    }
    if get_text(service, &["spec", "clusterIP"]).is_empty() {
        let (third, fourth) = state.identity.address();
        service["spec"]["clusterIP"] = format!("10.96.{third}.{fourth}").into();
    }
    let address = service["spec"]["clusterIP"].clone();
    service["spec"]["clusterIPs"] = json!([address]);
    service["spec"]["ipFamilies"] = json!(["IPv4"]);
    if service["spec"]["ipFamilyPolicy"].is_null() {
        service["spec"]["ipFamilyPolicy"] = "SingleStack".into();
    }
    if kind == "NodePort" || kind == "LoadBalancer" {
        for port in service["spec"]["ports"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            if port["nodePort"].as_i64().unwrap_or(0) == 0 {
                let (high, low) = state.identity.address();
                port["nodePort"] = (30000 + (i64::from(high) * 256 + i64::from(low)) % 2768).into();
            }
        }
    }
}

/// A writer that leaves out what the server allocated does not give it back.
pub(super) fn keep_allocated(kind: &Kind, old: &Value, new: &mut Value) {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Service") => keep_service(old, new),
        ("", "PersistentVolumeClaim") if new["spec"]["volumeName"].is_null() => {
            if let Some(volume) = at(old, &["spec", "volumeName"]) {
                new["spec"]["volumeName"] = volume.clone();
            }
        }
        ("batch", "Job") => {
            if new["spec"]["selector"].is_null() {
                new["spec"]["selector"] = old["spec"]["selector"].clone();
            }
            let labels = old["spec"]["template"]["metadata"]["labels"].as_object();
            for (key, value) in labels.into_iter().flatten() {
                if key.ends_with("controller-uid") || key.ends_with("job-name") {
                    new["spec"]["template"]["metadata"]["labels"][key] = value.clone();
                }
            }
        }
        ("", "Pod") if new["spec"]["nodeName"].is_null() => {
            if let Some(node) = at(old, &["spec", "nodeName"]) {
                new["spec"]["nodeName"] = node.clone();
            }
        }
        _ => {}
    }
}

fn keep_service(old: &Value, new: &mut Value) {
    if get_text(new, &["spec", "type"]) == "ExternalName" {
        return;
    }
    if get_text(new, &["spec", "clusterIP"]).is_empty()
        && let Some(address) = at(old, &["spec", "clusterIP"])
    {
        new["spec"]["clusterIP"] = address.clone();
    }
    let known = old["spec"]["ports"].as_array().cloned().unwrap_or_default();
    if !["NodePort", "LoadBalancer"].contains(&get_text(new, &["spec", "type"])) {
        return;
    }
    for port in new["spec"]["ports"].as_array_mut().into_iter().flatten() {
        let before = known
            .iter()
            .find(|old| old["port"] == port["port"] && old["protocol"] == port["protocol"]);
        if port["nodePort"].is_null()
            && let Some(number) = before.and_then(|old| old.get("nodePort"))
        {
            port["nodePort"] = number.clone();
        }
    }
}

impl State {
    /// What the control plane does once an object exists.
    pub(super) fn after_create(&mut self, kind: &Kind, made: &Arc<Value>) -> Result<(), Failure> {
        match (kind.group.as_str(), kind.kind.as_str()) {
            ("", "Namespace") => {
                let name = name_of(made).to_owned();
                let account = json!({"metadata": {"name": "default"}});
                self.install_in(&name, "serviceaccounts", account)?;
                let ca = json!({
                    "metadata": {
                        "name": "kube-root-ca.crt",
                        "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."},
                    },
                    "data": {"ca.crt": CA},
                });
                self.install_in(&name, "configmaps", ca)
            }
            ("", "Secret") => self.fill_token(kind, made),
            ("", "ServiceAccount") => self.fill_tokens_of(made),
            _ => Ok(()),
        }
    }

    pub(super) fn after_update(&mut self, kind: &Kind, put: &Arc<Value>) -> Result<(), Failure> {
        if kind.is("", "Secret") {
            self.fill_token(kind, put)
        } else {
            Ok(())
        }
    }

    fn install_in(&mut self, namespace: &str, table: &str, object: Value) -> Result<(), Failure> {
        let Some(kind) = self.registry.by_table(table) else {
            return Ok(());
        };
        let key = Key::new(table, namespace, name_of(&object));
        if self.get(&key).is_some() {
            return Ok(());
        }
        let options = CreateOptions {
            write: WriteOptions::by("kube-controller-manager"),
            status: false,
        };
        self.create(&kind, namespace, object, &options).map(drop)
    }

    fn fill_tokens_of(&mut self, account: &Value) -> Result<(), Failure> {
        let Some(kind) = self.registry.by_table("secrets") else {
            return Ok(());
        };
        let namespace = namespace_of(account).to_owned();
        let secrets: Vec<_> = self.objects("secrets", &namespace).cloned().collect();
        secrets
            .iter()
            .try_for_each(|secret| self.fill_token(&kind, secret))
    }

    /// Puts a token into a Secret of the legacy kind, as the token controller does.
    fn fill_token(&mut self, kind: &Kind, secret: &Arc<Value>) -> Result<(), Failure> {
        if secret["type"] != "kubernetes.io/service-account-token"
            || at(secret, &["data", "token"]).is_some()
        {
            return Ok(());
        }
        let namespace = namespace_of(secret);
        let annotations = &secret["metadata"]["annotations"];
        let account = get_text(annotations, &["kubernetes.io/service-account.name"]);
        let key = Key::new("serviceaccounts", namespace, account);
        let Some(uid) = self.get(&key).map(|account| uid_of(account).to_owned()) else {
            return Ok(());
        };
        let token = self.identity.sign(&json!({
            "iss": "kubernetes/serviceaccount",
            "sub": format!("system:serviceaccount:{namespace}:{account}"),
            "kubernetes.io/serviceaccount/namespace": namespace,
            "kubernetes.io/serviceaccount/service-account.name": account,
            "uid": uid,
            "secret": uid_of(secret),
        }));
        let mut filled = (**secret).clone();
        for (field, text) in [
            ("token", token.as_str()),
            ("namespace", namespace),
            ("ca.crt", CA),
        ] {
            child(&mut filled, "data").insert(field.to_owned(), BASE64.encode(text).into());
        }
        filled["metadata"]["annotations"]["kubernetes.io/service-account.uid"] = uid.into();
        let key = Key::of(kind, secret);
        self.commit(&key, filled, false).map(drop)
    }

    /// A token for a service account, as its `token` subresource answers it.
    pub(crate) fn request_token(
        &mut self,
        kind: &Kind,
        key: &Key,
        request: &Value,
    ) -> Result<Value, Failure> {
        let Some(account) = self.get(key) else {
            return Err(Failure::not_found(kind, &key.name));
        };
        let uid = uid_of(account).to_owned();
        let lifetime = request["spec"]["expirationSeconds"]
            .as_i64()
            .unwrap_or(3600);
        let expires = self.now.as_second() + lifetime;
        let token = self.identity.sign(&json!({
            "iss": "https://kubernetes.default.svc.cluster.local",
            "aud": ["https://kubernetes.default.svc.cluster.local"],
            "sub": format!("system:serviceaccount:{}:{}", key.namespace, key.name),
            "uid": uid,
            "iat": self.now.as_second(),
            "exp": expires,
        }));
        let until = jiff::Timestamp::from_second(expires).unwrap_or(self.now);
        let mut answer = request.clone();
        answer["kind"] = "TokenRequest".into();
        answer["apiVersion"] = "authentication.k8s.io/v1".into();
        answer["spec"]["expirationSeconds"] = lifetime.into();
        answer["status"] = json!({"token": token, "expirationTimestamp": seconds(until)});
        Ok(answer)
    }

    /// The user a token stands for: its account, and its Secret where it came in one, must exist.
    pub(crate) fn token_user(&self, token: &str) -> Option<String> {
        let claims = self.identity.verify(token)?;
        if claims["exp"]
            .as_i64()
            .is_some_and(|end| end < self.now.as_second())
        {
            return None;
        }
        let exists = |uid: &Value| uid.as_str().is_none_or(|uid| self.uids.contains_key(uid));
        (exists(&claims["uid"]) && exists(&claims["secret"]))
            .then(|| get_text(&claims, &["sub"]).to_owned())
    }
}
