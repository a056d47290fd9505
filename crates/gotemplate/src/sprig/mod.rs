//! The functions of sprig 3.3, less those that read the environment or the network: a file for each family.

mod args;
mod cast;
mod certificates;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod encoding;
mod flow;
mod gotime;
mod json;
mod keys;
mod layout;
mod lists;
mod math;
mod paths;
mod random;
mod reflect;
mod regex;
mod regex_syntax;
mod scrypt;
mod semver;
mod strings;
mod url;
mod version;
mod words;
mod wrap;
mod x509;

use std::fmt;
use std::sync::Arc;

use crate::funcs::FuncMap;

pub use random::{RANDOM_NAMES, Random};

/// What the functions may not find out by themselves.
#[derive(Clone)]
pub struct Seams {
    /// The time now, for `now` and `ago`.
    pub now: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    /// What random functions draw from.
    pub random: Random,
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seams").finish_non_exhaustive()
    }
}

/// Sprig's text function map, without `env`, `expandenv` and `getHostByName`.
pub fn functions(seams: &Seams) -> FuncMap {
    let mut map = FuncMap::new();
    let random = &seams.random;
    defaults::register(&mut map);
    strings::register(&mut map);
    words::register(&mut map);
    wrap::register(&mut map);
    lists::register(&mut map);
    dicts::register(&mut map);
    math::register(&mut map);
    json::register(&mut map);
    encoding::register(&mut map);
    reflect::register(&mut map);
    regex::register(&mut map);
    semver::register(&mut map);
    url::register(&mut map);
    paths::register(&mut map);
    flow::register(&mut map);
    dates::register(&mut map, seams);
    random::register(&mut map, random);
    crypto::register(&mut map, random);
    certificates::register(&mut map, seams);
    map
}
