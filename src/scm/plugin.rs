//! Plugins: where they are and what they want to be shown, from a ConfigMap of the hub's namespace.

use std::collections::BTreeMap;
use std::time::Duration;

use argosy_facts::Secret;
use argosy_scm::Plugin;
use serde_json::Value;

use super::http::Terms;
use super::reference::{config_map, secret, value};
use super::{Scm, Unanswered};
use crate::http::Reach;
use crate::hub::Hub;

impl Scm {
    /// What the plugin of a ConfigMap answers a set for `parameters`, which are JSON.
    pub(crate) async fn plugin(
        &self,
        hub: &Hub,
        application_set: &str,
        name: &str,
        parameters: &str,
    ) -> Result<Vec<BTreeMap<String, Value>>, Unanswered> {
        let data = config_map(&hub.client, &hub.config.namespace, name).await?;
        let field = |key: &str| data.get(key).filter(|text| !text.is_empty());
        let base_url = field("baseUrl").ok_or("baseUrl not found in ConfigMap".to_owned())?;
        let token = field("token").ok_or("token not found in ConfigMap".to_owned())?;
        let plugin = Plugin {
            base_url: base_url.clone(),
            token: self::token(hub, token).await?,
        };
        let timeout = field("requestTimeout")
            .map(|text| timeout(text))
            .transpose()?;
        let terms = Terms {
            timeout: timeout.flatten().unwrap_or(hub.config.answer_timeout),
            reach: Reach::Within(hub.fleet.settings().source_addresses.clone()),
            ..Terms::default()
        };
        let carrier = self.carrier("plugin", terms)?;
        let session = self.session(hub);
        let answer =
            argosy_scm::plugin_parameters(carrier, &plugin, application_set, parameters, &session);
        Ok(answer.await?)
    }
}

/// `$key` is a key of `argocd-secret`, `$secret:key` one of another Secret. Argo CD would send the
/// reference itself where there is no such key; here that is an error.
async fn token(hub: &Hub, reference: &str) -> Result<Secret, String> {
    let Some(reference) = reference.strip_prefix('$') else {
        return Err(
            "token is empty, or does not reference a secret key starting with '$'".to_owned(),
        );
    };
    let (name, key) = reference
        .split_once(':')
        .unwrap_or(("argocd-secret", reference));
    let namespace = &hub.config.namespace;
    let found = secret(&hub.client, namespace, name.trim()).await?;
    value(&found, key.trim())
        .ok_or_else(|| format!("key {key:?} in secret {namespace}/{name} not found"))
}

/// Whole seconds; none or zero is the default.
fn timeout(text: &str) -> Result<Option<Duration>, String> {
    let seconds: u64 = text
        .trim()
        .parse()
        .map_err(|_| format!("error set requestTimeout : {text:?} is no number of seconds"))?;
    Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
}
