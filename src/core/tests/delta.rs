//! Deltas: what a device makes of the version that it has is the next version, to the last byte, or nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use segue_core::{
    bytes::Aligned,
    codec::pairs::Pair,
    event::Kind,
    ids::{Row, fingerprint},
    model::{
        self, Entry, Habits, Loss, Model, NeighbourParts, Rate, Responses, SectionId, SectionKind,
        TasteParts,
        delta::{DeltaError, between},
    },
    rank::top,
    rng::SplitMix64,
    session::Session,
    signals::Signals,
};
use support::{DIM, contexts, ranker, split_sections};

/// A catalogue that changes from version to version.
#[derive(Clone)]
struct World {
    rng: SplitMix64,
    named: usize,
    tracks: Vec<Track>,
    /// By the names of both tracks.
    pairs: Vec<(usize, usize, u8, u8)>,
    levels: Vec<Vec<(usize, u8)>>,
    mean: f32,
    step: f32,
}

#[derive(Clone)]
struct Track {
    name: usize,
    codes: Vec<i8>,
    cluster: u16,
    rate: f32,
    plays: f32,
    tags: u64,
    album: u8,
    title: String,
    artist: String,
    class: u8,
}

impl World {
    fn new(tracks: usize, seed: u64) -> Self {
        let mut world = Self {
            rng: SplitMix64::new(seed),
            named: 0,
            tracks: Vec::new(),
            pairs: Vec::new(),
            levels: vec![Vec::new(); 4],
            mean: 0.2,
            step: 0.01,
        };
        (0..tracks).for_each(|_| world.release());
        (0..tracks * 3).for_each(|_| world.pair());
        for cluster in 0..4 {
            let of = |at: usize| (world.tracks[(cluster * 5 + at) % tracks].name, 200 - at as u8);
            world.levels[cluster] = (0..6).map(of).collect();
        }
        world
    }

    fn release(&mut self) {
        let rng = &mut self.rng;
        // Some are like one that is there.
        let like =
            (!self.tracks.is_empty() && rng.below(4) == 0).then(|| rng.below(self.tracks.len()));
        let codes = match like {
            Some(like) => self.tracks[like].codes.clone(),
            None => {
                (0..DIM).map(|at| ((rng.unit() - 0.5) * 60.0 / (at + 1) as f64) as i8).collect()
            }
        };
        let name = self.named;
        self.named += 1;
        self.tracks.push(Track {
            name,
            codes,
            cluster: rng.below(4) as u16,
            rate: rng.unit() as f32,
            plays: rng.below(9) as f32,
            tags: 1 << rng.below(3),
            album: rng.below(3) as u8,
            title: ["Nocturne", "Étude", "Dub", "夜"][rng.below(4)].to_owned() + &name.to_string(),
            artist: format!("Artist {}", rng.below(1 + self.named / 3)),
            class: rng.below(20) as u8,
        });
    }

    fn pair(&mut self) {
        let [a, b] = [(); 2].map(|()| self.tracks[self.rng.below(self.tracks.len())].name);
        if a != b && !self.pairs.iter().any(|p| (p.0, p.1) == (a, b) || (p.1, p.0) == (a, b)) {
            self.pairs.push((a, b, self.rng.below(8) as u8, self.rng.below(5) as u8));
        }
    }

    /// One of what happens between two versions.
    fn happens(&mut self, what: usize) {
        let (count, at) = (self.tracks.len(), self.rng.below(self.tracks.len()));
        let track = &mut self.tracks[at];
        match what {
            0 => self.release(),
            1 if count > 8 => {
                let gone = self.tracks.swap_remove(at).name;
                self.pairs.retain(|p| p.0 != gone && p.1 != gone);
                self.levels.iter_mut().for_each(|list| list.retain(|(name, _)| *name != gone));
            }
            2 => {
                let component = self.rng.below(DIM);
                track.codes[component] = (self.rng.below(255) as i16 - 127) as i8;
            }
            3 => track.codes[self.rng.below(DIM)] = 0,
            4 => track.cluster = self.rng.below(4) as u16,
            5 => (track.rate, track.plays) = (-1.0, track.plays + 1.0),
            6 => track.tags ^= 1 << self.rng.below(3),
            7 => track.title.push('!'),
            8 => track.artist = ["", "Somebody new", "Artist 1"][self.rng.below(3)].to_owned(),
            9 => track.class = (track.class + 1) % 64,
            10 => self.pair(),
            11 if !self.pairs.is_empty() => {
                let at = self.rng.below(self.pairs.len());
                self.pairs[at].2 = self.rng.below(8) as u8;
            }
            12 if !self.pairs.is_empty() => {
                let at = self.rng.below(self.pairs.len());
                self.pairs.swap_remove(at);
            }
            13 => self.mean += 0.001,
            14 => {
                let list = &mut self.levels[self.rng.below(4)];
                if let Some((_, level)) = list.first_mut() {
                    *level = level.wrapping_add(1).max(1);
                }
            }
            15 => self.step *= 1.5,
            16 => track.album = self.rng.below(9) as u8,
            _ => {}
        }
    }

