//! What registrations have in common: Secrets that a command makes, names and lets go of.

use argosy_crds::names;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use super::hub_access::failed;
use crate::diagnostic::Diagnostic;

/// Deletes a Secret that a command made; one that somebody declared only loses its label, as in
/// Argo CD, so that whoever keeps it in git does not fight the deletion.
pub(crate) async fn release(secrets: &Api<Secret>, name: &str) -> Result<(), Diagnostic> {
    let cannot = |error: kube::Error| failed(format!("cannot remove the Secret `{name}`"), &error);
    let secret = secrets.get(name).await.map_err(cannot)?;
    let annotations = secret.metadata.annotations.unwrap_or_default();
    let ours = annotations
        .get(names::annotation::MANAGED_BY)
        .is_some_and(|by| by == "argocd.argoproj.io");
    if ours {
        secrets
            .delete(name, &DeleteParams::default())
            .await
            .map_err(cannot)?;
    } else {
        let patch = json!({"metadata": {"labels": {names::label::SECRET_TYPE: null}}});
        secrets
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(cannot)?;
    }
    Ok(())
}

/// The hash in the names of Argo CD's Secrets.
pub(crate) fn fnv32a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(super::fnv32a("foobar"), 0xbf9c_f968);
    }
}
