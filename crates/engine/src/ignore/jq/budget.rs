//! What an expression may cost: every step of its evaluation is paid for, and who cannot pay ends.
//!
//! Steps are counted and no clock is read, so that the same expression always gets the same answer
//! on the same object. The interpreter has no way to tell from inside that it should end; it is left
//! by unwinding, which runs no panic hook and is caught here.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// Who could not pay unwinds with this.
struct Spent;

/// Pays for `steps` steps of the evaluation that runs on this thread.
pub(super) fn pay(steps: usize) {
    let steps = u64::try_from(steps).unwrap_or(u64::MAX);
    match LEFT.get().checked_sub(steps) {
        Some(left) => LEFT.set(left),
        None => panic::resume_unwind(Box::new(Spent)),
    }
}

/// What `evaluate` returns; `None` if it would take more than `steps`, or if the interpreter fails.
pub(super) fn within<T>(steps: u64, evaluate: impl FnOnce() -> T) -> Option<T> {
    let before = LEFT.replace(steps);
    let answer = panic::catch_unwind(AssertUnwindSafe(evaluate));
    LEFT.set(before);
    answer.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_pays_too_much_ends_and_the_next_one_starts_anew() {
        assert_eq!(within(3, || pay(3)), Some(()));
        assert_eq!(within(3, || pay(4)), None);
        assert_eq!(
            within(3, || (within(1, || pay(2)), pay(3))),
            Some((None, ()))
        );
    }
}
