//! Listeners to learn from, and what is known of each track just before they say yes or no to it.

use rayon::prelude::*;
use segue_core::{
    event::Kind,
    ids::Row,
    model::Model,
    moment::Moment,
    rng::SplitMix64,
    session::{Observation, Session},
    signals::{self, Signals},
};

use crate::{
    dataset::{Dataset, Heard},
    responses::verdict,
};

/// Listeners that are followed, and events of each, at most.
const MOST: usize = 2000;
const MOST_OF_ONE: usize = 40;
/// Tracks that are held against each yes and no.
const OPPOSITE: usize = 8;

/// A listener to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    dataset: &'a Dataset,
    /// What came before.
    known: &'a [Heard],
    /// What is foretold, in time order.
    next: &'a [Heard],
}

/// One yes or no, and what was known just before it, of its track and of others: only what is known at one moment
/// can be held against each other. Who is known to have said both yes and no has more of one left the more of the
/// other is gone, so that over time a running mean seems to foretell its opposite.
#[derive(Clone, Debug)]
pub struct Said {
    /// When and where it was said.
    pub moment: Moment,
    /// The track.
    pub row: Row,
    /// What foretells it.
    pub signals: Signals,
    /// Which it was.
    pub yes: bool,
    /// The signals, at that moment, of the tracks that the listener says the opposite to after it, the next ones.
    pub opposite: Vec<(Row, Signals)>,
}

/// Those who said both yes and no, drawn and in an order by `seed`.
pub fn stories(dataset: &Dataset, seed: u64) -> Vec<Story<'_>> {
    let story = |listener| Story::of(dataset, listener);
    let has_both = |story: &Story<'_>| {
        let said: Vec<bool> = story.verdicts().map(|(_, yes)| yes).collect();
        said.contains(&true) && said.contains(&false)
    };
    let mut listeners: Vec<usize> = (0..dataset.listeners()).collect();
    SplitMix64::new(seed).shuffle(&mut listeners);
    listeners.into_iter().map(story).filter(has_both).take(MOST).collect()
}

impl<'a> Story<'a> {
    /// A listener of whom the last fifth is foretold.
    fn of(dataset: &'a Dataset, listener: usize) -> Self {
        let (known, next) = dataset.split_by_time(listener);
        Self { dataset, known, next: &next[..next.len().min(MOST_OF_ONE)] }
    }

    /// A listener of whom the first events are known, so many of them.
    pub fn known(dataset: &'a Dataset, listener: usize, events: usize) -> Self {
        let (known, next) = dataset.of(listener).split_at(events);
        Self { dataset, known, next }
    }

    /// The events that say yes or no to a track, but for what is said of a track once more at once.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'a Heard, bool)> + use<'a> {
        let mut last = self.known.last().map(|event| event.row);
        let turned = move |event: &&Heard| last.replace(event.row) != Some(event.row);
        let next = self.next.iter().filter(turned);
        next.filter_map(|event| Some((event, verdict(event)?)))
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
        let verdicts: Vec<(&Heard, bool)> = self.verdicts().collect();
        let mut said: Vec<Said> = Vec::with_capacity(verdicts.len());
        for event in self.next {
            if event.opens {
                session.leave();
            }
            let next = verdicts.get(said.len()).filter(|(next, _)| std::ptr::eq(*next, event));
            if let Some(&(_, yes)) = next {
                let moment = self.dataset.moment(event);
                session.at(moment);
                let opposite = verdicts[said.len()..].iter().filter(|(_, other)| *other != yes);
                let opposite = opposite.map(|(other, _)| other.row).filter(|row| *row != event.row);
                let expected = session.expectation(model);
                let of = |row| (row, signals::of(model, &ranker, expected, row));
                let ((row, signals), opposite) =
                    (of(event.row), opposite.take(OPPOSITE).map(of).collect());
                said.push(Said { moment, row, signals, yes, opposite });
            }
            session.observe(model, observation(event, event.row));
        }
        said
    }
}

/// What is known before each yes and no of each story. Parallel.
pub fn followed(model: &Model, stories: &[Story<'_>]) -> Vec<Vec<Said>> {
    stories.par_iter().map(|story| story.as_it_goes(model)).collect()
}

/// An event as a device observes it. What of it is known is how much of its kind it is.
pub fn observation(event: &Heard, row: Row) -> Observation {
    let heard = match event.kind {
        Kind::Play => Some(event.amount),
        Kind::Skip => Some(1.0 - event.amount),
        _ => None,
    };
    Observation { row, kind: event.kind, heard }
}
