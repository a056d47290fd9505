//! Asking values for their types.

use crate::funcs::FuncMap;

use super::args::{any, text};

pub(super) fn register(m: &mut FuncMap) {
    m.add("typeOf", "any", |a| Ok(any(a, 0).type_name().into()));
    m.add("typeIs", "string,any", |a| {
        Ok((text(a, 0) == any(a, 1).type_name()).into())
    });
    m.add("typeIsLike", "string,any", |a| {
        let name = any(a, 1).type_name();
        Ok((text(a, 0) == name || name.strip_prefix('*') == Some(text(a, 0))).into())
    });
    m.add("kindOf", "any", |a| Ok(any(a, 0).kind().into()));
    m.add("kindIs", "string,any", |a| {
        Ok((text(a, 0) == any(a, 1).kind()).into())
    });
    m.add_metered("deepEqual", "any,any", |a, meter| {
        Ok(any(a, 0).deep_equal(any(a, 1), meter)?.into())
    });
}
