//! Compiled programs, each kept ready for whoever names it next.
//!
//! To compile one costs more than to compare many objects, and the same few rules are read again for
//! every comparison of every application. What a program does follows from its text alone, so that
//! nobody can tell whether it was kept; what it met on an object is not kept with it.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use clru::CLruCache;

use super::{Filter, STACK, filter};

/// How many programs are kept, those that were named last; a fleet has some dozens.
const MOST: NonZeroUsize = NonZeroUsize::new(256).expect("it is not zero");

type Compiled = Result<Arc<Filter>, String>;

static KEPT: LazyLock<Mutex<CLruCache<String, Compiled>>> =
    LazyLock::new(|| Mutex::new(CLruCache::new(MOST)));

/// The program that finds the paths of an expression, or what is wrong with it.
pub(super) fn compiled(expression: &str) -> Compiled {
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept().get(expression) {
        return known.clone();
    }
    // Nobody waits for somebody else's program to be compiled.
    let compiled = stacker::grow(STACK, || filter(expression)).map(Arc::new);
    kept().put(expression.to_owned(), compiled.clone());
    compiled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_compiled_once_and_a_broken_one_is_known_again() {
        let (one, again) = (compiled(".spec.kept"), compiled(".spec.kept"));
        let (one, again) = (one.expect("a program"), again.expect("a program"));
        assert!(Arc::ptr_eq(&one, &again));
        let broken = |text| compiled(text).err();
        assert!(broken(".spec.broken[").is_some());
        assert_eq!(broken(".spec.broken["), broken(".spec.broken["));
    }
}
