//! The plugin generator: parameters that an HTTP service returned.

use argosy_crds::application_set::generators::PluginGenerator;
use argosy_gotemplate::Value;
use serde_json::Value as Json;

use super::values::TemplatedValues;
use crate::error::Stop;
use crate::expand::Expander;
use crate::facts::{Answer, Request};
use crate::flatten::flatten;
use crate::params::Params;

pub(super) fn params(x: &mut Expander<'_>, spec: &PluginGenerator) -> Result<Vec<Params>, Stop> {
    const CONTEXT: &str = "error listing params";
    let input = Json::Object(spec.input.parameters.clone().into_iter().collect());
    let request = Request::PluginParameters {
        config_map: spec.config_map_ref.name.clone(),
        parameters: input.to_string(),
    };
    let Answer::Plugin(answered) = x.ask(request).map_err(|stop| stop.within(CONTEXT))? else {
        return Err(Stop::failed(format!(
            "{CONTEXT}: the answer is of another kind"
        )));
    };
    let values = TemplatedValues::compile(&spec.values, &x.engine);
    let is_go = x.engine.is_go();
    let parameters = Value::map([("parameters", Value::from(input))]);
    let generator = Value::map([("input", parameters)]);
    answered
        .iter()
        .map(|answer| {
            let mut params = Params::from_json(answer.clone());
            if !is_go {
                params = flatten(&params)
                    .into_iter()
                    .map(|(key, text)| (key.into(), text.into()))
                    .collect();
            }
            params.set("generator", generator.clone());
            values.append(&mut params)?;
            Ok(params)
        })
        .collect()
}
