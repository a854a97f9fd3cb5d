//! A listening log in memory: interned, ordered, duplicates removed. 24 bytes an event.

mod builder;
mod offers;
mod places;
mod sittings;

use std::{borrow::Cow, path::Path, sync::Arc};

use segue_core::{
    catalogue::Track,
    event::Kind,
    fold_in::Pull,
    ids::{Row, fingerprint},
    model::Responses,
    moment::Moment,
    rng::SplitMix64,
    session::Evidence,
};

use self::builder::Finished;
pub use self::{
    builder::Builder,
    offers::{Offer, Offers},
    places::Places,
    sittings::heard,
};
use crate::{
    TrainError,
    log::{self, Summary},
    matrix::Matrix,
    progress::Progress,
    side::is_described,
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
    /// Whether a sitting starts here: it is the listener's first event, the log names another sitting
    /// than before, or a pause of [`segue_core::sitting::PAUSE_MS`] went before it.
    pub opens: bool,
    /// Where: the number of [`Places`].
    pub place: u16,
}

const _: () = assert!(size_of::<Heard>() <= 24);

/// Events by listener and time, and what is known of their tracks.
#[derive(Clone, Debug, Default)]
pub struct Dataset {
    /// By row; rows go by fingerprint, ascending.
    pub tracks: Vec<Track>,
    /// Fingerprints of the tracks, strictly ascending.
    pub fingerprints: Vec<u64>,
    /// Ordered by listener, then time, then place in the log.
    events: Vec<Heard>,
    /// Where the events of each listener start; one more at the end.
    starts: Vec<usize>,
    places: Arc<Places>,
}

impl Dataset {
    /// Numbers `tracks` by fingerprint. `events` are by listener and time, their rows index
    /// `tracks`.
    fn new(tracks: Vec<Track>, mut events: Vec<Heard>, places: Places) -> Result<Self, TrainError> {
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

        let mut slots: Vec<Option<Track>> = tracks.into_iter().map(Some).collect();
        let tracks = order.iter().filter_map(|&(_, old)| slots[old as usize].take()).collect();
        let fingerprints = order.iter().map(|&(fingerprint, _)| fingerprint).collect();
        let starts = starts(&events);
        Ok(Self { tracks, fingerprints, events, starts, places: Arc::new(places) })
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
        &self.events[self.range(listener)]
    }

    /// Which of [`Self::events`] are those of one listener.
    pub fn range(&self, listener: usize) -> std::ops::Range<usize> {
        self.starts[listener]..self.starts[listener + 1]
    }

    /// All events, by listener and time.
    pub fn events(&self) -> &[Heard] {
        &self.events
    }

