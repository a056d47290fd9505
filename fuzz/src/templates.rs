//! Go templates of any text: they end within their bounds, with a text or an error.

use std::sync::Arc;

use argosy_gotemplate::{Limits, Options, Random, Seams, Template, Value, argocd};
use serde_json::json;

const LIMITS: Limits = Limits {
    steps: 5_000,
    depth: 50,
    output: 1 << 16,
};

/// Parses bytes as a template and executes it on a little data.
pub(super) fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let seams = Seams {
        now: Arc::new(jiff::Timestamp::default),
        random: Random::new([1; 32]),
    };
    let options = Options {
        limits: LIMITS,
        ..Options::default()
    };
    let Ok(template) = Template::parse("t", text, &argocd::functions(&seams), options) else {
        return;
    };
    let data =
        json!({"name": "dev", "path": {"basename": "web", "segments": ["apps", "web"]}, "n": 1});
    if let Ok(output) = template.execute(&Value::from(data)) {
        assert!(
            output.len() <= LIMITS.output,
            "wrote {} bytes",
            output.len()
        );
    }
}
