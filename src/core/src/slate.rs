//! A queue whose places are chosen one after another, each with an eye on those before it.
//!
//! Every candidate has a relevance: its points as in [`crate::rank`], of a taste drawn from the posterior where there
//! is exploration, in standard deviations over the candidates, less what fatigue takes. At each place stands the one
//! left that has most of
//!
//! ```text
//! (1 − diversity)·relevance − diversity·max cosine to those chosen
//! ```
//!
//! (maximal marginal relevance: Carbonell and Goldstein, "The Use of MMR", 1998) among those that come least too soon
//! after another one of their artist or album; equals in the order of their scores. Tracks that the model does not
//! know come last, as ever.

use alloc::vec::Vec;

use crate::{
    ids::Row,
    kernel::{Place, Query},
    linalg::{dot, sqrt},
    model::Model,
    rank::{self, UNKNOWN},
    rng::SplitMix64,
    session::Session,
    sitting::Sitting,
};

/// What a place too soon takes: more than anything else gives.
const TOO_SOON: f64 = (1 << 30) as f64;
/// So many places are chosen; those that follow them are in the order of scores.
pub const PLACES: usize = 256;
/// Of so many times the candidates that are asked for, there are mostly enough others to keep any two apart.
const ENOUGH: usize = 4;
/// So many of the last tracks tire, and count as places; those before them have 2⁻¹⁶ of the weight and less.
pub const RECENT: usize = 16;

/// What the choice of a place depends on besides scores. Where all is 0 the queue is that of [`rank::rank`]. Numbers
/// beyond their range make some queue of the candidates all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// λ, 0 to 1: how much less alike the factors of the queue are to be, at the cost of relevance.
    pub diversity: f32,
    /// At least so many places lie between two tracks of an artist, while there is anything else to choose; the last
    /// tracks of the sitting, up to [`RECENT`], stand before the first place.
    pub artist_gap: u8,
    /// The same of an album.
    pub album_gap: u8,
    /// Standard deviations of relevance, 0 to 1000, that go off a track of the artist that was just heard, and again
    /// off that track itself; half of it for the one heard before, and so on through the sitting.
    pub fatigue: f32,
    /// Spread of the taste that the queue is ranked by, 0 to 1000 (Thompson sampling: Thompson, 1933; Chapelle and
    /// Li, 2011): it is drawn from N(mean, explore²·A⁻¹), A the precision of the posterior, whose unit is that of an
    /// observation of weight 1. The model says nothing of how far such observations err, so at 1 they err by 1. What else
    /// foretells a yes stays at its mean.
    pub explore: f32,
    /// What is drawn depends on nothing else; `None` for the number of events of the session, so that each event
    /// has another draw, and the same listener the same one; and so have all listeners with as many events. Mix something
    /// of the listener in where that matters.
    pub seed: Option<u64>,
}

/// Chosen by the closed loop: two places between tracks of an artist make queues more diverse, and lose nothing; of the
/// others nothing notable was found.
impl Default for Options {
    fn default() -> Self {
        Self { artist_gap: 2, ..Self::OFF }
    }
}

impl Options {
    /// Scores alone choose.
    pub const OFF: Self = Self {
        diversity: 0.0,
        artist_gap: 0,
        album_gap: 0,
        fatigue: 0.0,
        explore: 0.0,
        seed: None,
    };

    fn gaps(&self) -> [usize; 2] {
        [self.artist_gap, self.album_gap].map(usize::from)
    }

    /// Whether scores alone choose.
    fn are_off(&self) -> bool {
        self.gaps() == [0; 2] && self.are_gaps()
    }

    /// Whether nothing but gaps choose beside scores.
    fn are_gaps(&self) -> bool {
        [self.diversity, self.fatigue, self.explore] == [0.0; 3]
    }
}

/// Chooses a queue of the best `limit` of `candidates`, in order. Its places are as in [`rank::rank`]: points are those
/// of the score, whatever was drawn. [`Slate::moved`] says how far each place was moved. Allocates nothing once `slate`
/// and `queue` have held as many.
///
/// Without options as [`rank::rank`]; with gaps alone O(c·d + c·log c) where artists are many; with others
/// O(c·d + c·log c + limit·c), and with diversity O(limit·c·d).
pub fn rank(
    model: &Model,
    session: &mut Session,
    candidates: &[Option<Row>],
    limit: usize,
    options: &Options,
    slate: &mut Slate,
    queue: &mut Vec<Place>,
) {
    slate.clear();
    let mut scored = candidates.len();
    if options.are_off() {
        scored = limit;
    } else if options.are_gaps() {
        scored = scored.min(limit.saturating_mul(ENOUGH));
    }
    rank::rank(model, session, candidates, scored, queue);
    if !options.are_off() {
        let places = limit.min(PLACES);
        if !options.are_gaps() {
            slate.weigh(model, session, candidates, options, queue);
            slate.choose(model, places, options);
        } else if !slate.space_out(model, session, candidates, places, options, queue) {
            slate.clear();
            rank::rank(model, session, candidates, candidates.len(), queue);
            slate.space_out(model, session, candidates, places, options, queue);
        }
        queue.truncate(limit);
        queue.iter_mut().zip(&slate.items).for_each(|(place, item)| *place = item.place);
    }
}

