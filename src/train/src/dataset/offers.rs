//! What a policy offered, and with which chance, beside the events of a dataset.

use std::{collections::HashMap, ops::Range};

use segue_core::event::Propensity;

use crate::log;

/// The offers of a log, in the order of the dataset's events.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// Ids of all candidates, each once.
    pub tracks: Vec<Box<str>>,
    /// One for each impression that says how it was drawn.
    pub all: Vec<Offer>,
    /// The candidates of all, as positions in `tracks`.
    candidates: Vec<u32>,
}

/// One track that a policy drew among others.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Which row of the logs it was, counted over all of them from 0.
    pub place: u32,
    /// Which of [`super::Dataset::events`] is the impression.
    pub event: usize,
    /// The chance with which it was drawn.
    pub propensity: Propensity,
    /// Which of its candidates it is.
    pub drawn: usize,
    among: Range<usize>,
}

impl Offers {
    /// What `offer` was drawn among, as positions in [`Self::tracks`].
    pub fn candidates(&self, offer: &Offer) -> &[u32] {
        &self.candidates[offer.among.clone()]
    }

    /// Those whose impressions are among `events`.
    pub fn among(&self, events: Range<usize>) -> impl Iterator<Item = (usize, &Offer)> {
        let at = |event| self.all.partition_point(|offer| offer.event < event);
        let range = at(events.start)..at(events.end);
        range.clone().zip(&self.all[range])
    }
}

/// Takes offers in the order in which they arrive. 4 bytes a candidate, 48 an offer, and each id twice.
#[derive(Default)]
pub(super) struct Arriving {
    numbers: HashMap<Box<str>, u32>,
    offers: Offers,
}

impl Arriving {
    pub(super) fn push(&mut self, place: u32, offer: &log::Offer<'_>) {
        let Offers { tracks, all, candidates } = &mut self.offers;
        let from = candidates.len();
        for id in &offer.candidates {
            let number = self.numbers.get(&**id).copied().unwrap_or_else(|| {
                let number = tracks.len() as u32;
                self.numbers.insert((&**id).into(), number);
                tracks.push((&**id).into());
                number
            });
            candidates.push(number);
        }
        let log::Offer { propensity, drawn, .. } = *offer;
        all.push(Offer { place, event: 0, propensity, drawn, among: from..candidates.len() });
    }

    /// Finds the events at which they were made, of all that were kept: their places in the log, in the
    /// order of the dataset.
    pub(super) fn finish(mut self, places: impl Iterator<Item = u32>) -> Offers {
        let arrived = std::mem::take(&mut self.offers.all);
        if !arrived.is_empty() {
            self.offers.all = places
                .enumerate()
                .filter_map(|(event, place)| {
                    let at = arrived.binary_search_by_key(&place, |offer| offer.place).ok()?;
                    Some(Offer { event, ..arrived[at].clone() })
                })
                .collect();
        }
        self.offers
    }
}
