//! Bytes as a file: the readers of the trainer take a path.

use std::{fs, path::PathBuf};

/// A file of this process that holds `bytes`, in memory where the machine has such a folder.
pub fn holding(bytes: &[u8]) -> Option<PathBuf> {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let path = folder.join(format!("segue-fuzz-{}", std::process::id()));
    fs::write(&path, bytes).ok().map(|()| path)
}
