//! From the rows of logs, in the order in which they arrive, to a [`Dataset`].

use std::{
    collections::{HashMap, HashSet},
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use rayon::prelude::*;
use segue_core::{
    catalogue::Track,
    event::{self, Kind},
    ids::{Row, fingerprint},
    session::Observation,
    sitting::Pauses,
};

use super::{
    Dataset, Heard,
    offers::{Arriving, Offers},
    places::Places,
};
use crate::{
    Interrupted, TrainError,
    log::{self, Entry, Summary},
    side::is_described,
};

/// Reads logs, one after the other, into one dataset. 34 bytes an event.
#[derive(Default)]
pub struct Builder {
    listeners: HashMap<Box<str>, u32>,
    rows: HashMap<Box<str>, u32>,
    tracks: Vec<Track>,
    events: Vec<Arrival>,
    places: Places,
    /// The place of each event, in the order of the logs.
    place_of: Vec<u16>,
    offers: Arriving,
}

/// What a builder comes to.
pub(super) struct Finished {
    pub dataset: Dataset,
    pub offers: Offers,
    /// How many tracks of the catalogue were left out.
    pub bare: usize,
}

/// An event as it arrived: how much of its kind it is can wait on a length that comes later.
#[derive(Clone, Copy)]
struct Arrival {
    at: i64,
    /// The place in the logs, by which events at the same time are told apart: ordering them then takes
    /// no memory.
    place: u32,
    /// 32 bits of the fingerprint of the event's own id, or [`NO_ID`]: enough to tell what one listener
    /// did with one track.
    id: u32,
    listener: u32,
    row: Row,
    /// In `unit`.
    heard: u32,
    unit: Unit,
    kind: Kind,
    /// Of the id of the sitting, or [`NO_SESSION`].
    session: u16,
}

const _: () = assert!(size_of::<Arrival>() <= 32);

/// An id that happens to have this fingerprint counts as none.
const NO_ID: u32 = 0;

/// The sitting is not told. Otherwise it is known by 16 bits of its fingerprint, which is all that there
/// is room for: of 65,536 changes from one sitting to the next one is missed, unless the time tells it.
const NO_SESSION: u16 = 0;

/// What [`Arrival::heard`] counts. An enum that held the number would take the event to 40 bytes.
#[derive(Clone, Copy)]
enum Unit {
    /// Nothing: the row does not tell.
    Unknown,
    /// The bits of the fraction heard.
    Fraction,
    /// Milliseconds of a track whose length the row does not tell.
    Milliseconds,
}

impl Arrival {
    /// The fraction heard of a track of this length, 0 where it is not known.
    fn heard(&self, duration_ms: u32) -> Option<f32> {
        match self.unit {
            Unit::Unknown => None,
            Unit::Fraction => Some(f32::from_bits(self.heard)),
            Unit::Milliseconds => event::heard(self.heard, duration_ms),
        }
    }

    /// Milliseconds heard of a track of this length, 0 where it is not known.
    fn heard_ms(&self, duration_ms: u32) -> u32 {
        match self.unit {
            Unit::Milliseconds => self.heard,
            Unit::Fraction => (f32::from_bits(self.heard) * duration_ms as f32) as u32,
            Unit::Unknown if self.kind.is_heard() => duration_ms,
            Unit::Unknown => 0,
        }
    }

    /// The event, its length looked up as the device looks it up: the track's own.
    fn event(&self, tracks: &[Track], place_of: &[u16], sitting: &mut Openings) -> Heard {
        let Self { at, listener, row, kind, .. } = *self;
        let place = place_of.get(self.place as usize).copied().unwrap_or_default();
        let duration_ms = tracks[row.index()].duration_ms;
        let amount = Observation { row, kind, heard: self.heard(duration_ms) }.amount();
        let opens = sitting.open_at(self, self.heard_ms(duration_ms));
        Heard { at, listener, row, amount, kind, opens, place }
    }
}

/// Tells which events open a sitting, of all events by listener and time.
#[derive(Default)]
struct Openings {
    listener: Option<u32>,
    /// Of the last event that told.
    session: u16,
    pauses: Pauses,
}

impl Openings {
    /// Whether the next event opens a sitting: the listener is another one, or the log says that the
    /// sitting is, or there was a pause.
    fn open_at(&mut self, event: &Arrival, heard_ms: u32) -> bool {
        if self.listener != Some(event.listener) {
            *self = Self { listener: Some(event.listener), ..Self::default() };
            self.session = event.session;
            self.pauses.end_before(event.at, heard_ms);
            return true;
        }
        let paused = self.pauses.end_before(event.at, heard_ms);
        let told = event.session != NO_SESSION;
        let other = told && self.session != NO_SESSION && self.session != event.session;
        if told {
            self.session = event.session;
        }
        paused || other
    }
}

impl Builder {
    /// Takes in one log.
    pub fn read(
        &mut self,
        path: &Path,
        options: &log::Options<'_>,
        stop: &AtomicBool,
    ) -> Result<Summary, TrainError> {
        let summary = log::read(path, options, &mut |entry| {
            self.push(entry);
            if stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if summary.stopped { Err(Interrupted.into()) } else { Ok(summary) }
    }

    /// Takes in one event.
    pub fn push(&mut self, entry: &Entry<'_>) {
        let listener = intern(&mut self.listeners, &entry.user);
        let row = intern(&mut self.rows, &entry.track);
        if row as usize == self.tracks.len() {
            self.tracks.push(Track { track: entry.track.to_string(), ..Track::default() });
        }
        describe(&mut self.tracks[row as usize], entry);
        let (heard, unit) = match (entry.heard, entry.played_ms) {
            (Some(fraction), _) => (fraction.to_bits(), Unit::Fraction),
            (None, Some(played_ms)) => (played_ms, Unit::Milliseconds),
            (None, None) => (0, Unit::Unknown),
        };
        let id = entry.id.as_deref().map_or(NO_ID, |id| fingerprint(id) as u32);
        let place = self.events.len() as u32;
        let session =
            entry.session.as_deref().map_or(NO_SESSION, |id| (fingerprint(id) as u16).max(1));
        if let Some(offer) = &entry.offer {
            self.offers.push(place, offer);
        }
        let (at, kind, row) = (entry.at, entry.kind, Row(row));
        self.place_of.push(self.places.number(&entry.context));
        self.events.push(Arrival { at, place, id, listener, row, heard, unit, kind, session });
    }

    /// How many of the tracks that occur `catalogue` has an entry for.
    pub fn named_by(&self, catalogue: &[Track]) -> usize {
        let ids: HashSet<&str> = catalogue.iter().map(|entry| entry.track.as_str()).collect();
        self.tracks.iter().filter(|track| ids.contains(track.track.as_str())).count()
    }

    /// The tracks that occur, in the order in which they came up.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Orders what was read: by listener, then time, then place in the log. `catalogue` says more
    /// of tracks that occur, a later entry before an earlier one of the same track, and adds those that do
    /// not, where it says of them what other tracks could have in common with them. An event that arrived
    /// twice is kept once, where it is earliest.
    pub fn finish(self, catalogue: Vec<Track>) -> Result<Dataset, TrainError> {
        self.finish_with(catalogue).map(|finished| finished.dataset)
    }

    /// The same, with what was offered and how many tracks of the catalogue were left out.
    pub(super) fn finish_with(self, catalogue: Vec<Track>) -> Result<Finished, TrainError> {
        let Self { mut rows, mut tracks, mut events, places, place_of, offers, .. } = self;
        let heard = tracks.len();
        for entry in catalogue {
            let row = intern(&mut rows, &entry.track) as usize;
            match tracks.get_mut(row) {
                Some(track) => overlay(track, entry),
                None => tracks.push(entry),
            }
        }
        let (mut at, all) = (0.., tracks.len());
        tracks.retain(|track| at.next().is_some_and(|at| at < heard) || is_described(track));
        // Where times are as coarse as dates, the log's own order is the best there is.
        events.par_sort_unstable_by_key(|event| (event.listener, event.at, event.place));
        drop_repeats(&mut events);
        let offers = offers.finish(events.iter().map(|event| event.place));
        let mut sittings = Openings::default();
        // In place: the standard library collects what is consumed where it lay.
        let event = |event: Arrival| event.event(&tracks, &place_of, &mut sittings);
        let events = events.into_iter().map(event).collect();
        let bare = all - tracks.len();
        Ok(Finished { dataset: Dataset::new(tracks, events, places)?, offers, bare })
    }
}

/// Keeps one of what arrived twice, of `events` by listener and time.
fn drop_repeats(events: &mut Vec<Arrival>) {
    let (mut kept, mut from) = (0, 0);
    while let Some(of_one) = events[from..].chunk_by(|a, b| a.listener == b.listener).next() {
        let repeats = repeats(of_one);
        for (at, repeat) in (from..).zip(repeats) {
            if !repeat {
                events[kept] = events[at];
                kept += 1;
            }
            from = at + 1;
        }
    }
    events.truncate(kept);
}

/// Which events of one listener are another one again. With an id: the same id, track and kind,
/// whatever the times; ids alone would make one of all events that files or devices number from 1.
/// Without: the same time, track and kind.
fn repeats(of_one: &[Arrival]) -> Vec<bool> {
    let mut ids = HashSet::new();
    let mut repeats = Vec::with_capacity(of_one.len());
    for moment in of_one.chunk_by(|a, b| a.at == b.at) {
        let with_id = moment.iter().filter(|event| event.id != NO_ID);
        let mut deeds: HashSet<(Row, Kind)> = match moment.len() {
            1 => HashSet::new(),
            _ => with_id.map(|event| (event.row, event.kind)).collect(),
        };
        repeats.extend(moment.iter().map(|event| match event.id {
            NO_ID => moment.len() > 1 && !deeds.insert((event.row, event.kind)),
            id => !ids.insert((id, event.row, event.kind)),
        }));
    }
    repeats
}

fn intern(numbers: &mut HashMap<Box<str>, u32>, id: &str) -> u32 {
    if let Some(&number) = numbers.get(id) {
        return number;
    }
    let number = numbers.len() as u32;
    numbers.insert(id.into(), number);
    number
}

fn describe(track: &mut Track, entry: &Entry<'_>) {
    let fill = |to: &mut String, from: &Option<std::borrow::Cow<'_, str>>| {
        if let Some(text) = from.as_ref().filter(|_| to.is_empty()) {
            to.push_str(text);
        }
    };
    fill(&mut track.title, &entry.title);
    fill(&mut track.artist, &entry.artist);
    fill(&mut track.album, &entry.album);
    track.duration_ms = track.duration_ms.max(entry.duration_ms.unwrap_or(0));
    if track.tags.is_empty() {
        track.tags.extend(entry.tags.iter().map(ToString::to_string));
    }
}

/// What the catalogue says of a track goes before what the log says; what it leaves out stays.
fn overlay(track: &mut Track, entry: Track) {
    let fill = |to: &mut String, from: String| {
        if !from.is_empty() {
            *to = from;
        }
    };
    fill(&mut track.title, entry.title);
    fill(&mut track.artist, entry.artist);
    fill(&mut track.album, entry.album);
    if entry.duration_ms > 0 {
        track.duration_ms = entry.duration_ms;
    }
    if !entry.tags.is_empty() {
        track.tags = entry.tags;
    }
}