/// A candidate that the model knows.
#[derive(Clone, Copy, Debug)]
struct Item {
    row: Row,
    /// By score alone.
    place: Place,
    /// Where that puts it.
    at: u32,
    relevance: f32,
    /// The length of its factor where there is diversity, else 0; its largest cosine to those chosen.
    length: f32,
    likeness: f32,
    /// Its artist and its album; 0 where they are not known.
    names: [u64; 2],
    /// The first place that is not too soon for it.
    free: usize,
}

/// The memory that choosing reuses.
#[derive(Clone, Debug, Default)]
pub struct Slate {
    /// Those chosen, in order, then the others that were looked at, in the order of their scores.
    items: Vec<Item>,
    /// Artists and albums of what was just heard, the last first.
    heard: Vec<[u64; 2]>,
    /// By the taste that was drawn, for each candidate.
    drawn: Vec<Place>,
    /// The factor or the taste at hand, and what it scores by.
    vector: Vec<f32>,
    query: Query,
}

impl Slate {
    /// By how many places a place of the last queue stands above where its score alone would have put it.
    pub fn moved(&self, place: usize) -> i32 {
        self.items.get(place).map_or(0, |item| item.at as i32 - place as i32)
    }

    /// Forgets the last queue, and keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Takes in the candidates that the model knows, which come first in `queue`, and says how relevant each is.
    fn weigh(
        &mut self,
        model: &Model,
        session: &mut Session,
        candidates: &[Option<Row>],
        options: &Options,
        queue: &[Place],
    ) {
        let seed = options.seed.unwrap_or(session.events().into());
        let posterior = session.posterior(model);
        posterior.draw(options.explore, &mut SplitMix64::new(seed), &mut self.vector);
        self.aim(model);
        let expectation = session.expectation(model);
        let expected = expectation.of_taste(&self.query);
        rank::score_all(model, expected, candidates, &mut self.drawn);
        let [mut sum, mut squares] = [0.0; 2];
        for (at, &place) in (0..).zip(queue) {
            let index = place.index() as usize;
            let (Some(row), false) = (candidates[index], place.points() == UNKNOWN) else { break };
            let relevance = self.drawn[index].points() as f32;
            sum += f64::from(relevance);
            squares += f64::from(relevance) * f64::from(relevance);
            let mut length = 0.0;
            if options.diversity > 0.0 {
                model.decode(row, &mut self.vector);
                length = sqrt(dot(&self.vector, &self.vector).into()) as f32;
            }
            self.items.push(Item { relevance, length, ..Item::new(model, row, place, at) });
        }
        self.standardise(sum, squares);
        self.tire(model, expectation.sitting, options.fatigue);
        self.listen(model, expectation.sitting);
        for at in 0..self.items.len() {
            self.items[at].free = self.first_free(0, self.items[at].names, options);
        }
    }

    /// Chooses where nothing but gaps do beside scores: of the candidates that the model knows, which come first in
    /// `queue`, only as many are looked at as have to be. Returns whether there were enough of them, or no others.
    fn space_out(
        &mut self,
        model: &Model,
        session: &mut Session,
        candidates: &[Option<Row>],
        limit: usize,
        options: &Options,
        queue: &[Place],
    ) -> bool {
        self.listen(model, session.expectation(model).sitting);
        let all = queue.len() == candidates.len();
        let mut unseen = (0..).zip(queue).map_while(|(at, &place)| {
            let row = candidates[place.index() as usize].filter(|_| place.points() != UNKNOWN)?;
            Some(Item::new(model, row, place, at))
        });
        for at in 0..limit {
            let mut least: Option<(usize, usize)> = None;
            for place in at.. {
                if place == self.items.len() {
                    let Some(item) = unseen.next() else { break };
                    let free = self.first_free(at, item.names, options);
                    self.items.push(Item { free, ..item });
                }
                let soon = self.items[place].free.saturating_sub(at);
                if least.is_none_or(|(least, _)| soon < least) {
                    least = Some((soon, place));
                }
                if soon == 0 {
                    break;
                }
            }
            let Some((soon, place)) = least else { return all };
            if soon > 0 && !all {
                return false;
            }
            self.put(place, at);
            self.space(at, options);
        }
        true
    }