    /// Whole listeners, drawn by `seed`, with about `max_events` events between them; everybody, in
    /// order, where that is no more. Nobody is drawn who alone would be half of it.
    pub fn draw(&self, max_events: usize, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.listeners()).collect();
        if self.len() <= max_events {
            return order;
        }
        let mut rng = SplitMix64::new(seed);
        let (mut drawn, mut events) = (Vec::new(), 0);
        while events < max_events && !order.is_empty() {
            let listener = order.swap_remove(rng.below(order.len()));
            let of_one = self.of(listener).len();
            if of_one <= max_events / 2 {
                drawn.push(listener);
                events += of_one;
            }
        }
        drawn
    }

    /// The listeners of [`Self::draw`], and only the tracks that they met.
    pub fn sample(&self, max_events: usize, seed: u64) -> Cow<'_, Self> {
        if self.len() <= max_events {
            return self.heard_only();
        }
        let drawn = self.draw(max_events, seed).into_iter().zip(0..);
        let events = drawn.flat_map(|(listener, number)| {
            self.of(listener).iter().map(move |&event| Heard { listener: number, ..event })
        });
        Cow::Owned(self.of_events(events.collect()))
    }

    /// So many listeners, drawn by `seed`, or all in order where there are no more.
    pub fn draw_listeners(&self, most: usize, seed: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.listeners()).collect();
        if order.len() > most {
            SplitMix64::new(seed).shuffle(&mut order);
            order.truncate(most);
        }
        order
    }

    /// Whether each track has an event.
    pub fn met(&self) -> Vec<bool> {
        let mut met = vec![false; self.tracks.len()];
        self.events.iter().for_each(|event| met[event.row.index()] = true);
        met
    }

    /// Whether any track without an event has something in common with others.
    pub fn has_new(&self) -> bool {
        let mut tracks = self.met().into_iter().zip(&self.tracks);
        tracks.any(|(met, track)| !met && is_described(track))
    }

    /// Without the tracks that have no event.
    pub fn heard_only(&self) -> Cow<'_, Self> {
        if self.met().contains(&false) {
            Cow::Owned(self.of_events(self.events.clone()))
        } else {
            Cow::Borrowed(self)
        }
    }

    /// The same, for good.
    pub fn into_heard(mut self) -> Self {
        if self.met().contains(&false) {
            let events = std::mem::take(&mut self.events);
            self = self.of_events(events);
        }
        self
    }

    /// The same listeners and tracks; those that `unheard` has lose their events.
    pub fn forgetting(&self, unheard: &[bool]) -> Self {
        self.filtered(|event| !unheard[event.row.index()])
    }

    /// The same listeners and tracks, with the events that `keep` has.
    pub fn filtered(&self, keep: impl Fn(&Heard) -> bool) -> Self {
        self.with_events(self.events.iter().filter(|event| keep(event)).copied().collect())
    }

    /// The same listeners and tracks, other events; by listener and time.
    fn with_events(&self, events: Vec<Heard>) -> Self {
        let mut starts = starts(&events);
        // The last listeners may have none.
        starts.resize(self.starts.len(), events.len());
        Self {
            tracks: self.tracks.clone(),
            fingerprints: self.fingerprints.clone(),
            events,
            starts,
            places: Arc::clone(&self.places),
        }
    }

    /// Whether anything of this kind happened.
    pub fn has(&self, kind: Kind) -> bool {
        self.events.iter().any(|event| event.kind == kind)
    }

    /// How many events each track has.
    pub fn plays(&self) -> Vec<usize> {
        let mut plays = vec![0; self.tracks.len()];
        self.events.iter().for_each(|event| plays[event.row.index()] += 1);
        plays
    }

    /// When and where an event happened.
    pub fn moment(&self, event: &Heard) -> Moment {
        self.places.moment(event.place, event.at)
    }

    /// Whether anything is known of where events happened.
    pub fn has_context(&self) -> bool {
        !self.places.is_empty()
    }

    /// Of `events` by listener and time, with the tracks that occur there.
    fn of_events(&self, mut events: Vec<Heard>) -> Self {
        let mut met = vec![false; self.tracks.len()];
        events.iter().for_each(|event| met[event.row.index()] = true);
        let mut place = vec![0; met.len()];
        let mut part = Self { places: Arc::clone(&self.places), ..Self::default() };
        for (row, _) in met.iter().enumerate().filter(|(_, met)| **met) {
            place[row] = part.tracks.len() as u32;
            part.tracks.push(self.tracks[row].clone());
            part.fingerprints.push(self.fingerprints[row]);
        }
        events.iter_mut().for_each(|event| event.row = Row(place[event.row.index()]));
        part.starts = starts(&events);
        part.events = events;
        part
    }

    /// Everything before the last fifth of a listener's events, and that last fifth. Fewer than
    /// five events stay whole.
    pub fn split_by_time(&self, listener: usize) -> (&[Heard], &[Heard]) {
        let events = self.of(listener);
        events.split_at(events.len() - events.len() / 5)
    }

    /// The same listeners and tracks without the last fifth of each listener's events.
    pub fn past(&self) -> Self {
        let before = |listener| self.split_by_time(listener).0;
        self.with_events((0..self.listeners()).flat_map(before).copied().collect())
    }

    /// The log as it was before the latest `share` of its events: without these, and without listeners
    /// and tracks that had no others.
    pub fn without_latest(&self, share: f64) -> Self {
        let mut times: Vec<i64> = self.events.iter().map(|event| event.at).collect();
        times.sort_unstable();
        let kept = (times.len() as f64 * (1.0 - share)).ceil() as usize;
        let until = times.get(kept).copied().unwrap_or(i64::MAX);
        let before = self.events.iter().filter(|event| event.at < until).copied();
        let mut events: Vec<Heard> = before.collect();
        let listeners = events.chunk_by_mut(|a, b| a.listener == b.listener).zip(0..);
        listeners.for_each(|(of_one, number)| {
            of_one.iter_mut().for_each(|event| event.listener = number);
        });
        self.of_events(events)
    }

    /// Listeners × tracks under `responses`.
    pub fn matrix(&self, responses: &Responses) -> Matrix {
        self.matrix_of(|listener| self.of(listener), responses)
    }

    /// Listeners × tracks under `responses`, of those events that `part` gives of each listener.
    pub fn matrix_of<'a>(
        &'a self,
        part: impl Fn(usize) -> &'a [Heard],
        responses: &Responses,
    ) -> Matrix {
        let row = |listener| {
            let evidence = gather(part(listener)).into_iter();
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

/// The tracks of `events` of which the listener thought well, and that are not in `known`, whose
/// rows ascend.
pub fn new_favourites(events: &[Heard], known: &[Evidence], responses: &Responses) -> Vec<Row> {
    let liked = |pull: Pull| pull.information > 0.0;
    let met = |row: Row| known.binary_search_by_key(&row, |evidence| evidence.row).is_ok();
    gather(events)
        .iter()
        .filter(|e| liked(e.pull(responses)) && !met(e.row))
        .map(|e| e.row)
        .collect()
}

/// Where the events of each listener start, and where the last one's end.
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

/// What was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// All logs in one.
    pub dataset: Dataset,
    /// What was offered with which chance; nothing unless [`log::Options::offers`] asks for it.
    pub offers: Offers,
    /// One for each log.
    pub summaries: Vec<Summary>,
    /// How the catalogue fits the logs; `None` where there is none.
    pub fit: Option<Fit>,
}

/// How a catalogue fits the logs that it was read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Tracks of the logs that it has an entry for.
    pub named: usize,
    /// Tracks of the logs.
    pub heard: usize,
    /// Other tracks that it has, and something that they could have in common with these.
    pub new: usize,
    /// Other tracks of which it says nothing of the kind: they are left out.
    pub bare: usize,
}

