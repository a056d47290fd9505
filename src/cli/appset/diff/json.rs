//! A preview as one JSON document.

use argosy_generators::preview::Preview;
use serde_json::{Value, json};

pub(super) fn document(set: &str, preview: &Preview) -> Value {
    let Preview {
        create,
        update,
        delete,
        withheld,
        refused,
        unchanged,
        parked,
    } = preview;
    let create: Vec<_> = create
        .iter()
        .map(|app| json!({"name": app.metadata.name, "metadata": app.metadata, "spec": app.spec}))
        .collect();
    let update: Vec<_> = update
        .iter()
        .map(|one| {
            let fields: Vec<_> = one
                .fields
                .iter()
                .map(|field| json!({"path": field.path, "before": field.before, "after": field.after}))
                .collect();
            json!({"name": one.name, "fields": fields})
        })
        .collect();
    let delete: Vec<_> = delete
        .iter()
        .map(|one| json!({"name": one.name, "deletesResources": one.cascades}))
        .collect();
    let withheld: Vec<_> = withheld
        .iter()
        .map(|one| {
            let change = if one.is_deletion { "delete" } else { "update" };
            json!({"name": one.name, "change": change, "policy": one.policy})
        })
        .collect();
    let approval = parked.as_ref().map(|parked| {
        json!({"plan": parked.hash, "deletes": parked.deletes, "moves": parked.moves, "owned": parked.owned, "emptied": parked.emptied})
    });
    json!({
        "set": set,
        "changes": preview.changes_anything(),
        "create": create, "update": update, "delete": delete,
        "withheld": withheld, "refused": refused, "unchanged": unchanged,
        "approvalNeeded": approval,
    })
}