    fn sections(&self) -> Vec<(SectionKind, Aligned)> {
        let mut tracks: Vec<&Track> = self.tracks.iter().collect();
        tracks.sort_by_key(|track| fingerprint(&id(track.name)));
        let fingerprints: Vec<u64> = tracks.iter().map(|t| fingerprint(&id(t.name))).collect();
        let codes: Vec<i8> = tracks.iter().flat_map(|t| &t.codes).copied().collect();
        let taste = TasteParts {
            loss: Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 },
            catalogue: tracks.len() as f32,
            pull: 0.3,
            responses: Responses::default(),
            mean: vec![self.mean; DIM],
            gram: None,
        };
        let steps = vec![self.step; DIM];
        let (ids, mut sections) = model::encode_ranking(&fingerprints, &steps, &codes, &taste);
        let row = |name: usize| tracks.iter().position(|track| track.name == name).unwrap() as u32;
        let mut pairs: Vec<Pair> = self
            .pairs
            .iter()
            .map(|&(a, b, level, lean)| {
                let (a, b) = (row(a), row(b));
                Pair { rows: [a.min(b), a.max(b)], level, lean }
            })
            .collect();
        pairs.sort_by_key(|pair| (pair.rows[0], 7 - pair.level, pair.rows[1]));
        let graph = NeighbourParts {
            powers: [0.5, 0.25],
            strengths: [0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16],
            classes: tracks.iter().map(|track| track.class).collect(),
            pairs,
            back: 1.0,
            habits: Habits::default(),
        };
        let clusters: Vec<u16> = tracks.iter().map(|track| track.cluster).collect();
        let names = ["rock", "", "jazz", "dub"].map(str::to_owned);
        let text =
            tracks.iter().map(|t| (t.title.as_str(), t.artist.as_str(), t.name as u32 * 1000));
        let rates: Vec<Rate> =
            tracks.iter().map(|t| Rate { log_odds: t.rate, plays: t.plays }).collect();
        let tags: Vec<u64> = tracks.iter().map(|t| t.tags).collect();
        let albums: Vec<u8> = tracks.iter().map(|t| t.album).collect();
        let lists: Vec<Vec<Entry>> = self
            .levels
            .iter()
            .map(|list| {
                list.iter().map(|&(name, level)| Entry::new(Row(row(name)), level)).collect()
            })
            .collect();
        let lists: Vec<&[Entry]> = lists.iter().map(Vec::as_slice).collect();
        sections.extend([
            (SectionKind::Clusters, model::encode_clusters(ids, DIM, &[0.1; 4 * DIM], &clusters)),
            (SectionKind::Text, model::encode_text(ids, text, &names)),
            (SectionKind::Neighbours, model::encode_neighbours(ids, &graph).unwrap()),
            (SectionKind::Finished, model::encode_finished(ids, tracks.len(), 0.1, &lists)),
            (SectionKind::Rates, model::encode_rates(ids, &rates)),
            (SectionKind::Ranker, model::encode_ranker(&ranker(Signals::default()))),
            (SectionKind::Albums, model::encode_albums(ids, &albums)),
            (SectionKind::Tags, model::encode_tags(ids, &tags, &support::TAGS.map(str::to_owned))),
            (SectionKind::Context, model::encode_context(&contexts())),
        ]);
        sections
    }

    fn model(&self) -> Model {
        Model::from_sections(self.sections()).unwrap()
    }
}

fn id(name: usize) -> String {
    format!("t{name}")
}

const NOTHING: [(SectionId, Aligned); 0] = [];