impl Reading {
    /// Events that were left out because they arrived twice.
    pub fn repeats(&self) -> usize {
        let rows: u64 = self.summaries.iter().map(|summary| summary.rows).sum();
        usize::try_from(rows).unwrap_or(usize::MAX).saturating_sub(self.dataset.len())
    }
}

/// Reads `paths` and the catalogue into one dataset. A catalogue that tells nothing of the tracks
/// of the logs is an error: it is most likely another file than was meant.
pub fn read(
    paths: &[impl AsRef<Path>],
    catalogue: Option<&Path>,
    options: &log::Options<'_>,
    progress: &Progress<'_>,
) -> Result<Reading, TrainError> {
    log::read_once(paths.iter().map(AsRef::as_ref).chain(catalogue))?;
    // First, because it is quickly told whether it is one.
    let catalogue = catalogue.map(read_catalogue).transpose()?;
    let mut builder = Builder::default();
    let mut summaries = Vec::new();
    for path in paths {
        progress.stage("reading");
        summaries.push(builder.read(path.as_ref(), options, progress.stop)?);
    }
    let named = catalogue.as_ref().map(|named| named.fit(&builder)).transpose()?;
    let entries = catalogue.map_or_else(Vec::new, |catalogue| catalogue.entries);
    let heard = builder.tracks().len();
    let Finished { dataset, offers, bare } = builder.finish_with(entries)?;
    let new = dataset.tracks.len() - heard;
    let fit = named.map(|named| Fit { named, heard, new, bare });
    Ok(Reading { dataset, offers, summaries, fit })
}

struct Catalogue<'a> {
    path: &'a Path,
    entries: Vec<Track>,
}

/// A catalogue that says something that the model shows or is named by.
fn read_catalogue(path: &Path) -> Result<Catalogue<'_>, TrainError> {
    let entries = log::read_catalogue(path)?;
    let bare = |t: &Track| t.title.is_empty() && t.artist.is_empty() && t.tags.is_empty();
    if entries.iter().all(bare) {
        return Err(TrainError::NoCatalogue(path.into()));
    }
    Ok(Catalogue { path, entries })
}

impl Catalogue<'_> {
    /// How many of the tracks read it has an entry for.
    fn fit(&self, builder: &Builder) -> Result<usize, TrainError> {
        let named = builder.named_by(&self.entries);
        match (self.entries.first(), builder.tracks().first()) {
            (Some(theirs), Some(ours)) if named == 0 => Err(TrainError::OtherCatalogue {
                path: self.path.into(),
                tracks: builder.tracks().len(),
                theirs: log::excerpt(&theirs.track),
                ours: log::excerpt(&ours.track),
            }),
            _ => Ok(named),
        }
    }
}
