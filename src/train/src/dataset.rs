//! A listening log in memory: interned, ordered, duplicates removed. 24 bytes an event.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use segue_core::{
    catalogue::Track,
    event::Kind,
    fold_in::Pull,
    ids::{Row, fingerprint},
    model::Responses,
    session::{Evidence, Observation},
};

use crate::{
    Interrupted, TrainError,
    log::{self, Entry, Summary},
    matrix::Matrix,
    progress::Progress,
};

/// One event of a dataset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// Which listener, dense from 0.
    pub listener: u32,
    /// Which track.
    pub row: Row,
    /// How much of its kind it is, 0 to 1.
    pub amount: f32,
    /// What happened.
    pub kind: Kind,
    /// Sixteen bits of the event's own id; 0 where it has none.
    tag: u16,
}

impl Heard {
    /// What makes two events one: the same listener, time, track and kind, and no ids that tell
    /// them apart.
    const fn identity(&self) -> (u32, i64, Row, Kind, u16) {
        (self.listener, self.at, self.row, self.kind, self.tag)
    }
}

/// Events by listener and time, and what is known of their tracks.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// By row; rows go by fingerprint, ascending.
    pub tracks: Vec<Track>,
    /// Fingerprints of the tracks, strictly ascending.
    pub fingerprints: Vec<u64>,
    /// Ordered by listener, then time.
    events: Vec<Heard>,
    /// Where the events of each listener start; one more at the end.
    starts: Vec<usize>,
}

/// Reads logs, one after the other, into one dataset.
#[derive(Default)]
pub struct Builder {
    listeners: HashMap<Box<str>, u32>,
    rows: HashMap<Box<str>, u32>,
    tracks: Vec<Track>,
    events: Vec<Heard>,
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
        let observation = Observation { row: Row(row), kind: entry.kind, heard: entry.heard };
        let amount = observation.amount();
        let Observation { row, kind, .. } = observation;
        let tag = entry.id.as_deref().map_or(0, |id| fingerprint(id) as u16);
        self.events.push(Heard { at: entry.at, listener, row, amount, kind, tag });
    }

    /// Orders what was read. `catalogue` says more of tracks that occur.
    pub fn finish(mut self, catalogue: Vec<Track>) -> Result<Dataset, TrainError> {
        for entry in catalogue {
            if let Some(&row) = self.rows.get(entry.track.as_str()) {
                overlay(&mut self.tracks[row as usize], entry);
            }
        }
        Dataset::new(self.tracks, self.events)
    }
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

impl Dataset {
    /// Orders `events`, whose rows index `tracks`: tracks by fingerprint, events by listener and
    /// time; the same event twice is kept once.
    fn new(tracks: Vec<Track>, mut events: Vec<Heard>) -> Result<Self, TrainError> {
        let mut order: Vec<(u64, u32)> =
            tracks.iter().zip(0..).map(|(t, row)| (fingerprint(&t.track), row)).collect();
        order.sort_unstable();
        if let Some(pair) = order.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let id = |at: usize| tracks[pair[at].1 as usize].track.clone();
            return Err(TrainError::Collision(id(0), id(1)));
        }
        let mut place = vec![0_u32; tracks.len()];
        for (row, &(_, old)) in order.iter().enumerate() {
            place[old as usize] = row as u32;
        }
        events.iter_mut().for_each(|event| event.row = Row(place[event.row.index()]));
        events.sort_unstable_by_key(Heard::identity);
        events.dedup_by_key(|event| event.identity());

