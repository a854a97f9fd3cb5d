//! Listeners to learn from, and what is known of each track just before they say yes or no to it.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use segue_core::{
    event::Kind,
    ids::Row,
    model::Model,
    rng::SplitMix64,
    session::{Evidence, Observation, Session},
    signals::{self, Signal, Signals},
    verdicts::Verdicts,
};

use crate::{
    dataset::{Dataset, Heard},
    responses::verdict,
};

/// Listeners that are followed, and events of each, at most.
const MOST: usize = 2000;
const MOST_OF_ONE: usize = 60;
/// Tracks that are held against each yes and no, and further ones against each yes.
const OPPOSITE: usize = 8;
const UNHEARD: usize = 4;

/// A listener to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// What came before.
    pub known: &'a [Heard],
    /// What is foretold, in time order.
    pub next: &'a [Heard],
    /// Of what is drawn.
    pub seed: u64,
}

/// One yes or no, and what was known just before it, of its track and of others: only what is known at one moment
/// can be held against each other. Who is known to have said both yes and no has more of one left the more of the
/// other is gone, so that over time a running mean seems to foretell its opposite.
#[derive(Clone, Debug)]
pub struct Said {
    /// What foretells it.
    pub signals: Signals,
    /// Which it was.
    pub yes: bool,
    /// The signals, at that moment, of the tracks that the listener says the opposite to after it, the next ones.
    pub opposite: Vec<(Row, Signals)>,
    /// The same of tracks that the listener had not met, drawn from all; only where it was a yes.
    pub unheard: Vec<(Row, Signals)>,
}

/// Those who said both yes and no to tracks that were new to them, drawn and in an order by `seed`.
pub fn stories(dataset: &Dataset, seed: u64) -> Vec<Story<'_>> {
    let story = |listener| {
        let (known, next) = dataset.split_by_time(listener);
        Story { known, next: &next[..next.len().min(MOST_OF_ONE)], seed: listener as u64 }
    };
    let has_both = |story: &Story<'_>| {
        let said: Vec<bool> = story.verdicts().map(|(_, yes)| yes).collect();
        said.contains(&true) && said.contains(&false)
    };
    let mut listeners: Vec<usize> = (0..dataset.listeners()).collect();
    SplitMix64::new(seed).shuffle(&mut listeners);
    listeners.into_iter().map(story).filter(has_both).take(MOST).collect()
}

impl<'a> Story<'a> {
    /// The events that say yes or no to a track that the listener had not met.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'a Heard, bool)> + use<'a> {
        let mut met: HashSet<Row> = self.known.iter().map(|event| event.row).collect();
        let new = self.next.iter().filter(move |event| met.insert(event.row));
        new.filter_map(|event| Some((event, verdict(event)?)))
    }

    /// The listener as a device has them when the story goes on. `row` finds the model's row of one of the log.
    pub fn session(&self, model: &Model, row: &impl Fn(Row) -> Option<Row>) -> Session {
        let mut session = Session::new(model);
        let last = self.known.iter().rposition(|event| event.opens).unwrap_or(0);
        let (earlier, sitting) = self.known.split_at(last);
        let known = |event: &Heard| Some(observation(event, row(event.row)?));
        earlier.iter().filter_map(known).for_each(|it| session.recall(model, it));
        session.leave();
        sitting.iter().filter_map(known).for_each(|it| session.observe(model, it));
        session
    }

    /// What is known before each of [`Self::verdicts`], event by event as it happens.
    fn as_it_goes(&self, model: &Model) -> Vec<Said> {
        let Some(ranker) = model.ranker() else { return Vec::new() };
        let mut session = self.session(model, &Some);
        let mut rng = SplitMix64::new(self.seed);
        let verdicts: Vec<(&Heard, bool)> = self.verdicts().collect();
        let mut said: Vec<Said> = Vec::with_capacity(verdicts.len());
        for event in self.next {
            if event.opens {
                session.leave();
            }
            let next = verdicts.get(said.len()).filter(|(next, _)| std::ptr::eq(*next, event));
            if let Some(&(_, yes)) = next {
                let drawn = (0..if yes { UNHEARD } else { 0 })
                    .map(|_| Row(rng.below(model.len()) as u32))
                    .filter(|&row| row != event.row && !session.knows(row));
                let drawn: Vec<Row> = drawn.collect();
                let opposite = verdicts[said.len()..].iter().filter(|(_, other)| *other != yes);
                let opposite = opposite.take(OPPOSITE).map(|(event, _)| event.row);
                let expected = session.expectation(model);
                let of = |row| (row, signals::of(model, &ranker, expected, row));
                said.push(Said {
                    signals: of(event.row).1,
                    yes,
                    opposite: opposite.map(of).collect(),
                    unheard: drawn.into_iter().map(of).collect(),
                });
            }
            session.observe(model, observation(event, event.row));
        }
        said
    }

    /// `said` with other verdicts: those of `model`, whose recipe may differ from that under which the rest was
    /// found. Taste, which takes most of the time, is not solved again.
    fn with_verdicts_of(&self, model: &Model, said: &[Said]) -> Vec<Said> {
        let mut replay = Replay::new(model);
        self.known.iter().for_each(|event| replay.take(event));
        let mut new = self.verdicts().zip(said).peekable();
        let mut found = Vec::with_capacity(said.len());
        for event in self.next {
            if let Some((_, said)) = new.next_if(|((next, _), _)| std::ptr::eq(*next, event)) {
                replay.solve(event);
                let again = |others: &[(Row, Signals)]| {
                    others.iter().map(|(row, x)| (*row, replay.signals(*row, x))).collect()
                };
                found.push(Said {
                    signals: replay.signals(event.row, &said.signals),
                    yes: said.yes,
                    opposite: again(&said.opposite),
                    unheard: again(&said.unheard),
                });
            }
            replay.take(event);
        }
        found
    }
}

