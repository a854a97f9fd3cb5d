//! What becomes of tracks that nobody has heard yet.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::{collections::HashMap, fs, path::Path};

use segue_core::{
    catalogue::Track,
    event::Kind,
    ids::Row,
    model::{Loss, Responses},
    rng::SplitMix64,
    session::Evidence,
};
use segue_train::{
    TrainError,
    als::Factors,
    assemble::{FoldIn, split_model},
    coding::fine,
    dataset::{self, Dataset, Reading},
    evaluate::{
        ranking::{self, Case, Scorer},
        unheard::{Ranking, evaluate},
    },
    log,
    pipeline::{Options, Trained, train},
    progress::Progress,
    search::Effort,
    side::{Features, ridge},
};

/// Two scenes of five artists with eight tracks each; a listener hears one scene and skips the other.
const ARTISTS: usize = 10;
const TRACKS: usize = 8;
const LISTENERS: usize = 80;

fn scene(artist: usize) -> usize {
    artist % 2
}

fn log_of_scenes() -> String {
    let mut rng = SplitMix64::new(5);
    let mut log = String::new();
    for listener in 0..LISTENERS {
        for at in 0..30 {
            let (artist, track) = (rng.below(ARTISTS), rng.below(TRACKS));
            let kind = if scene(artist) == listener % 2 { "like" } else { "skip" };
            log += &format!(
                "{{\"user\":\"u{listener}\",\"track\":\"t{artist}-{track}\",\"at\":{},\"kind\":\"{kind}\"}}\n",
                at * 1000 + listener,
            );
        }
    }
    log
}

fn entry(track: &str, artist: &str, tags: &[&str]) -> Track {
    let tags = tags.iter().map(|&tag| tag.into()).collect();
    Track { track: track.into(), artist: artist.into(), tags, ..Track::default() }
}

/// The tracks of the log, and a new one of every artist.
fn catalogue_of_scenes() -> Vec<Track> {
    let tag = |artist| ["loud", "quiet"][scene(artist)];
    let name = |artist| format!("artist {artist}");
    let track = |artist: usize, track: usize| {
        entry(&format!("t{artist}-{track}"), &name(artist), &[tag(artist)])
    };
    let heard = (0..ARTISTS).flat_map(|artist| (0..TRACKS).map(move |at| track(artist, at)));
    let new =
        (0..ARTISTS).map(|artist| entry(&format!("new {artist}"), &name(artist), &[tag(artist)]));
    heard.chain(new).collect()
}

fn lines(catalogue: &[Track]) -> String {
    catalogue.iter().map(|track| serde_json::to_string(track).unwrap() + "\n").collect()
}

fn read(log: &str, catalogue: &str) -> Result<Reading, TrainError> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (log, catalogue) = (path("log.jsonl", log), path("catalogue.jsonl", catalogue));
    let catalogue: Option<&Path> = Some(&catalogue);
    dataset::read(&[log], catalogue, &log::Options::default(), &Progress::silent())
}

fn options() -> Options<'static> {
    Options { dim: 8, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None }
}

fn trained(dataset: &Dataset) -> Trained {
    train(dataset, &options(), &Progress::silent()).unwrap()
}

fn with(catalogue: &[Track]) -> Trained {
    trained(&read(&log_of_scenes(), &lines(catalogue)).unwrap().dataset)
}

/// What a listener who did so to tracks of the log is expected to make of others.
fn scores(trained: &Trained, did: &[(&str, Kind)], of: &[&str]) -> Vec<f32> {
    let model = &trained.model;
    let row = |track: &str| model.row(track).unwrap();
    let evidence = |&(track, kind): &(&str, Kind)| {
        let mut evidence = Evidence::new(row(track));
        evidence.add(kind, 1.0);
        evidence
    };
    let case = Case { known: did.iter().map(evidence).collect(), ..Case::default() };
    model.scores(&case, &of.iter().map(|track| row(track)).collect::<Vec<_>>())
}

