//! Failing on purpose.

use crate::funcs::FuncMap;

use super::args::{fail, text};

pub(super) fn register(m: &mut FuncMap) {
    m.add("fail", "string", |a| fail(text(a, 0)));
}