fn patched(old: &Model, delta: &[u8]) -> Result<Model, DeltaError> {
    old.patched(&[delta], NOTHING)
}

/// A world of so many tracks, and what so many events make of it.
fn versions(tracks: usize, seed: u64, events: &[usize]) -> [Model; 2] {
    let mut world = World::new(tracks, seed);
    let before = world.model();
    events.iter().for_each(|&what| world.happens(what));
    [before, world.model()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_delta_makes_the_next_version_to_the_last_byte(
        tracks in 8_usize..60,
        seed in any::<u64>(),
        events in proptest::collection::vec(0_usize..17, 0..40),
    ) {
        let [old, new] = versions(tracks, seed, &events);
        let delta = between(&old, &new, 0).unwrap();
        let made = patched(&old, &delta).unwrap();
        prop_assert!(made.to_file() == new.to_file());
        prop_assert_eq!(made.state(0), new.state(0));
        prop_assert_eq!(made.taste().gram(), new.taste().gram());
    }

    #[test]
    fn a_delta_between_models_that_were_read_leads_on_from_one_that_a_delta_made(
        tracks in 8_usize..60,
        seed in any::<u64>(),
        events in proptest::collection::vec(0_usize..17, 1..60),
    ) {
        let mut world = World::new(tracks, seed);
        let mut here = world.model();
        for some in events.chunks(10) {
            let read = Model::from_file(&here.to_file()).unwrap();
            some.iter().for_each(|&what| world.happens(what));
            let next = world.model();
            here = patched(&here, &between(&read, &next, 0).unwrap()).unwrap();
            prop_assert!(here.to_file() == next.to_file());
        }
    }

    #[test]
    fn no_damage_to_a_delta_makes_a_model_of_other_content(
        seed in any::<u64>(),
        events in proptest::collection::vec(0_usize..17, 1..40),
        at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        cut in any::<bool>(),
    ) {
        let [old, new] = versions(30, seed, &events);
        let mut delta = between(&old, &new, 0).unwrap();
        let at = at.index(delta.len());
        if cut {
            delta.truncate(at);
        } else {
            delta[at] ^= 1 << bit;
        }
        if let Ok(made) = patched(&old, &delta) {
            prop_assert!(made.to_file() == new.to_file());
        }
    }

    #[test]
    fn no_bytes_behind_a_deltas_header_make_it_panic(
        seed in any::<u64>(),
        changes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let [old, new] = versions(30, seed, &[0, 2, 5]);
        let mut delta = between(&old, &new, 0).unwrap();
        delta.truncate(48);
        delta.extend(changes);
        prop_assert!(patched(&old, &delta).is_err());
    }
}

#[test]
fn a_chain_of_deltas_ends_where_one_from_start_to_end_does() {
    let mut world = World::new(40, 3);
    let mut here = world.model();
    let first = here.clone();
    for version in 0..12 {
        for event in 0..9 {
            world.happens((version * 5 + event * 3) % 17);
        }
        let next = world.model();
        // Whoever makes a delta has read both versions; whoever applies it may have made the one before itself.
        let read = Model::from_file(&here.to_file()).unwrap();
        here = patched(&here, &between(&read, &next, 0).unwrap()).unwrap();
        assert!(here.to_file() == next.to_file(), "version {version}");
    }
    let direct = patched(&first, &between(&first, &here, 0).unwrap()).unwrap();
    assert!(direct.to_file() == here.to_file());
}

#[test]
fn a_model_that_a_delta_made_ranks_as_the_same_model_read_from_a_file_does() {
    let events: Vec<usize> = (0..200).map(|at| at % 15).collect();
    let [old, new] = versions(300, 7, &events);
    let made = patched(&old, &between(&old, &new, 0).unwrap()).unwrap();
    let ranked = |model: &Model| {
        let mut session = Session::new(model);
        for row in (0..300).filter_map(|name| model.row(&id(name))).step_by(90) {
            session.add(model, row, Kind::Like, 1.0);
        }
        let mut places = Vec::new();
        top(model, &mut session, 50, |_| true, &mut places);
        places.iter().map(|place| (place.index(), place.points())).collect::<Vec<_>>()
    };
    assert_eq!(ranked(&made), ranked(&new));
}

#[test]
fn a_delta_is_refused_by_any_version_but_its_own() {
    let [old, new] = versions(40, 1, &[0, 1, 2, 5]);
    let delta = between(&old, &new, 0).unwrap();
    assert_eq!(patched(&new, &delta).unwrap_err(), DeltaError::Base(0));
    let once = patched(&old, &delta).unwrap();
    assert_eq!(patched(&once, &delta).unwrap_err(), DeltaError::Base(0));
    assert!(DeltaError::Base(0).message().contains("fetch its sections whole"));
}

#[test]
fn what_is_no_delta_of_this_format_says_so() {
    let [old, new] = versions(20, 1, &[2]);
    let delta = between(&old, &new, 0).unwrap();
    let refused = |bytes: &[u8]| patched(&old, bytes).unwrap_err();
    assert_eq!(refused(b""), DeltaError::NotADelta);
    assert_eq!(refused(&new.to_file()), DeltaError::NotADelta);
    let mut later = delta.clone();
    later[16] = 9;
    assert_eq!(refused(&later), DeltaError::Format(9));
    assert!(refused(&later).message().contains("update segue"));
    let mut other = delta;
    other[40] ^= 1;
    assert_eq!(refused(&other), DeltaError::Digest(0));
}

#[test]
fn little_change_takes_few_bytes() {
    let [old, new] = versions(2000, 5, &[2, 2, 5]);
    let delta = between(&old, &new, 0).unwrap();
    let whole = new.to_file().len();
    assert!(delta.len() < 600, "{} bytes of {whole}", delta.len());
}

#[test]
fn one_new_track_of_very_many_is_told_however_long_fingerprints_are() {
    for tracks in [70_000, 3, 1] {
        let mut prints: Vec<u64> = (0..tracks + 1).map(|name| fingerprint(&id(name))).collect();
        let gone = prints[0];
        let model = |mut prints: Vec<u64>| {
            prints.sort_unstable();
            let taste = TasteParts {
                loss: Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 },
                catalogue: tracks as f32,
                pull: 0.3,
                responses: Responses::default(),
                mean: vec![0.2; 2],
                gram: None,
            };
            let codes: Vec<i8> = prints.iter().flat_map(|print| [*print as i8 / 2, 1]).collect();
            let (_, sections) = model::encode_ranking(&prints, &[0.1; 2], &codes, &taste);
            Model::from_sections(sections).unwrap()
        };
        let old = model(prints[..tracks].to_vec());
        prints.retain(|&print| print != gone);
        let new = model(prints);
        let made = patched(&old, &between(&old, &new, 0).unwrap()).unwrap();
        assert!(made.to_file() == new.to_file(), "{tracks} tracks");
    }
}

