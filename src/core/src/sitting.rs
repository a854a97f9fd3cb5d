//! Sittings: what is listened to in one go.

use alloc::vec::Vec;

use crate::{event::Kind, ids::Row};

/// Milliseconds without an event after which a listener who is back starts a new sitting: the half hour
/// by which web logs are cut into sessions, which comes of the 25.5 minutes of Catledge and Pitkow,
/// "Characterizing Browsing Strategies in the World-Wide Web" (1995).
pub const PAUSE_MS: i64 = 30 * 60 * 1000;

/// Most tracks of a sitting.
pub const LONGEST: usize = 1024;

/// Tells by the times of a listener's events, in order, where sittings end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pauses {
    /// Where the event ended that ended last.
    end: Option<i64>,
}

impl Pauses {
    /// Takes in an event `at` a time in milliseconds, during which so many milliseconds were `heard`.
    /// Returns whether more than [`PAUSE_MS`] lie between the end of what was before and it.
    pub fn end_before(&mut self, at: i64, heard: u32) -> bool {
        let paused = self.end.is_some_and(|end| at.saturating_sub(end) > PAUSE_MS);
        let end = at.saturating_add(heard.into());
        self.end = Some(self.end.map_or(end, |before| before.max(end)));
        paused
    }
}

/// The tracks of a sitting, the last one first.
#[derive(Clone, Debug, Default)]
pub struct Sitting(Vec<Row>);

impl Sitting {
    /// Takes in what was done with a track: whether it was heard, or refused, says what follows; nothing
    /// else does.
    pub fn see(&mut self, kind: Kind, row: Row) {
        if kind.is_heard() {
            self.play(row);
        } else if kind.is_refusal() {
            self.refuse(row);
        }
    }

    /// Another track was played; one that goes on is the same.
    pub fn play(&mut self, row: Row) {
        if self.0.first() != Some(&row) {
            self.refuse(row);
            self.0.truncate(LONGEST - 1);
            self.0.insert(0, row);
        }
    }

    /// A track was refused: it says nothing of what follows.
    pub fn refuse(&mut self, row: Row) {
        self.0.retain(|&other| other != row);
    }

    /// The tracks, the last one first, each once.
    pub fn tracks(&self) -> &[Row] {
        &self.0
    }
}
