//! Recommenders in a closed loop with simulated listeners.
//!
//! Listeners live through the log of a [`World`]; then each of them comes back for some sittings in which a
//! recommender, an [`Arm`], chooses what is played next. What it may choose from is the same for all of them:
//! what a plain service has on offer at that moment ([`crate::Policy`]), which knows no model. After each reaction
//! the rest is ordered anew. Everything that is drawn depends on the world, the listener, the sitting and the
//! place in it and on nothing else, so that arms differ only by what they choose.
//!
//! A recommender knows the events of the log and of the sitting. It never sees the listener.

mod arm;
mod sitting;
mod tally;
mod turn;

use std::collections::HashMap;

use segue_core::{
    event::{Event, Kind},
    ids::Row,
    model::Model,
    session::{Observation, Session},
    slate::Options,
};

pub use self::{
    arm::{Arm, UnknownArm},
    tally::{FIGURES, Tally},
    turn::{AFTER, BEFORE},
};
use crate::{Listener, TrackIndex, World};

/// What a sitting offers at most.
pub const OFFERS: usize = 500;
/// Sittings of each listener.
pub const SITTINGS: u32 = 4;

/// A world after its log, a model of that log, and listeners who come back.
#[derive(Debug)]
pub struct Trial<'a> {
    world: &'a World,
    model: &'a Model,
    /// How [`Arm::Chosen`] chooses.
    options: Options,
    /// The model's row of each track.
    rows: Vec<Option<Row>>,
    /// How often each track was played in the log, and not skipped.
    plays: Vec<u32>,
    people: Vec<Person>,
}

/// A listener, when the log ends.
#[derive(Debug)]
struct Person {
    number: u32,
    listener: Listener,
    /// When they come back.
    next_ms: i64,
    /// What their device remembers: where a sitting starts, and what they did.
    past: Vec<Observation>,
    /// Tracks that they have heard, in no order.
    heard: Vec<TrackIndex>,
}

impl<'a> Trial<'a> {
    /// Lets the first `people` listeners of the log come back under `model`; [`Arm::Chosen`] chooses by `options`. Writes the log once more: its time,
    /// and the memory of what those people did.
    pub fn new(world: &'a World, model: &'a Model, people: u32, options: Options) -> Self {
        let people = people.min(world.config().listeners);
        let mut plays = vec![0; world.config().tracks as usize];
        let mut past: HashMap<String, Past> =
            (0..people).map(|n| (name(n), Past::default())).collect();
        let rows: Vec<Option<Row>> = world.tracks().map(|track| model.row(&track.id())).collect();
        let mut events = world.events();
        for event in &mut events {
            let Some(track) = world.find(&event.track) else { continue };
            if event.kind == Kind::Play {
                plays[track.index()] += 1;
            }
            if let Some(past) = past.get_mut(&event.user) {
                past.add(&event, track, rows[track.index()]);
            }
        }
        let person = |(number, listener, next_ms): (u32, Listener, i64)| {
            let Past { done, heard, .. } = past.remove(&name(number)).unwrap_or_default();
            Person { number, listener, next_ms, past: done, heard }
        };
        let people = events.into_listeners().take(people as usize).map(person).collect();
        Self { world, model, options, rows, plays, people }
    }

    /// How many listeners come back.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// What the device of a person knows of them: the log, where `remembers`.
    fn session(&self, person: &Person, remembers: bool) -> Session {
        let mut session = Session::new(self.model);
        if remembers {
            person.past.iter().for_each(|&observation| session.recall(self.model, observation));
        }
        session.leave();
        session
    }
}

fn name(number: u32) -> String {
    format!("u{number}")
}

/// What is read of the past of a person.
#[derive(Debug, Default)]
struct Past {
    done: Vec<Observation>,
    heard: Vec<TrackIndex>,
}

impl Past {
    fn add(&mut self, event: &Event, track: TrackIndex, row: Option<Row>) {
        if matches!(event.kind, Kind::Play | Kind::Skip) && !self.heard.contains(&track) {
            self.heard.push(track);
        }
        let observation =
            row.map(|row| Observation { row, kind: event.kind, heard: event.heard() });
        self.done.extend(observation);
    }
}