#[test]
fn new_tracks_of_an_artist_that_a_listener_likes_rank_above_those_of_one_they_skip() {
    let trained = with(&catalogue_of_scenes());
    assert_eq!(trained.new_tracks, ARTISTS);
    for fan_of in 0..2 {
        let did: Vec<(String, Kind)> = (0..ARTISTS)
            .map(|artist| {
                let kind = if scene(artist) == fan_of { Kind::Like } else { Kind::Skip };
                (format!("t{artist}-0"), kind)
            })
            .collect();
        let did: Vec<(&str, Kind)> = did.iter().map(|(track, kind)| (&track[..], *kind)).collect();
        let new: Vec<String> = (0..ARTISTS).map(|artist| format!("new {artist}")).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        let scores = scores(&trained, &did, &new);
        let of = |liked: bool| {
            (0..ARTISTS).filter(move |&a| (scene(a) == fan_of) == liked).map(|a| scores[a])
        };
        let worst = of(true).fold(f32::INFINITY, f32::min);
        let best = of(false).fold(f32::NEG_INFINITY, f32::max);
        assert!(worst > best, "{scores:?}");
    }
}

#[test]
fn a_new_track_that_has_nothing_in_common_with_others_is_the_same_to_everybody() {
    let mut catalogue = catalogue_of_scenes();
    catalogue.push(entry("stranger", "nobody", &["unheard of"]));
    catalogue.push(entry("another", "somebody", &[]));
    let trained = with(&catalogue);
    let both = ["stranger", "another"];
    for likes in ["t0-0", "t1-0"] {
        let scores = scores(&trained, &[(likes, Kind::Like)], &both);
        assert_eq!(scores[0], scores[1]);
        assert!(scores[0].is_finite());
    }
}

#[test]
fn a_new_track_of_which_nothing_is_said_stays_out_of_the_model() {
    let mut catalogue = catalogue_of_scenes();
    catalogue.push(Track { title: "A title".into(), ..entry("bare", "  ", &["", " "]) });
    let reading = read(&log_of_scenes(), &lines(&catalogue)).unwrap();
    let fit = reading.fit.unwrap();
    assert_eq!((fit.named, fit.heard), (ARTISTS * TRACKS, ARTISTS * TRACKS));
    assert_eq!((fit.new, fit.bare), (ARTISTS, 1));
    let model = trained(&reading.dataset).model;
    assert!(model.row("bare").is_none() && model.row("new 0").is_some());
}

#[test]
fn a_track_that_the_catalogue_has_twice_is_one_track_and_its_later_entry_goes_first() {
    let mut catalogue = catalogue_of_scenes();
    catalogue.push(Track { title: "Later".into(), ..entry("new 0", "artist 1", &[]) });
    let dataset = read(&log_of_scenes(), &lines(&catalogue)).unwrap().dataset;
    let same: Vec<&Track> = dataset.tracks.iter().filter(|track| track.track == "new 0").collect();
    assert_eq!(same.len(), 1);
    assert_eq!((same[0].artist.as_str(), same[0].title.as_str()), ("artist 1", "Later"));
    assert_eq!(same[0].tags, ["loud"], "what a later entry leaves out stays");
}

#[test]
fn tags_may_be_a_list_or_one_text_and_anything_else_is_refused_with_its_line() {
    let tags = |tags: &str| {
        let catalogue = format!("{{\"track\":\"new\",\"artist\":\"a\",\"tags\":{tags}}}\n");
        let reading = read(&log_of_scenes(), &(lines(&catalogue_of_scenes()) + &catalogue));
        reading.map(|reading| {
            let new = reading.dataset.tracks.into_iter().find(|track| track.track == "new");
            new.unwrap().tags
        })
    };
    for same in [r#"["loud","live"]"#, r#""loud|live""#, r#""loud; live""#] {
        assert_eq!(tags(same).unwrap(), ["loud", "live"]);
    }
    let message = tags("7").unwrap_err().to_string();
    assert!(message.contains("line 91") && message.contains("list of texts"), "{message}");
}

#[test]
fn a_taste_is_the_same_however_many_new_tracks_there_are() {
    const DIM: usize = 8;
    let mut rng = SplitMix64::new(9);
    let mut factors =
        |rows: usize| -> Vec<f32> { (0..rows * DIM).map(|_| rng.unit() as f32 - 0.4).collect() };
    let (users, heard, new) = (factors(5), factors(20), factors(400));
    let fold_in = FoldIn {
        loss: Loss { unobserved: 0.2, ridge: 0.05, exponent: 1.0 },
        pull: 0.1,
        responses: Responses::default(),
    };
    let known: Vec<Evidence> = (0..4)
        .map(|row| {
            let mut evidence = Evidence::new(Row(row));
            evidence.add(if row == 3 { Kind::Skip } else { Kind::Like }, 1.0);
            evidence
        })
        .collect();
    let taste = |items: Vec<f32>, split: bool| {
        let rows = items.len() / DIM;
        let is_new: Vec<bool> = (0..rows).map(|row| row >= 20).collect();
        let in_head: Vec<bool> = (0..rows).map(|row| row < 10).collect();
        let prints: Vec<u64> = (1..=rows as u64).map(|row| row << 32).collect();
        let coded = fine(&Factors { dim: DIM, users: users.clone(), items }).with_new(&is_new);
        let in_head = if split { &in_head[..] } else { &[] };
        let model = split_model(&prints, &coded, &fold_in, None, in_head).unwrap().0;
        ranking::fold_in(&model, &known).posterior(&model).mean.clone()
    };
    for split in [false, true] {
        let few = taste(heard.clone(), split);
        let many = taste([&heard[..], &new[..]].concat(), split);
        for (few, many) in few.iter().zip(&many) {
            assert!((few - many).abs() < 0.01, "{few} {many}");
        }
    }
}

