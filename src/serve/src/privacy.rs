//! What a listener may ask for: what is held of them, and that it is forgotten. And what is forgotten without asking.

use std::path::Path;

use segue_core::event::Event;

use crate::{
    intake::{Beside, IntakeError},
    lake::{Day, Erasure, Lake, Row},
};

/// Hands over every event of a listener, or of everybody, from the lake and from the intake, with the pseudonyms that
/// stand for them. Returns how many there were.
pub fn export(
    intake: &Path,
    lake: Option<&Lake>,
    user: Option<&str>,
    mut sink: impl FnMut(Event),
) -> Result<u64, IntakeError> {
    let beside = Beside::open(intake)?;
    let pseudonyms = user.map(|user| beside.pseudonyms(user));
    let mut events = 0;
    let mut take = |rows: Vec<Row>| {
        for Row { event, .. } in rows {
            if pseudonyms.as_ref().is_none_or(|pseudonyms| pseudonyms.contains(&event.user)) {
                events += 1;
                sink(event);
            }
        }
    };
    if let Some(lake) = lake {
        for file in lake.files(Day::FIRST..=Day::LAST)? {
            take(match &pseudonyms {
                Some(pseudonyms) => lake.read_of(&file, pseudonyms)?,
                None => lake.read(&file)?.unwrap_or_default(),
            });
        }
    }
    take(beside.rows()?);
    Ok(events)
}

/// Takes every event of a listener out of the intake and the lake, and looks again whether any is left. A collector that
/// runs meanwhile goes on; what arrived there until `now`, milliseconds since 1970, it takes out itself.
///
/// What was trained before still has what they taught, mixed with what everybody else did; the next training has not.
pub fn erase(
    intake: &Path,
    lake: Option<&Lake>,
    user: &str,
    now: i64,
) -> Result<Erasure, IntakeError> {
    let mut beside = Beside::open(intake)?;
    let mut erasure = Erasure::new(now, beside.pseudonyms(user));
    if let Some(lake) = lake {
        lake.note(&erasure)?;
    }
    let marks = erasure.all();
    erasure.intake_events = beside.erase(&marks)?;
    if let Some(lake) = lake {
        let files = lake.files(Day::FIRST..=Day::LAST)?;
        erasure.files = lake.erase(&files, &marks)?;
        // What a collector moved meanwhile, it looked through itself; looking again shows it.
        let files = lake.files(Day::FIRST..=Day::LAST)?;
        erasure.files.extend(lake.erase(&files, &marks)?);
        erasure.checked_files = files.len() as u64;
        erasure.lake_events = erasure.files.iter().map(|file| file.events).sum();
        lake.note(&erasure)?;
    }
    Ok(erasure)
}

/// What was forgotten by its age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Files of the lake.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Notes of what was erased.
    pub erasures: u64,
    /// Secrets of pseudonyms, without which nobody can tell whose these were.
    pub secrets: u64,
}

/// Forgets what happened on days before `first`, and the secrets that made pseudonyms until then only.
pub fn forget(intake: Option<&Path>, lake: &Lake, first: Day) -> Result<Forgotten, IntakeError> {
    let (files, erasures) = lake.forget(first)?;
    let secrets = match intake {
        Some(dir) => Beside::open(dir)?.forget_secrets(first.start())?,
        None => 0,
    };
    Ok(Forgotten {
        files: files.len() as u64,
        bytes: files.iter().map(|file| file.bytes).sum(),
        erasures,
        secrets,
    })
}
