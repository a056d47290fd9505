//! Other forms of answers: tables, as kubectl asks for them, and metadata alone.

use serde_json::{Value, json};

use super::{Session, config_map};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// Leaves out the ConfigMap that full clusters put everywhere.
const OWN: &str = "fieldSelector=metadata.name!=kube-root-ca.crt";

/// Notes what kubectl prints of a table: the columns without their prose, and the cells.
fn note(session: &Session, name: &str, table: &Value) {
    let columns = table["columnDefinitions"].as_array().into_iter().flatten();
    let columns: Vec<Value> = columns
        .map(|column| {
            json!([
                column["name"],
                column["type"],
                column["format"],
                column["priority"]
            ])
        })
        .collect();
    let rows = table["rows"].as_array().into_iter().flatten();
    let rows: Vec<Value> = rows
        .map(|row| json!({"cells": row["cells"], "object": row["object"]["kind"], "name": row["object"]["metadata"]["name"]}))
        .collect();
    session.note(name, &json!({"kind": table["kind"], "apiVersion": table["apiVersion"], "columns": columns, "rows": rows}));
}

pub(super) async fn config_maps(session: &Session) {
    let namespace = session.namespace("conf-tables").await;
    let maps = format!("{namespace}/configmaps");
    session.focus(&["/kind"]);
    session
        .post(&maps, config_map("one", json!({"a": "1", "b": "2"})))
        .await;
    session.post(&maps, config_map("two", json!({}))).await;
    let table = session.get_as(TABLE, &format!("{maps}?{OWN}")).await;
    note(session, "list", &table);
    let table = session.get_as(TABLE, &format!("{maps}/one")).await;
    note(session, "one", &table);
    let table = session
        .get_as(TABLE, &format!("{maps}?includeObject=None&{OWN}"))
        .await;
    note(session, "without objects", &table);
    let table = session.get_as(TABLE, &namespace).await;
    note(session, "namespace", &table);
    session.post(&format!("{namespace}/secrets"), json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"},
    })).await;
    let table = session.get_as(TABLE, &format!("{namespace}/secrets")).await;
    note(session, "secrets", &table);
    session.unfocus();
    session.get_as(TABLE, &format!("{maps}/missing")).await;
}

pub(super) async fn custom_columns(session: &Session) {
    let group = "tables.conf.example.com";
    let all = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    session.focus(&["/kind"]);
    session.post(all, json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                "additionalPrinterColumns": [
                    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                    {"name": "Text", "type": "string", "jsonPath": ".spec.text", "priority": 10},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
            }],
        },
    })).await;
    session
        .wait(&format!("/apis/{group}/v1/widgets"), |status, _| {
            status == 200
        })
        .await;
    session.namespace("conf-tables-custom").await;
    let widgets = format!("/apis/{group}/v1/namespaces/conf-tables-custom/widgets");
    let widget = |name: &str, spec: Value| json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": name}, "spec": spec});
    session
        .post(&widgets, widget("one", json!({"size": 3, "text": "x"})))
        .await;
    session.post(&widgets, widget("two", json!({}))).await;
    let table = session.get_as(TABLE, &widgets).await;
    note(session, "list", &table);
}

pub(super) async fn metadata_only(session: &Session) {
    let maps = format!(
        "{}/configmaps",
        session.namespace("conf-metadata-only").await
    );
    session
        .post(&maps, config_map("one", json!({"a": "1"})))
        .await;
    session.get_as(METADATA, &format!("{maps}/one")).await;
    session
        .get_as(METADATA_LIST, &format!("{maps}?{OWN}"))
        .await;
    session.get_as("text/html", &format!("{maps}/one")).await;
}