    /// What was just heard stands before the first place.
    fn listen(&mut self, model: &Model, sitting: &Sitting) {
        self.heard.clear();
        self.heard.extend(sitting.tracks().iter().take(RECENT).map(|&row| model.credits(row)));
    }

    /// The first place that is not too soon for one of these names after the `chosen` first ones and what was heard.
    fn first_free(&self, chosen: usize, names: [u64; 2], options: &Options) -> usize {
        let before = self.items[..chosen].iter().rev().map(|item| item.names);
        let before = before.chain(self.heard.iter().copied());
        let mut free = 0;
        for (back, other) in before.enumerate() {
            for (which, gap) in options.gaps().into_iter().enumerate() {
                if names[which] != 0 && names[which] == other[which] {
                    free = free.max((chosen + gap).saturating_sub(back));
                }
            }
        }
        free
    }

    /// Keeps the items that share a name with the `last` one chosen off the places after it.
    fn space(&mut self, last: usize, options: &Options) {
        let names = self.items[last].names;
        for item in &mut self.items[last + 1..] {
            for (which, gap) in options.gaps().into_iter().enumerate() {
                if names[which] != 0 && names[which] == item.names[which] {
                    item.free = item.free.max(last + 1 + gap);
                }
            }
        }
    }

    /// Puts an item at a place among those chosen.
    fn put(&mut self, from: usize, at: usize) {
        let chosen = self.items[from];
        self.items.copy_within(at..from, at + 1);
        self.items[at] = chosen;
    }

    /// Scores by the vector at hand.
    fn aim(&mut self, model: &Model) {
        self.query.set(&self.vector, model.steps(), model.unit(), model.shift(0));
    }

    /// Puts relevance into standard deviations from the mean, by its sum and that of its squares.
    fn standardise(&mut self, sum: f64, squares: f64) {
        let count = self.items.len() as f64;
        let mean = sum / count;
        let variance = squares / count - mean * mean;
        let scale = if variance > 0.0 { 1.0 / sqrt(variance) } else { 0.0 };
        for item in &mut self.items {
            item.relevance = ((f64::from(item.relevance) - mean) * scale) as f32;
        }
    }

    /// Takes off relevance what was just heard takes.
    fn tire(&mut self, model: &Model, sitting: &Sitting, fatigue: f32) {
        let mut share = fatigue;
        for &heard in sitting.tracks().iter().take(RECENT) {
            let [artist, _] = model.credits(heard);
            for item in &mut self.items {
                let by_artist = artist != 0 && item.names[0] == artist;
                let times = u8::from(by_artist) + u8::from(item.row == heard);
                item.relevance -= share * f32::from(times);
            }
            share *= 0.5;
        }
    }

    /// Puts the best `limit` items to the front, in order.
    fn choose(&mut self, model: &Model, limit: usize, options: &Options) {
        for at in 0..limit.min(self.items.len()) {
            if let Some(last) = at.checked_sub(1) {
                self.meet(model, last, options);
            }
            let (mut best, mut most) = (at, f64::NEG_INFINITY);
            for (place, item) in (at..).zip(&self.items[at..]) {
                let value = item.value(at, options.diversity);
                if value > most {
                    (best, most) = (place, value);
                }
            }
            self.put(best, at);
        }
    }

    /// Holds the items that are left against the `last` one chosen.
    fn meet(&mut self, model: &Model, last: usize, options: &Options) {
        let Item { row, length, .. } = self.items[last];
        if options.diversity > 0.0 {
            model.decode(row, &mut self.vector);
            self.aim(model);
        }
        self.space(last, options);
        for item in &mut self.items[last + 1..] {
            let lengths = length * item.length;
            let mut cosine = 0.0;
            if lengths > 0.0 {
                cosine = self.query.score(rank::of_factor(model, &self.query, item.row)) / lengths;
            }
            item.likeness = item.likeness.max(cosine);
        }
    }
}

impl Item {
    fn new(model: &Model, row: Row, place: Place, at: u32) -> Self {
        let names = model.credits(row);
        Self { row, place, at, relevance: 0.0, length: 0.0, likeness: -1.0, names, free: 0 }
    }

    /// What it is worth at a place: how much too soon it is comes first.
    fn value(&self, at: usize, diversity: f32) -> f64 {
        let worth = (1.0 - diversity) * self.relevance - diversity * self.likeness;
        f64::from(worth) - TOO_SOON * self.free.saturating_sub(at) as f64
    }
}