#[test]
fn a_catalogue_of_one_artist_without_tags_still_makes_a_model() {
    let mut catalogue = catalogue_of_scenes();
    catalogue.iter_mut().for_each(|track| {
        track.artist = "the same".into();
        track.tags.clear();
    });
    let trained = with(&catalogue);
    let scores = scores(&trained, &[("t0-0", Kind::Like)], &["new 0", "new 1"]);
    assert_eq!(scores[0], scores[1]);
}

#[test]
fn new_tracks_change_nothing_about_how_the_others_are_trained() {
    let mut many = catalogue_of_scenes();
    let heard: Vec<Track> = many[..ARTISTS * TRACKS].to_vec();
    many.extend((0..500).map(|at| entry(&format!("more {at}"), "artist 0", &["loud"])));
    let [with, without] = [with(&many), with(&heard)];
    assert_eq!((with.new_tracks, without.new_tracks), (ARTISTS + 500, 0));
    assert_eq!((with.settings, with.validation), (without.settings, without.validation));
}

#[test]
fn a_log_without_new_tracks_trains_as_it_would_without_side_information() {
    let heard: Vec<Track> = catalogue_of_scenes().drain(..ARTISTS * TRACKS).collect();
    let described = with(&heard);
    assert_eq!((described.new, described.new_tracks), (None, 0));
    let bare: Vec<Track> = heard
        .iter()
        .map(|track| Track { title: "t".into(), ..entry(&track.track, "", &[]) })
        .collect();
    assert_eq!(described.model.factors().steps(), with(&bare).model.factors().steps());
}

/// (XᵀWX + Λ)b − XᵀWv for each component, the largest against the largest of XᵀWv.
fn rest(
    features: &Features,
    (targets, dim): (&[f32], usize),
    weights: &[f64],
    penalties: &[f64],
) -> f64 {
    let effects = ridge::effects(features, (targets, dim), weights, penalties);
    let (mut worst, mut right_side) = (0.0_f64, 0.0_f64);
    for at in 0..dim {
        let effect = |feature: u32| f64::from(effects[feature as usize * dim + at]);
        let mut left: Vec<f64> = (0..).zip(penalties).map(|(f, by)| by * effect(f)).collect();
        let mut right = vec![0.0; features.len()];
        for (track, weight) in weights.iter().enumerate() {
            let says: f64 = features.of(track).iter().map(|&(f, value)| value * effect(f)).sum();
            for &(feature, value) in features.of(track) {
                left[feature as usize] += weight * value * says;
                right[feature as usize] += weight * value * f64::from(targets[track * dim + at]);
            }
        }
        for (left, right) in left.iter().zip(&right) {
            worst = worst.max((left - right).abs());
            right_side = right_side.max(right.abs());
        }
    }
    worst / right_side
}

/// Tracks with a few of `tags` tags, drawn, and factors and weights, some of them 0.
fn drawn(tracks: usize, tags: usize, dim: usize) -> (Features, Vec<f32>, Vec<f64>) {
    let mut rng = SplitMix64::new(3);
    let mut track = |number: usize| {
        let tags: Vec<String> =
            (0..rng.below(6)).map(|_| format!("tag {}", rng.below(tags))).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        entry(&number.to_string(), &format!("artist {}", rng.below(tracks / 3)), &tags)
    };
    let all: Vec<Track> = (0..tracks).map(&mut track).collect();
    let features = Features::new(&all, &vec![true; tracks]);
    let targets = (0..tracks * dim).map(|_| rng.unit() as f32 - 0.3).collect();
    let weights = (0..tracks).map(|_| (rng.unit() - 0.2).max(0.0)).collect();
    (features, targets, weights)
}

