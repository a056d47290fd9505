//! Keeps, for each level of flow collections, the token that may turn out to be a mapping key.
//! Never touches the token queue.

use crate::{Error, cursor::Mark};

/// A key without `?` must fit into one line and this many characters.
const MAX_KEY_LENGTH: usize = 1024;

#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// In block context at the column of the mapping nothing but a key can stand.
    required: bool,
    /// Whether the token must not leave the queue before it is known what it is.
    waits: bool,
    number: usize,
    mark: Mark,
}

impl SimpleKey {
    fn check(&mut self, now: Mark) -> Result<bool, Error> {
        if self.possible && self.is_too_far(now) {
            self.drop_unless_required()?;
        }
        Ok(self.possible)
    }

    fn is_too_far(&self, now: Mark) -> bool {
        self.mark.line < now.line || self.mark.index + MAX_KEY_LENGTH < now.index
    }

    fn drop_unless_required(&mut self) -> Result<(), Error> {
        if self.possible && self.required {
            return Err(Error::at(
                self.mark.position(),
                "could not find expected ':' after a key",
            ));
        }
        self.possible = false;
        Ok(())
    }
}

pub(crate) struct SimpleKeys {
    /// The flow levels around the current one, the block level first.
    outer: Vec<SimpleKey>,
    current: SimpleKey,
}

impl SimpleKeys {
    pub(crate) fn new() -> Self {
        Self {
            outer: Vec::new(),
            current: SimpleKey::default(),
        }
    }

    pub(crate) fn flow_level(&self) -> usize {
        self.outer.len()
    }

    /// Enters a flow collection whose token has that number.
    pub(crate) fn enter(&mut self, number: usize, mark: Mark) {
        self.outer.push(self.current);
        self.current = SimpleKey {
            number,
            mark,
            ..SimpleKey::default()
        };
    }

    /// Leaves a flow collection. An empty one does not wait any more, so that `[]: a` is not a mapping here, just as
    /// Kubernetes reads it.
    pub(crate) fn leave(&mut self) {
        if let Some(outer) = self.outer.pop() {
            let is_empty = outer.number == self.current.number;
            self.current = SimpleKey {
                waits: outer.waits && !is_empty,
                ..outer
            };
        }
    }

    /// Whether the token of that number may still become a key.
    pub(crate) fn may_start_at(&mut self, number: usize, now: Mark) -> Result<bool, Error> {
        let waits = |key: &&mut SimpleKey| key.waits && key.number == number;
        if let Some(key) = Some(&mut self.current).filter(waits) {
            return key.check(now);
        }
        match self.outer.iter_mut().find(waits) {
            Some(key) => key.check(now),
            None => Ok(false),
        }
    }

    pub(crate) fn save(&mut self, number: usize, mark: Mark, required: bool) -> Result<(), Error> {
        self.remove()?;
        self.current = SimpleKey {
            possible: true,
            required,
            waits: true,
            number,
            mark,
        };
        Ok(())
    }

    /// Gives up the possible key of the current level; an error if only a key could stand there.
    pub(crate) fn remove(&mut self) -> Result<(), Error> {
        self.current.drop_unless_required()
    }

    /// Takes the token of that number if it is a key that a `:` at `now` completes, and says whether it is.
    pub(crate) fn take(&mut self, number: usize, now: Mark) -> bool {
        let key = &mut self.current;
        let is_key = key.possible && key.number == number && !key.is_too_far(now);
        key.possible &= !is_key;
        is_key
    }

    /// Takes the key that a `:` at `now` completes, as its number and place.
    pub(crate) fn complete(&mut self, now: Mark) -> Result<Option<(usize, Mark)>, Error> {
        let is_key = self.current.check(now)?;
        self.current.possible = false;
        Ok(is_key.then_some((self.current.number, self.current.mark)))
    }
}
