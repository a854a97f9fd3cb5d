//! The sittings of a dataset: what was heard in one go.

use std::collections::HashSet;

use super::{Dataset, Heard};
use crate::transitions::Sittings;

impl Dataset {
    /// The sittings of those events that `part` gives of each listener. O(events), 8 bytes a play.
    pub fn sittings_of<'a>(&'a self, part: impl Fn(usize) -> &'a [Heard]) -> Sittings {
        let of_listener = |listener: usize| {
            let sittings = part(listener).chunk_by(|_, next| !next.opens);
            sittings.map(move |events| (listener as u32, heard(events)))
        };
        let all = (0..self.listeners()).flat_map(of_listener);
        Sittings::of_listeners(self.tracks.len(), all)
    }

    /// All of them.
    pub fn sittings(&self) -> Sittings {
        self.sittings_of(|listener| self.of(listener))
    }
}

/// The rows of the tracks that were heard in one sitting, in order, as the device has them: without
/// those that were refused later on ([`segue_core::sitting::Sitting::see`]).
pub fn heard(sitting: &[Heard]) -> Vec<u32> {
    let mut refused = HashSet::new();
    let mut rows = Vec::new();
    for event in sitting.iter().rev() {
        if event.kind.is_refusal() {
            refused.insert(event.row);
        } else if event.kind.is_heard() && !refused.contains(&event.row) {
            rows.push(event.row.0);
        }
    }
    rows.reverse();
    rows
}
