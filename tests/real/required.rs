//! What counts as required, held against a real API server: an object without it is refused there,
//! and a sync that would bring such an object is refused before its first write.

use std::collections::{BTreeMap, BTreeSet};

use argosy_crds::codes::OperationPhase;
use argosy_engine::schema::{Schema, SchemaSource as _, Type, bundled, mistakes, read_openapi};
use argosy_test_support::manifest::{config, manual};
use futures::StreamExt as _;
use kube::api::{DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::Scope;
use kube::{Api, Client, Discovery};
use serde_json::{Value, json};

use crate::corpus::manifests;
use crate::fleet::Fleet;

/// Where the objects are tried.
const NAMESPACE: &str = "default";

/// For how many objects the server is asked at once.
const AT_ONCE: usize = 8;

/// A field that the server's documents call required: its struct and its name.
type Required = (String, String);

/// One question to the server: an object without a field.
struct Question {
    required: Required,
    object: Value,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_counts_as_required_is_what_the_server_refuses_to_do_without() {
    let fleet = Fleet::start("hub-required").await;
    let server = Server::of(fleet.plane.client(1)).await;
    let mut questions = BTreeMap::new();
    for object in manifests() {
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        if bundled().find(api_version, kind).is_none() || !server.accepts(&object).await {
            continue;
        }
        // What the server takes is never refused before it was asked.
        assert_eq!(mistakes(&object, bundled(), true), [], "{object}");
        let (schema, root) = server.documents.find(api_version, kind).unwrap();
        for (required, pointer) in required_in(schema, root, &object) {
            let without = without(&object, &pointer);
            let question = (kind.to_owned(), required.clone());
            questions.entry(question).or_insert(Question {
                required,
                object: without,
            });
        }
    }
    let asked = futures::stream::iter(questions.into_values()).map(async |question| {
        let is_accepted = server.accepts(&question.object).await;
        (question.required, is_accepted)
    });
    let answers: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
    let accepted = answers.iter().filter(|(_, is_accepted)| *is_accepted);
    let accepted: BTreeSet<_> = accepted.map(|(required, _)| required).collect();
    let all = answers.iter().map(|(required, _)| required);
    let refused: BTreeSet<_> = all.filter(|one| !accepted.contains(one)).collect();
    let listed: BTreeSet<Required> = bundled()
        .required()
        .map(|(of, field)| (of.to_owned(), field.to_owned()))
        .collect();
    assert!(
        listed.iter().collect::<BTreeSet<_>>() == refused,
        "crates/engine/src/schema/required.txt has to be\n{}",
        lines(&refused)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_missing_is_told_before_anything_is_applied() {
    let fleet = Fleet::start("hub-missing").await;
    fleet.register_with_token("dev", 1, json!({})).await;
    let pod = "{containers: [{image: 'web:1'}]}";
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  template: \
         {{metadata: {{labels: {{app: web}}}}, spec: {pod}}}\n"
    );
    fleet.tree.commit(&[
        ("missing/a.yaml", &config("a", "1", "")),
        ("missing/web.yaml", &deployment),
    ]);
    let server = fleet.server(1).url();
    let app = manual("missing", &fleet.tree.url(), "missing", server);
    fleet.apply(app).await;
    fleet.sync("missing").await;
    let app = fleet.until_ended("missing", OperationPhase::Failed).await;
    let message = app.status.unwrap().operation_state.unwrap().message;
    for told in [
        "nothing was applied",
        "spec.selector is required",
        "spec.template.spec.containers[0].name is required",
    ] {
        assert!(message.contains(told), "{told}: {message}");
    }
    let config = fleet.live(1, "v1", "ConfigMap", "missing/a").await;
    assert!(config.is_none());
}

/// A real API server, its kinds and what it says of them.
struct Server {
    client: Client,
    kinds: Discovery,
    documents: Schema,
}

impl Server {
    async fn of(client: Client) -> Self {
        let kinds = Discovery::new(client.clone()).run().await.unwrap();
        let mut documents = Schema::default();
        let index: Value = get(&client, "/openapi/v3").await;
        for (path, at) in index["paths"].as_object().unwrap() {
            // Kubernetes' own groups; those of other tests come and go.
            let group = path.split('/').nth(1).unwrap_or_default();
            if !group.contains('.') || group.ends_with(".k8s.io") {
                let document = get(&client, text(&at["serverRelativeURL"])).await;
                read_openapi(&document, &mut documents);
            }
        }
        Self {
            client,
            kinds,
            documents,
        }
    }

    /// Whether it would take a new object.
    async fn accepts(&self, object: &Value) -> bool {
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        let (resource, capabilities) = self.kinds.resolve_gvk(&gvk).unwrap();
        let client = self.client.clone();
        let mut object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        let api: Api<DynamicObject> = if capabilities.scope == Scope::Namespaced {
            object.metadata.namespace = Some(NAMESPACE.to_owned());
            Api::namespaced_with(client, NAMESPACE, &resource)
        } else {
            Api::all_with(client, &resource)
        };
        let params = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        match api.create(&params, &object).await {
            Ok(_) => true,
            // It is looked at before it is found to be there.
            Err(kube::Error::Api(status)) if status.code == 409 => true,
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => false,
            Err(error) => panic!("{kind}: {error}"),
        }
    }
}

async fn get(client: &Client, path: &str) -> Value {
    let request = http::Request::get(path).body(Vec::new()).unwrap();
    client.request(request).await.unwrap()
}

/// Every field in an object that the server's documents call required, with its place.
fn required_in(schema: &Schema, root: usize, object: &Value) -> Vec<(Required, String)> {
    let mut found = Vec::new();
    collect(schema, &Type::Struct(root), object, "", &mut found);
    found
}

fn collect(
    schema: &Schema,
    of: &Type,
    value: &Value,
    at: &str,
    found: &mut Vec<(Required, String)>,
) {
    match (of, value) {
        (Type::Struct(place), Value::Object(fields)) => {
            let structure = schema.structure(*place).unwrap();
            for (name, below) in fields {
                let pointer = format!("{at}/{name}");
                if structure.required.contains(name) {
                    found.push(((structure.name.clone(), name.clone()), pointer.clone()));
                }
                if let Some(field) = structure.fields.get(name) {
                    collect(schema, &field.of, below, &pointer, found);
                }
            }
        }
        (Type::Map(of), Value::Object(entries)) => {
            for (name, below) in entries {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(schema, of, below, &format!("{at}/{name}"), found);
            }
        }
        (Type::List(list), Value::Array(items)) => {
            for (index, below) in items.iter().enumerate() {
                collect(schema, &list.item, below, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn without(object: &Value, pointer: &str) -> Value {
    let mut object = object.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap();
    parent.as_object_mut().unwrap().remove(name);
    object
}

fn lines(required: &BTreeSet<&Required>) -> String {
    let mut structs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (of, field) in required {
        structs.entry(of).or_default().push(field);
    }
    let lines = structs.iter();
    let lines: Vec<_> = lines
        .map(|(of, fields)| format!("{of} {}", fields.join(" ")))
        .collect();
    lines.join("\n")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
