//! Removing what nothing needs any more.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use super::{BlobHash, Registry, RegistryError, hash_of, read::blobs_of, release_name};

/// What to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collecting {
    /// What the last so many releases need stays: devices of these are led on by deltas, and a rollback goes to one.
    pub keep: usize,
    /// What is younger stays: a page may just be fetching it, or somebody just be publishing it.
    pub grace: Duration,
    /// Whether to only tell what would be removed.
    pub dry_run: bool,
}

impl Default for Collecting {
    /// Five releases, and a day.
    fn default() -> Self {
        Self { keep: 5, grace: Duration::from_secs(86_400), dry_run: false }
    }
}

/// What was removed, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Releases that are no longer kept.
    pub releases: usize,
    /// Files of blobs and their codings.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files of blobs that stay.
    pub kept: usize,
}

impl Registry {
    /// Removes the blobs that neither the release in force nor one of the last few needs, and releases beyond those. Where
    /// anything that would tell what is needed cannot be read, nothing is removed.
    ///
    /// In a folder nobody publishes meanwhile. In a bucket somebody may: what they need is either in force or has just been
    /// written, and is looked at once more right before it would be removed.
    pub fn collect(&self, how: &Collecting) -> Result<Collected, RegistryError> {
        let _lock = self.store.lock()?;
        let in_force = self.some_in_force()?.release;
        let mut needed: BTreeSet<BlobHash> = BTreeSet::new();
        for (hash, _) in blobs_of(&in_force) {
            needed.insert(self.hash_of(hash)?);
        }
        let mut past = self.archive()?;
        past.retain(|version| *version <= in_force.version);
        let stale = past.split_off(past.len().min(how.keep.max(1)));
        for version in past {
            for (hash, _) in self.archived(version)?.iter().flat_map(|(_, found)| blobs_of(found)) {
                needed.insert(self.hash_of(hash)?);
            }
        }
        let before = SystemTime::now().checked_sub(how.grace).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut done = Collected::default();
        // Releases first: one that is kept names nothing that is gone.
        for version in stale {
            let gone = how.dry_run || self.store.remove(&release_name(version), None)?;
            done.releases += usize::from(gone);
        }
        self.remove_blobs(&needed, before, how.dry_run, &mut done)?;
        Ok(done)
    }

    fn remove_blobs(
        &self,
        needed: &BTreeSet<BlobHash>,
        before: SystemTime,
        dry_run: bool,
        done: &mut Collected,
    ) -> Result<(), RegistryError> {
        for file in self.store.list("blob")? {
            // Files of others are theirs.
            let Some(hash) = hash_of(&file.name) else { continue };
            let old = !needed.contains(&hash) && file.modified <= before;
            let name = format!("blob/{}", file.name);
            if old && (dry_run || self.store.remove(&name, Some(before))?) {
                done.files += 1;
                done.bytes += file.bytes;
            } else {
                done.kept += 1;
            }
        }
        Ok(())
    }
}
