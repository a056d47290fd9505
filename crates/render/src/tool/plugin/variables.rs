//! The variables that a plugin's commands see, besides where they may work.
//!
//! Pure. What a source says becomes variables whose names begin with `ARGOCD_ENV_` or `PARAM_`, so
//! that it never changes how a program is found or loaded.

use std::collections::BTreeMap;

use argosy_crds::application::{ApplicationSourcePlugin, ApplicationSourcePluginParameter};
use serde_json::{Value, json};

use crate::{render::Request, tool::helm::kube_version};

/// Every variable with its value; of two with one name the later counts, as in Argo CD.
pub(super) fn variables(request: &Request<'_>) -> Result<BTreeMap<String, String>, String> {
    let environment = request
        .environment
        .clone()
        .with("KUBE_VERSION", kube_version(request.kube_version))
        .with("KUBE_API_VERSIONS", request.api_versions.join(","));
    let own = environment.iter();
    let mut variables: BTreeMap<String, String> = own
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(plugin) = request.source.plugin.as_deref() {
        for entry in &plugin.env {
            let value = environment.expand(&entry.value);
            variables.insert(format!("ARGOCD_ENV_{}", entry.name), value);
        }
        variables.extend(parameters(plugin));
    }
    match variables
        .iter()
        .find(|(name, value)| !can_be_told(name, value))
    {
        Some((name, _)) => Err(format!(
            "the variable {name:?} cannot be told to a program: its name holds `=`, or it holds a \
             NUL byte"
        )),
        None => Ok(variables),
    }
}

fn can_be_told(name: &str, value: &str) -> bool {
    !name.contains(['=', '\0']) && !value.contains('\0')
}

/// All parameters as JSON, and each by a name of its own.
fn parameters(plugin: &ApplicationSourcePlugin) -> Vec<(String, String)> {
    let all: Vec<_> = plugin.parameters.iter().map(as_json).collect();
    let all = if all.is_empty() {
        Value::Null
    } else {
        Value::Array(all)
    };
    let mut variables = vec![("ARGOCD_APP_PARAMETERS".to_owned(), all.to_string())];
    for parameter in &plugin.parameters {
        let name = format!("PARAM_{}", escaped(&parameter.name));
        let text = parameter.string.iter();
        variables.extend(text.map(|text| (name.clone(), text.clone())));
        let map = parameter.map.iter().flatten();
        variables.extend(map.map(|(key, text)| (format!("{name}_{}", escaped(key)), text.clone())));
        let array = parameter.array.iter().flatten().enumerate();
        variables.extend(array.map(|(at, text)| (format!("{name}_{at}"), text.clone())));
    }
    variables
}

/// What is empty is there, and what is absent is not.
fn as_json(parameter: &ApplicationSourcePluginParameter) -> Value {
    let mut json = json!({"name": parameter.name});
    if let Some(text) = &parameter.string {
        json["string"] = json!(text);
    }
    if let Some(map) = &parameter.map {
        json["map"] = json!(map);
    }
    if let Some(array) = &parameter.array {
        json["array"] = json!(array);
    }
    json
}

/// A name as a variable may have: capitals, digits and underscores.
fn escaped(name: &str) -> String {
    let upper = name.to_uppercase();
    let keep = |c: char| matches!(c, 'A'..='Z' | '0'..='9' | '_');
    upper
        .chars()
        .map(|c| if keep(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use argosy_crds::ApplicationSource;

    use super::*;
    use crate::environment::{BuildFacts, Environment};

    fn source(plugin: Option<Value>) -> ApplicationSource {
        let mut source = json!({"repoURL": "https://git"});
        if let Some(plugin) = plugin {
            source["plugin"] = plugin;
        }
        serde_json::from_value(source).unwrap()
    }

    fn of(plugin: Option<Value>) -> Result<BTreeMap<String, String>, String> {
        let source = source(plugin);
        let environment = Environment::standard(&BuildFacts {
            app_name: "web",
            revision: "0123456789",
            ..BuildFacts::default()
        });
        let apis = ["v1".to_owned(), "apps/v1".to_owned()];
        variables(&Request {
            kube_version: "v1.34.2+k3s1",
            api_versions: &apis,
            ..Request::new(&source, "web", &environment)
        })
    }

    #[test]
    fn parameters_are_told_one_by_one_and_as_json() {
        let found = of(Some(json!({"parameters": [
            {"name": "Image tag", "string": "v1"},
            {"name": "values", "map": {"a.b": "x", "c": ""}},
            {"name": "files", "array": ["one", "two"]},
            {"name": "none", "map": {}, "array": []},
            {"name": "empty", "string": ""},
        ]})))
        .unwrap();
        let parameters: Vec<_> = found
            .iter()
            .filter(|(name, _)| name.starts_with("PARAM_"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            parameters,
            [
                ("PARAM_EMPTY", ""),
                ("PARAM_FILES_0", "one"),
                ("PARAM_FILES_1", "two"),
                ("PARAM_IMAGE_TAG", "v1"),
                ("PARAM_VALUES_A_B", "x"),
                ("PARAM_VALUES_C", ""),
            ]
        );
        let all: Value = serde_json::from_str(&found["ARGOCD_APP_PARAMETERS"]).unwrap();
        assert_eq!(all[0], json!({"name": "Image tag", "string": "v1"}));
        assert_eq!(all[3], json!({"name": "none", "map": {}, "array": []}));
    }

    #[test]
    fn variables_are_expanded_and_prefixed() {
        let env = json!([
            {"name": "REV", "value": "$ARGOCD_APP_REVISION_SHORT on ${KUBE_VERSION}$UNKNOWN"},
            {"name": "LD_PRELOAD", "value": "x"},
        ]);
        let found = of(Some(json!({"env": env}))).unwrap();
        assert_eq!(found["ARGOCD_ENV_REV"], "0123456 on 1.34.2");
        assert_eq!(found["ARGOCD_ENV_LD_PRELOAD"], "x");
        assert_eq!(found["KUBE_API_VERSIONS"], "v1,apps/v1");
        assert_eq!(found["ARGOCD_APP_NAME"], "web");
        assert_eq!(found["ARGOCD_APP_PARAMETERS"], "null");
        assert!(!found.contains_key("LD_PRELOAD"));
        assert!(!of(None).unwrap().contains_key("ARGOCD_APP_PARAMETERS"));
    }

    #[test]
    fn what_no_program_can_be_told_is_an_error() {
        for env in [
            json!([{"name": "A=B", "value": ""}]),
            json!([{"name": "A", "value": "\0"}]),
        ] {
            let error = of(Some(json!({"env": env}))).unwrap_err();
            assert!(error.contains("ARGOCD_ENV_A"), "{error}");
        }
    }
}