/// The verdicts of a listener, event by event, without their taste.
struct Replay<'a> {
    model: &'a Model,
    verdicts: Verdicts,
    evidence: HashMap<Row, Evidence>,
    /// Tracks of the sitting, in the order in which they were met there.
    sitting: Vec<Row>,
    factor: Vec<f32>,
}

impl<'a> Replay<'a> {
    fn new(model: &'a Model) -> Self {
        let mut verdicts = Verdicts::default();
        verdicts.clear(model);
        let factor = vec![0.0; model.dim()];
        Self { model, verdicts, evidence: HashMap::new(), sitting: Vec::new(), factor }
    }

    fn take(&mut self, event: &Heard) {
        let Self { model, verdicts, evidence, sitting, factor } = self;
        if event.opens {
            sitting.clear();
        }
        if !sitting.contains(&event.row) {
            sitting.push(event.row);
        }
        let now = evidence.entry(event.row).or_insert_with(|| Evidence::new(event.row));
        let before = *now;
        now.add(event.kind, event.amount);
        model.decode(event.row, factor);
        verdicts.change(model, factor, &before, now);
    }

    /// What is known just before `event`.
    fn solve(&mut self, event: &Heard) {
        let Self { model, verdicts, evidence, sitting, factor } = self;
        if event.opens {
            sitting.clear();
        }
        let heard = sitting.iter().filter_map(|row| evidence.get(row));
        verdicts.solve(model, heard, factor);
    }

    /// The `signals` of a row with the verdicts that were solved last.
    fn signals(&self, row: Row, signals: &Signals) -> Signals {
        let ([all, sitting], [listener, mood]) =
            (self.verdicts.of(self.model, row), self.verdicts.means());
        let mut signals = *signals;
        for (signal, x) in [
            (Signal::Listener, listener),
            (Signal::Mood, mood),
            (Signal::Verdicts, all),
            (Signal::Sitting, sitting),
        ] {
            signals[signal as usize] = x;
        }
        signals
    }
}

/// What is known before each yes and no of each story, `said`, with the verdicts of `model`. Parallel.
pub fn with_verdicts_of(
    model: &Model,
    stories: &[Story<'_>],
    said: &[Vec<Said>],
) -> Vec<Vec<Said>> {
    let both = stories.par_iter().zip(said);
    both.map(|(story, said)| story.with_verdicts_of(model, said)).collect()
}

/// What is known before each yes and no of each story. Parallel.
pub fn followed(model: &Model, stories: &[Story<'_>]) -> Vec<Vec<Said>> {
    stories.par_iter().map(|story| story.as_it_goes(model)).collect()
}

/// An event as a device observes it. What of it is known is how much of its kind it is.
fn observation(event: &Heard, row: Row) -> Observation {
    let heard = match event.kind {
        Kind::Play => Some(event.amount),
        Kind::Skip => Some(1.0 - event.amount),
        _ => None,
    };
    Observation { row, kind: event.kind, heard }
}
