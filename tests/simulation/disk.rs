//! A disk in memory, which outlives the hub's crashes as a real one would.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use argosy::disk::{Disk, Folder, StoredFile};

/// All files, by folder and name, with the turn in which each was used last.
#[derive(Clone, Default)]
pub(crate) struct Files(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    turn: u64,
    files: BTreeMap<(String, String), (u64, Vec<u8>)>,
}

impl Files {
    /// The way to them for a hub.
    pub(crate) fn seam(&self) -> Disk {
        let files = self.clone();
        Disk::from_fn(move |name| {
            let files = files.clone();
            let name = name.to_owned();
            Ok(Arc::new(Shelf { files, name }))
        })
    }
}

/// One folder.
struct Shelf {
    files: Files,
    name: String,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.files.0.lock().unwrap();
        state.turn += 1;
        state
    }

    fn key(&self, name: &str) -> (String, String) {
        (self.name.clone(), name.to_owned())
    }
}

impl Folder for Shelf {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut state = self.lock();
        let turn = state.turn;
        let file = state.files.get_mut(&self.key(name));
        let (used, content) = file.ok_or(io::ErrorKind::NotFound)?;
        *used = turn;
        Ok(content.clone())
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let file = (state.turn, content.to_vec());
        state.files.insert(self.key(name), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.lock().files.remove(&self.key(name));
        Ok(())
    }

    fn files(&self) -> io::Result<Vec<StoredFile>> {
        let state = self.lock();
        let own = state
            .files
            .iter()
            .filter(|((folder, _), _)| *folder == self.name);
        let mut own: Vec<_> = own
            .map(|((_, name), (used, content))| (*used, name.clone(), content.len() as u64))
            .collect();
        own.sort();
        let stored = |(_, name, bytes)| StoredFile { name, bytes };
        Ok(own.into_iter().map(stored).collect())
    }
}