#[test]
fn effects_solve_the_normal_equations_whatever_the_number_of_tags() {
    for (tracks, tags, dim) in [(60, 5, 3), (60, 200, 9), (20_000, 100_000, 2)] {
        let (features, targets, weights) = drawn(tracks, tags, dim);
        let penalties: Vec<f64> =
            (0..features.len()).map(|f| if f == 0 { 0.0 } else { 0.7 }).collect();
        let rest = rest(&features, (&targets, dim), &weights, &penalties);
        assert!(rest < 1e-3, "{tracks} tracks, {tags} tags: {rest}");
    }
}

#[test]
fn effects_are_the_same_to_the_last_bit_at_any_number_of_threads() {
    let (features, targets, weights) = drawn(300, 40, 20);
    let penalties = vec![1.0; features.len()];
    let at = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ridge::effects(&features, (&targets, 20), &weights, &penalties))
    };
    let one = at(1);
    assert!(one.iter().any(|&x| x != 0.0) && at(3) == one);
}

#[test]
fn tracks_of_which_none_is_known_have_no_effects() {
    let (features, targets, _) = drawn(30, 4, 3);
    let effects = ridge::effects(&features, (&targets, 3), &[0.0; 30], &vec![0.0; features.len()]);
    assert!(effects.iter().all(|&x| x == 0.0));
}

#[test]
fn an_artist_with_many_tracks_is_trusted_more_than_one_with_a_single_track() {
    let mut tracks: Vec<Track> = (0..9).map(|at| entry(&at.to_string(), "many", &[])).collect();
    tracks.push(entry("9", "one", &[]));
    let targets = [1.0_f32; 9].into_iter().chain([-1.0]).collect::<Vec<_>>();
    let features = Features::new(&tracks, &[true; 10]);
    let effects = ridge::effects(&features, (&targets, 1), &[1.0; 10], &[0.0, 2.0, 2.0]);
    let mut of = [[0.0]; 2];
    ridge::predict(&features, &effects, 0, &mut of[0]);
    ridge::predict(&features, &effects, 9, &mut of[1]);
    let [[many], [one]] = of;
    assert!((1.0 - many).abs() < (one + 1.0).abs(), "{many} {one}");
    assert!(one > -1.0 && many < 1.0, "both are shrunk towards each other");
}

#[test]
fn spelling_and_repetition_of_tags_do_not_count() {
    let tracks = [
        entry("a", "Artist", &["Rock", "rock ", "ROCK", ""]),
        entry("b", " artist", &["rock"]),
        entry("c", "", &[]),
    ];
    let features = Features::new(&tracks, &[true; 3]);
    assert_eq!(features.of(0), features.of(1));
    assert_eq!((features.of(0).len(), features.of(2).len()), (3, 1));
}

#[test]
fn held_out_tracks_are_found_better_than_by_chance_and_the_same_every_time() {
    let dataset = read(&log_of_scenes(), &lines(&catalogue_of_scenes())).unwrap().dataset;
    let outcome = evaluate(&dataset, &options(), 0.2, &Progress::silent()).unwrap();
    let auc: HashMap<&str, f64> =
        outcome.rankings.iter().map(|ranking| (ranking.name, ranking.figures[0])).collect();
    assert!((auc["random"] - 0.5).abs() < 0.1, "{auc:?}");
    for better in ["side information", "same artist liked", "other listeners' plays"] {
        assert!(auc[better] > 0.65, "{auc:?}");
    }
    let again = evaluate(&dataset, &options(), 0.2, &Progress::silent()).unwrap();
    assert_eq!(again.rankings, outcome.rankings);
    for Ranking { figures, intervals, .. } in &outcome.rankings {
        for (figure, [low, high]) in figures.iter().zip(intervals) {
            assert!(low <= figure && figure <= high, "{outcome:?}");
        }
    }
}

#[test]
fn a_log_of_which_nothing_can_be_held_out_is_an_error_that_says_so() {
    let bare: Vec<Track> = (0..3)
        .map(|at| Track { title: "t".into(), ..entry(&format!("t0-{at}"), "", &[]) })
        .collect();
    let dataset = read(&log_of_scenes(), &lines(&bare)).unwrap().dataset;
    let error = evaluate(&dataset, &options(), 0.5, &Progress::silent()).unwrap_err();
    assert!(error.to_string().contains("--catalogue"), "{error}");
}
