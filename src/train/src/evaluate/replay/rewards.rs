//! Whether a listener is content with a track, foretold without a look at what they went on to do: the reward
//! model of the direct and the doubly robust method.

use segue_core::{
    ids::{Row, fingerprint},
    model::{Model, Ranker},
    session::Expectation,
    signals,
    verdicts::share,
};

use crate::{
    dataset::{Dataset, Offers},
    ranker::{rates::Counts, worth},
};

/// Parts of the listeners of which each is foretold by the others.
const FOLDS: usize = 5;

/// What rewards are foretold by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foretold {
    /// The probability of a skip that the model has learned to foretell.
    Signals,
    /// How many other listeners of the log said yes to the track: cross-fitted, because no reward is to be
    /// foretold by itself (Chernozhukov et al. 2018).
    Rates,
}

pub(super) enum Rewards<'a> {
    Signals(Ranker<'a>),
    /// For each part of the listeners.
    Rates(Vec<Rates>),
}

/// The share of yes of each candidate.
pub(super) struct Rates(Vec<f64>);

impl<'a> Rewards<'a> {
    pub fn new(model: &'a Model, dataset: &Dataset, offers: &Offers) -> Self {
        match model.ranker() {
            Some(ranker) => Self::Signals(ranker),
            None => Self::Rates((0..FOLDS).map(|fold| Rates::new(dataset, offers, fold)).collect()),
        }
    }

    pub const fn foretold(&self) -> Foretold {
        match self {
            Self::Signals(_) => Foretold::Signals,
            Self::Rates(_) => Foretold::Rates,
        }
    }

    /// The probability that the listener is content with a candidate: its number, and the model's row.
    pub fn of(
        &self,
        model: &Model,
        expected: Expectation<'_>,
        listener: usize,
        (number, row): (u32, Option<Row>),
    ) -> f64 {
        match (self, row) {
            (Self::Signals(ranker), Some(row)) => {
                f64::from(share(signals::log_odds(model, ranker, expected, row)))
            }
            (Self::Signals(ranker), None) => f64::from(share(ranker.recipe().log_odds)),
            (Self::Rates(folds), _) => folds[listener % FOLDS].0[number as usize],
        }
    }
}

impl Rates {
    /// From the listeners who are not of this part.
    fn new(dataset: &Dataset, offers: &Offers, fold: usize) -> Self {
        let others =
            |listener| if listener % FOLDS == fold { &[][..] } else { dataset.of(listener) };
        let counts = Counts::of(dataset, &worth(), others);
        let rates = counts.rates(counts.shrinkage());
        let of = |id: &str| {
            let row = dataset.fingerprints.binary_search(&fingerprint(id));
            let log_odds = row.map_or_else(|_| counts.unknown(), |row| rates[row].log_odds);
            f64::from(share(log_odds))
        };
        Self(offers.tracks.iter().map(|id| of(id)).collect())
    }
}
