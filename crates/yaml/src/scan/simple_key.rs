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
    number: usize,
    mark: Mark,
}

impl SimpleKey {
    fn check(&mut self, now: Mark) -> Result<bool, Error> {
        let too_far = self.mark.line < now.line || self.mark.index + MAX_KEY_LENGTH < now.index;
        if self.possible && too_far {
            self.drop_unless_required()?;
        }
        Ok(self.possible)
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
    /// One per flow level, the block level first.
    levels: Vec<SimpleKey>,
    waiting: Waiting,
}

/// Which level waits for the token of a number, by the number. What comes and goes is nearly always the last.
#[derive(Default)]
struct Waiting(Vec<(usize, usize)>);

impl Waiting {
    fn place(&self, number: usize) -> Result<usize, usize> {
        match self.0.last() {
            Some(&(last, _)) if last == number => Ok(self.0.len() - 1),
            Some(&(last, _)) if last > number => self.0.binary_search_by_key(&number, |one| one.0),
            _ => Err(self.0.len()),
        }
    }

    fn get(&self, number: usize) -> Option<usize> {
        self.place(number).ok().map(|place| self.0[place].1)
    }

    fn insert(&mut self, number: usize, level: usize) {
        match self.place(number) {
            Ok(place) => self.0[place].1 = level,
            Err(place) => self.0.insert(place, (number, level)),
        }
    }

    fn remove(&mut self, number: usize) {
        if let Ok(place) = self.place(number) {
            self.0.remove(place);
        }
    }
}

impl SimpleKeys {
    pub(crate) fn new() -> Self {
        Self {
            levels: vec![SimpleKey::default()],
            waiting: Waiting::default(),
        }
    }

    pub(crate) fn flow_level(&self) -> usize {
        self.levels.len() - 1
    }

    /// Enters a flow collection whose token has that number.
    pub(crate) fn enter(&mut self, number: usize, mark: Mark) {
        self.levels.push(SimpleKey {
            number,
            mark,
            ..SimpleKey::default()
        });
    }

    /// Leaves a flow collection. What waits for the level's last number stops waiting: for an empty collection that is
    /// the collection itself, so that `[]: a` is not a mapping here, just as Kubernetes reads it.
    pub(crate) fn leave(&mut self) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.waiting.remove(level.number);
        }
    }

    /// Whether the token of that number may still become a key.
    pub(crate) fn may_start_at(&mut self, number: usize, now: Mark) -> Result<bool, Error> {
        let level = self.waiting.get(number);
        match level.and_then(|level| self.levels.get_mut(level)) {
            Some(key) => key.check(now),
            None => Ok(false),
        }
    }

    pub(crate) fn save(&mut self, number: usize, mark: Mark, required: bool) -> Result<(), Error> {
        self.remove()?;
        let level = self.flow_level();
        self.levels[level] = SimpleKey {
            possible: true,
            required,
            number,
            mark,
        };
        self.waiting.insert(number, level);
        Ok(())
    }

    /// Gives up the possible key of the current level; an error if only a key could stand there.
    pub(crate) fn remove(&mut self) -> Result<(), Error> {
        let level = self.flow_level();
        let key = &mut self.levels[level];
        if key.possible {
            key.drop_unless_required()?;
            self.waiting.remove(key.number);
        }
        Ok(())
    }

    /// Takes the key that a `:` at `now` completes, as its number and place.
    pub(crate) fn complete(&mut self, now: Mark) -> Result<Option<(usize, Mark)>, Error> {
        let level = self.flow_level();
        let key = &mut self.levels[level];
        if !key.check(now)? {
            return Ok(None);
        }
        key.possible = false;
        self.waiting.remove(key.number);
        Ok(Some((key.number, key.mark)))
    }
}
