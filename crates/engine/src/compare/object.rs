//! One object: normalise both sides, forget what is to be ignored, and list what differs.

use std::borrow::Cow;

use serde_json::Value;

use super::fields::{Place, walk};
use super::path::Path;
use super::{Difference, FIELD_MANAGER, ownership};
use crate::ignore::{self, Ignore, Removed};
use crate::normalise;
use crate::object::{ObjectExt, is_hook, is_ignored, is_skipped};
use crate::overrides::Overrides;
use crate::schema::{SchemaSource, Type};
use crate::secrets;

/// What a comparison is made by.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The application's and the system's ignore rules.
    pub ignore: &'a Ignore,
    /// The settings for kinds from `argocd-cm`.
    pub overrides: &'a Overrides,
    /// What is known of the kinds.
    pub schema: &'a dyn SchemaSource,
}

/// What was found of one object.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent finding"
)]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// In the cluster and not in git.
    pub requires_pruning: bool,
    /// A hook or an object marked to be left alone; it has no status.
    pub hook: bool,
    /// In git and not in the cluster.
    pub missing: bool,
    /// What differs, Secret values masked.
    pub differences: Vec<Difference>,
    /// The places of the ignore rules that named something of the object.
    pub ignored_by: Vec<usize>,
    /// The ignore rules for the object that could not be used: what differs cannot be told.
    pub flaws: Vec<ignore::Error>,
    /// Whether a dry run on the server should confirm the differences before they count.
    pub suspect: bool,
}

impl Verdict {
    /// Whether live and desired agree as far as is known.
    pub fn is_synced(&self) -> bool {
        self.hook || !(self.requires_pruning || self.missing || !self.differences.is_empty())
    }
}

/// Whether the object is a hook, or marked to be passed over; it then has no status.
pub(super) fn is_left_alone(object: &Value) -> bool {
    is_hook(object) || is_ignored(object) || is_skipped(object)
}

/// Compares one object; at least one side should be there.
pub fn object(desired: Option<&Value>, live: Option<&Value>, rules: Rules<'_>) -> Verdict {
    let either = desired.or(live);
    let hook = either.is_some_and(is_left_alone);
    let (Some(desired), Some(live)) = (desired, live) else {
        return Verdict {
            requires_pruning: desired.is_none() && live.is_some() && !hook,
            missing: live.is_none() && !hook,
            hook,
            ..Verdict::default()
        };
    };
    if hook {
        return Verdict {
            hook,
            ..Verdict::default()
        };
    }
    let (differences, ignored) = both(desired, live, rules);
    Verdict {
        suspect: !differences.is_empty(),
        differences,
        ignored_by: ignored.by,
        flaws: ignored.flaws,
        ..Verdict::default()
    }
}

fn both(desired: &Value, live: &Value, rules: Rules<'_>) -> (Vec<Difference>, Removed) {
    let options = rules.overrides.compare_options();
    let mut desired = normalise::object(desired, options);
    let mut live = normalise::object(live, options);
    let ignored = forget(&mut desired, &mut live, rules);
    if !ignored.flaws.is_empty() {
        return (Vec::new(), ignored);
    }
    let known = rules.schema.find(live.api_version(), live.kind());
    let same_version = desired.api_version() == live.api_version();
    let root;
    let place = match known {
        Some((schema, at)) if same_version => {
            root = Type::Struct(at);
            Place::new(schema, &root)
        }
        _ => Place::unknown(),
    };
    let mut out = Vec::new();
    fields(&desired, &live, place, &mut out);
    ownership::managed(FIELD_MANAGER, &desired, &live, &mut out);
    ownership::last_applied(&desired, &live, place, &mut out);
    out.retain(|one| !is_volatile(&one.pointer, rules, &live));
    out.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    out.dedup_by(|one, other| one.pointer == other.pointer);
    if secrets::is_secret(&live) {
        secrets::mask_differences(&mut out);
    }
    (out, ignored)
}

/// Removes what the ignore rules name, and rewrites the fields of known types.
fn forget(desired: &mut Cow<'_, Value>, live: &mut Cow<'_, Value>, rules: Rules<'_>) -> Removed {
    let mut named = Removed::default();
    if rules.ignore.concerns(live) {
        named = rules.ignore.remove(desired.to_mut(), live.to_mut());
    }
    let known = rules.overrides.known_type_fields(live);
    if !known.is_empty() {
        normalise::known_types(desired.to_mut(), known);
        normalise::known_types(live.to_mut(), known);
    }
    named
}

/// All top-level fields but the status, which git cannot set by applying an object.
fn fields(desired: &Value, live: &Value, place: Place<'_>, out: &mut Vec<Difference>) {
    let Some(desired) = desired.as_object() else {
        return;
    };
    for (key, value) in desired {
        if key == "apiVersion" || key == "kind" {
            continue;
        }
        walk(
            value,
            live.get(key).unwrap_or(&Value::Null),
            place.field(key),
            &Path::Root.key(key),
            out,
        );
    }
}

/// Fields that the server alone writes.
fn is_volatile(pointer: &str, rules: Rules<'_>, live: &Value) -> bool {
    const SERVERS: [&str; 7] = [
        "/metadata/creationTimestamp",
        "/metadata/generation",
        "/metadata/managedFields",
        "/metadata/namespace",
        "/metadata/resourceVersion",
        "/metadata/selfLink",
        "/metadata/uid",
    ];
    let status = pointer == "/status" || pointer.starts_with("/status/");
    SERVERS.contains(&pointer) || (status && rules.overrides.compare_options().ignores_status(live))
}