#[test]
fn names_beyond_all_reason_have_no_delta_and_those_within_have() {
    let mut after = World::new(12, 1);
    let whole = after.model();
    after.tracks[3].title = "x".repeat(1 << 21);
    assert_eq!(between(&whole, &after.model(), 0), None);
    after.tracks[3].title = "é\n\0".repeat(1 << 15);
    let delta = between(&whole, &after.model(), 0).unwrap();
    assert!(patched(&whole, &delta).unwrap().to_file() == after.model().to_file());
}

#[test]
fn shards_are_patched_one_by_one_and_the_rest_comes_whole() {
    let [old, new] = [1, 2].map(|seed| Model::from_sections(split_sections(200, seed)).unwrap());
    let deltas: Vec<Vec<u8>> = (0..3).map(|shard| between(&old, &new, shard).unwrap()).collect();
    let rest = || {
        split_sections(200, 2)
            .into_iter()
            .filter(|(id, _)| id.kind == SectionKind::Cells || id.shard >= 3)
    };
    let slices: Vec<&[u8]> = deltas.iter().map(Vec::as_slice).collect();
    let made = old.patched(&slices, rest()).unwrap();
    assert!(made.to_file() == new.to_file());
    // Of the shards, the head is enough.
    let head = old.patched(&slices[..1], rest().filter(|(id, _)| id.shard == 0)).unwrap();
    assert_eq!(head.len(), 50);
    // A shard of another version than its head is refused.
    let stale = between(&new, &old, 1).unwrap();
    assert!(matches!(
        new.patched(&[&stale], split_sections(200, 2).into_iter().filter(|(id, _)| id.shard == 0)),
        Err(DeltaError::Model(_))
    ));
}
