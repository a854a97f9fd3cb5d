//! From the intake to the lake, each event once.
//!
//! Some batches are claimed, which is durable; their events are written to files of the lake that are named by the claim;
//! then the batches are forgotten together with the claim. Whenever that ends early it is done again for the same batches,
//! and writes the same files again. Whoever is erased meanwhile is taken out by whichever of both comes last.

use super::{
    Intake, IntakeError,
    database::{Claim, Reader},
};
use crate::lake::{Lake, is_erased};

/// Bytes of the events, as JSON, that are moved together: what is held in memory is some times that.
const MOST_BYTES: usize = 16 << 20;

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Events.
    pub events: u64,
    /// Files that they are in.
    pub files: u64,
    /// Bytes of those.
    pub bytes: u64,
}

impl Intake {
    /// Moves every event that was taken in before this began to a lake. It blocks, for some seconds each million events;
    /// events are taken in meanwhile.
    pub fn compact(&self, lake: &Lake) -> Result<Compacted, IntakeError> {
        let _alone = self.0.compacting.lock();
        let (collector, last) =
            self.0.writer.run(|database| Ok((database.collector()?, database.last()?)))?;
        let reader = Reader::open(&self.0.dir)?;
        let mut moved = Compacted::default();
        while let Some((claim, again)) =
            self.0.writer.run(move |database| database.claim(last, MOST_BYTES))?
        {
            let Claim { first, last } = claim;
            let name = format!("{collector}-{first:012}-{last:012}");
            let erasures = lake.erasures()?;
            let mut rows = reader.rows(claim)?;
            rows.retain(|row| !is_erased(&erasures, &row.event.user, row.arrived));
            moved.events += rows.len() as u64;
            let files = lake.write(rows, &name)?;
            if again {
                // Somebody may have been erased since, and nothing be left of a file that was written then.
                lake.keep_only(&files, &name)?;
            }
            let since = lake.erasures()?;
            if since != erasures {
                lake.erase(&files, &since)?;
            }
            moved.files += files.len() as u64;
            moved.bytes += files.iter().map(|file| file.bytes).sum::<u64>();
            self.0.writer.run(move |database| database.forget(claim))?;
        }
        Ok(moved)
    }
}
