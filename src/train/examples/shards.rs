//! What a page of a split catalogue misses that has its head and a few shards: how much of the best
//! 50 of the whole catalogue it finds, and of the best 50 of 500 candidates.
//!
//! `cargo run --release -p segue-train --example shards -- MODEL LOG [LISTENERS]`

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::{collections::HashSet, env, fs, path::Path};

use segue_core::{
    bytes::Aligned,
    event::Kind,
    ids::Row,
    kernel::Place,
    model::{Model, SectionId, container},
    rank::{nearest, rank, top},
    rng::SplitMix64,
    session::Session,
};
use segue_train::{
    dataset::{self, Dataset},
    log::Options,
    progress::Progress,
};

type Failure = Box<dyn std::error::Error>;

/// Shards beside the head.
const NEAR: [usize; 4] = [0, 1, 4, 16];
/// The events of a listener that the page has seen.
const EVENTS: usize = 40;

fn main() -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    let (Some(model), Some(log)) = (arguments.next(), arguments.next()) else {
        return Err("usage: shards MODEL LOG [LISTENERS]".into());
    };
    let listeners = arguments.next().map_or(Ok(200), |count| count.parse())?;
    let file = fs::read(model)?;
    let sections = container::split(&file)?;
    let log: &Path = log.as_ref();
    let dataset = dataset::read(&[log], None, &Options::default(), &Progress::silent())?.dataset;
    let ids: Vec<&str> = dataset.tracks.iter().map(|track| track.track.as_str()).collect();
    let candidates = Candidates::new(&dataset);

    let whole = of(&sections, |_| true)?;
    let head = of(&sections, |id| id.shard == 0)?;
    // A track of another shard counts once that is here, and so has it fetched first.
    let counts = |id: &str| head.row(id).is_some_and(|row| !row.is_estimate());
    let mut rng = SplitMix64::new(1);
    let mut sums = [[0.0; 3]; NEAR.len()];
    let mut listener = 0;
    for events in (0..dataset.listeners()).map(|at| dataset.of(at)) {
        let liked = events.iter().filter(|event| event.kind == Kind::Play);
        let liked = liked.map(|event| ids[event.row.index()]).filter(|id| counts(id));
        let liked: Vec<&str> = liked.take(EVENTS).collect();
        if liked.len() < EVENTS {
            continue;
        }
        listener += 1;
        if listener > listeners {
            break;
        }
        let lists = [candidates.played(&mut rng), candidates.any(&mut rng)];
        let exact = best(&whole, &liked, &lists, &ids);
        for (near, sums) in NEAR.iter().zip(&mut sums) {
            let mut session = session(&whole, &liked);
            let mut order = Vec::new();
            nearest(&whole, &mut session, &mut order);
            let here: Vec<u32> = order.iter().take(*near).map(|place| place.index()).collect();
            let part = of(&sections, |id| id.shard == 0 || here.contains(&id.shard.into()))?;
            let found = best(&part, &liked, &lists, &ids);
            for ((sum, found), exact) in sums.iter_mut().zip(&found).zip(&exact) {
                *sum += found.intersection(exact).count() as f64 / exact.len() as f64;
            }
        }
    }
    let count = f64::from(listener.min(listeners));
    println!("share of the best 50 that is found, {count} listeners");
    println!("shards  catalogue  500 as played  500 at random");
    for (near, sums) in NEAR.iter().zip(sums) {
        let [all, played, any] = sums.map(|sum| sum / count);
        println!("{near:>6}{all:>11.3}{played:>15.3}{any:>15.3}");
    }
    Ok(())
}

fn of(sections: &[(SectionId, &[u8])], keep: impl Fn(SectionId) -> bool) -> Result<Model, Failure> {
    let kept = sections.iter().filter(|(id, _)| keep(*id));
    Ok(Model::from_sections(kept.map(|(id, bytes)| (*id, Aligned::copy_of(bytes))))?)
}

/// A listener who played these tracks.
fn session(model: &Model, played: &[&str]) -> Session {
    let mut session = Session::new(model);
    for row in played.iter().filter_map(|id| model.row(id)) {
        session.add(model, row, Kind::Play, 1.0);
    }
    session
}

/// The best 50 of the catalogue, and of each list of candidates, by number of the track.
fn best(
    model: &Model,
    played: &[&str],
    lists: &[Vec<usize>; 2],
    ids: &[&str],
) -> [HashSet<u64>; 3] {
    let mut session = session(model, played);
    let mut queue: Vec<Place> = Vec::new();
    top(model, &mut session, 50, |_| true, &mut queue);
    let stems = queue.iter().filter_map(|place| model.stem(Row(place.index())));
    let all = stems.map(|stem| u64::from(stem.first())).collect();
    let [a, b] = lists.each_ref().map(|list| {
        let rows: Vec<Option<Row>> = list.iter().map(|&track| model.row(ids[track])).collect();
        rank(model, &mut session, &rows, 50, &mut queue);
        queue.iter().map(|place| u64::from(place.index())).collect()
    });
    [all, a, b]
}

/// Draws lists of 500 tracks.
struct Candidates {
    tracks: usize,
    /// The track of every play.
    plays: Vec<u32>,
}

impl Candidates {
    fn new(dataset: &Dataset) -> Self {
        let plays = dataset.events().iter().filter(|event| event.kind == Kind::Play);
        Self { tracks: dataset.tracks.len(), plays: plays.map(|event| event.row.0).collect() }
    }

    /// As likely as each is played.
    fn played(&self, rng: &mut SplitMix64) -> Vec<usize> {
        (0..500).map(|_| self.plays[rng.below(self.plays.len())] as usize).collect()
    }

    /// As likely as any other.
    fn any(&self, rng: &mut SplitMix64) -> Vec<usize> {
        (0..500).map(|_| rng.below(self.tracks)).collect()
    }
}