        let mut slots: Vec<Option<Track>> = tracks.into_iter().map(Some).collect();
        let tracks = order.iter().filter_map(|&(_, old)| slots[old as usize].take()).collect();
        let fingerprints = order.iter().map(|&(fingerprint, _)| fingerprint).collect();
        let starts = starts(&events);
        Ok(Self { tracks, fingerprints, events, starts })
    }

    /// Number of listeners.
    pub fn listeners(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The events of one listener, in time order.
    pub fn of(&self, listener: usize) -> &[Heard] {
        &self.events[self.starts[listener]..self.starts[listener + 1]]
    }

    /// All events, by listener and time.
    pub fn events(&self) -> &[Heard] {
        &self.events
    }

    /// Whole listeners, drawn by `seed`, with about `max_events` events between them, and only
    /// the tracks that they met; all of it where that is no more.
    pub fn sample(&self, max_events: usize, seed: u64) -> Result<Self, TrainError> {
        if self.len() <= max_events {
            return Ok(self.clone());
        }
        let mut rng = segue_core::rng::SplitMix64::new(seed);
        let mut order: Vec<usize> = (0..self.listeners()).collect();
        let mut events = Vec::new();
        let mut drawn = 0_u32;
        while events.len() < max_events && !order.is_empty() {
            let listener = order.swap_remove(rng.below(order.len()));
            events.extend(self.of(listener).iter().map(|&e| Heard { listener: drawn, ..e }));
            drawn += 1;
        }
        let mut new_row: HashMap<Row, u32> = HashMap::new();
        let mut tracks = Vec::new();
        for event in &mut events {
            let row = *new_row.entry(event.row).or_insert_with(|| {
                tracks.push(self.tracks[event.row.index()].clone());
                tracks.len() as u32 - 1
            });
            event.row = Row(row);
        }
        Self::new(tracks, events)
    }

    /// Everything before the last fifth of each listener's events, and that last fifth.
    /// Listeners with fewer than five events stay whole.
    pub fn split_by_time(&self) -> (Self, Vec<Vec<Heard>>) {
        let mut head = Vec::with_capacity(self.len());
        let mut tails = Vec::with_capacity(self.listeners());
        for listener in 0..self.listeners() {
            let events = self.of(listener);
            let (before, after) = events.split_at(events.len() - events.len() / 5);
            head.extend_from_slice(before);
            tails.push(after.to_vec());
        }
        let starts = starts(&head);
        let Self { tracks, fingerprints, .. } = self.clone();
        (Self { tracks, fingerprints, events: head, starts }, tails)
    }

    /// What each listener did with each track, rows ascending.
    pub fn evidence(&self, listener: usize) -> Vec<Evidence> {
        gather(self.of(listener))
    }

    /// Listeners × tracks under `responses`.
    pub fn matrix(&self, responses: &Responses) -> Matrix {
        let row = |listener| {
            let evidence = self.evidence(listener).into_iter();
            evidence.map(|e| (e.row.0, e.pull(responses))).filter(|(_, pull)| pull.weight > 0.0)
        };
        Matrix::from_rows(self.tracks.len(), (0..self.listeners()).map(row))
    }
}

/// Adds events up by track, rows ascending.
pub fn gather(events: &[Heard]) -> Vec<Evidence> {
    let mut sorted: Vec<&Heard> = events.iter().collect();
    sorted.sort_by_key(|event| event.row);
    let mut all: Vec<Evidence> = Vec::new();
    for event in sorted {
        if all.last().is_none_or(|last| last.row != event.row) {
            all.push(Evidence::new(event.row));
        }
        if let Some(last) = all.last_mut() {
            last.add(event.kind, event.amount);
        }
    }
    all
}

/// The tracks of `events` of which the listener thought well, and that are not in `known`.
pub fn new_favourites(events: &[Heard], known: &[Evidence], responses: &Responses) -> Vec<Row> {
    let liked = |pull: Pull| pull.information > 0.0;
    gather(events)
        .iter()
        .filter(|e| liked(e.pull(responses)) && !known.iter().any(|k| k.row == e.row))
        .map(|e| e.row)
        .collect()
}

fn starts(events: &[Heard]) -> Vec<usize> {
    let listeners = events.last().map_or(0, |last| last.listener as usize + 1);
    let mut starts = vec![0; listeners + 1];
    for event in events {
        starts[event.listener as usize + 1] += 1;
    }
    for listener in 0..listeners {
        starts[listener + 1] += starts[listener];
    }
    starts
}

/// Reads `paths` and the catalogue into one dataset.
pub fn read(
    paths: &[impl AsRef<Path>],
    catalogue: Option<&Path>,
    options: &log::Options<'_>,
    progress: &Progress<'_>,
) -> Result<(Dataset, Vec<Summary>), TrainError> {
    let mut builder = Builder::default();
    let mut summaries = Vec::new();
    for path in paths {
        progress.stage("reading");
        summaries.push(builder.read(path.as_ref(), options, progress.stop)?);
    }
    let catalogue = catalogue.map(log::read_catalogue).transpose()?.unwrap_or_default();
    Ok((builder.finish(catalogue)?, summaries))
}
