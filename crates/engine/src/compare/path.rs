//! The way to a field, cheap to extend and only written out where something differs.

use std::fmt::Write as _;

/// A linked way from the root, living on the stack of the walk.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl<'a> Path<'a> {
    pub(super) fn key(&'a self, name: &'a str) -> Self {
        Self::Key(self, name)
    }

    pub(super) fn index(&'a self, at: usize) -> Self {
        Path::Index(self, at)
    }

    /// The way as a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Path::Root => {}
            Path::Key(parent, name) => {
                parent.write(out);
                out.push('/');
                out.push_str(&escape(name));
            }
            Path::Index(parent, at) => {
                parent.write(out);
                let _ = write!(out, "/{at}");
            }
        }
    }
}

/// A key as JSON pointers write it.
pub(crate) fn escape(key: &str) -> String {
    if key.contains(['~', '/']) {
        key.replace('~', "~0").replace('/', "~1")
    } else {
        key.to_owned()
    }
}
