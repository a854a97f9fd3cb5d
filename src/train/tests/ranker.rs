//! What foretells a yes: learned where there is something to learn, told as it is, and the same every time.
#![allow(clippy::unwrap_used, reason = "what tests are made of may fail them")]

use std::fmt::Write;

use segue_core::{
    catalogue::Track,
    model::{Loss, Model, Responses, SectionKind, encode_tags},
    moment::{Field, Moment},
    rng::SplitMix64,
    signals::Signal,
};
use segue_train::{
    TrainError,
    als::Trainer,
    assemble::{FoldIn, whole_model},
    coding::{fine, turned},
    dataset::{self, Dataset},
    evaluate::feedback::feedback,
    log,
    pipeline::Options,
    progress::Progress,
    ranker::{
        Ranking,
        context::effects,
        learn,
        rates::{Counts, Shrinkage},
        tags::Tagged,
        with_ranker, worth,
    },
    search::Effort,
};

const LOSS: Loss = Loss { unobserved: 0.05, ridge: 0.02, exponent: 1.0 };

/// Listeners of two tastes. Of what is of their own they skip one in `own`, of the rest all but one in five;
/// every tenth track is skipped by everybody.
fn listeners(own: usize) -> Dataset {
    exposed(own, |rng| rng.below(300))
}

/// The same where some tracks come up far more often than others, whatever anybody says to them.
fn unequal(own: usize) -> Dataset {
    exposed(own, |rng| rng.below(300) * rng.below(300) / 300)
}

fn exposed(own: usize, comes_up: impl Fn(&mut SplitMix64) -> usize) -> Dataset {
    let mut rng = SplitMix64::new(5);
    let mut log = String::from("user,track,artist,at,kind\n");
    for listener in 0..300_usize {
        for at in 1..=50 {
            let track = comes_up(&mut rng);
            let is_own = track % 2 == listener % 2;
            let finished = match (track % 10, is_own) {
                (0, _) => false,
                (_, true) => rng.below(own) > 0,
                (_, false) => rng.below(5) == 0,
            };
            let kind = if finished { "play" } else { "skip" };
            writeln!(log, "u{listener},t{track},a{},{at},{kind}", track % 30).unwrap();
        }
    }
    read(&log)
}

fn read(log: &str) -> Dataset {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    std::fs::write(file.path(), log).unwrap();
    let (options, progress) = (log::Options::default(), Progress::silent());
    dataset::read(&[file.path()], None, &options, &progress).unwrap().dataset
}

fn base(dataset: &Dataset) -> Model {
    let before = |listener| dataset.split_by_time(listener).0;
    let by_user = dataset.matrix_of(before, &Responses::default());
    let by_item = by_user.transposed();
    let mut trainer = Trainer::new(&by_user, &by_item, 16, 1);
    (0..16).for_each(|_| trainer.epoch(&LOSS, &|| false));
    let fold_in = FoldIn { loss: LOSS, pull: 0.001, responses: Responses::default() };
    let coded = fine(&turned(&trainer.factors).unwrap());
    whole_model(&dataset.fingerprints, &coded, &fold_in, None).unwrap()
}

fn learned(dataset: &Dataset) -> Option<Ranking> {
    learn(dataset, &base(dataset), 1, &Progress::silent()).unwrap()
}

#[test]
fn what_everybody_skips_and_what_a_listener_skips_is_foretold() {
    let ranking = learned(&listeners(5)).unwrap();
    assert!(ranking.ships);
    assert!(ranking.told.auc > 0.8 && ranking.told.auc > ranking.told.auc_of_taste, "{ranking:?}");
    // Without what all say, nothing tells the tracks that everybody skips.
    let without = ranking.told.without.iter().find(|(of, _)| *of == Signal::Rate).unwrap().1;
    assert!(without < ranking.told.auc - 0.02, "{ranking:?}");
    // Of 149 verdicts in each of ten parts some .03 is chance.
    assert!(ranking.calibration_error() < 0.07, "{ranking:?}");
    let foretold: Vec<f64> = ranking.reliability.iter().map(|bin| bin.foretold).collect();
    assert!(foretold.is_sorted() && foretold.iter().all(|p| (0.0..=1.0).contains(p)));
    let verdicts: usize = ranking.reliability.iter().map(|bin| bin.verdicts).sum();
    // Those of the others chose what is learned.
    assert!(verdicts > 0 && (verdicts as u32) < ranking.parts.recipe.learned_from[1]);
}

#[test]
fn where_skips_follow_nothing_no_ranker_ships() {
    let mut rng = SplitMix64::new(2);
    let mut log = String::from("user,track,at,kind\n");
    for listener in 0..100 {
        for at in 1..=40 {
            let kind = if rng.below(2) == 0 { "play" } else { "skip" };
            writeln!(log, "u{listener},t{},{at},{kind}", rng.below(200)).unwrap();
        }
    }
    let ranking = learned(&read(&log)).unwrap();
    assert!(!ranking.ships && (ranking.told.auc - 0.5).abs() < 0.1, "{ranking:?}");
}

#[test]
fn where_nobody_skips_there_is_nothing_to_learn() {
    let dataset = listeners(5).filtered(|event| !event.kind.is_refusal());
    assert!(learned(&dataset).is_none());
}

#[test]
fn what_is_learned_does_not_depend_on_the_number_of_threads() {
    let dataset = listeners(4);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| learned(&dataset).unwrap())
    };
    assert_eq!(with(1), with(3));
}

/// Listeners who say yes to calm tracks in the morning and to loud ones in the evening, whatever the track. Some are
/// in the mood for calm tracks all sitting long without saying so.
fn moody(named: bool) -> Dataset {
    let mut rng = SplitMix64::new(9);
    let mut log = String::from("user,session,track,tags,at,tz_offset_min,mood,kind\n");
    for listener in 0..200_usize {
        for sitting in 0..10_usize {
            let calm = rng.below(2) == 0;
            let hour = if calm { 8 } else { 20 };
            let mood = match (named, calm) {
                (true, true) => "calm",
                (true, false) => "wild",
                (false, _) => "",
            };
            for at in 0..8 {
                let track = rng.below(120);
                let is_calm = track.is_multiple_of(2);
                let yes = rng.below(10) < if is_calm == calm { 9 } else { 3 };
                let at = ((sitting * 24 + hour) * 60 + at * 3) * 60_000;
                let (zone, at) = if named { ("0".to_owned(), at) } else { (String::new(), at) };
                let tag = if is_calm { "soft" } else { "loud" };
                let kind = if yes { "play" } else { "skip" };
                let at = 1_735_689_600_000_usize + at;
                writeln!(log, "u{listener},s{sitting},t{track},{tag},{at},{zone},{mood},{kind}")
                    .unwrap();
            }
        }
    }
    read(&log)
}

fn weight(ranking: &Ranking, signal: Signal) -> f32 {
    ranking.parts.weights[signal as usize]
}

#[test]
fn what_a_context_tells_is_learned_where_the_log_names_it() {
    let ranking = learned(&moody(true)).unwrap();
    assert!(ranking.ships && ranking.context.is_some(), "{ranking:?}");
    let by_moment = weight(&ranking, Signal::Hour).abs() + weight(&ranking, Signal::Mood).abs();
    assert!(by_moment > 0.5 && ranking.told.auc > 0.7, "{ranking:?}");
    let unnamed = learned(&moody(false)).unwrap();
    assert_eq!(unnamed.context, None);
    assert!(unnamed.told.auc < ranking.told.auc, "{unnamed:?}");
}

#[test]
fn the_mood_of_a_sitting_is_told_by_its_skips_where_nobody_names_it() {
    let ranking = learned(&moody(false)).unwrap();
    assert!(ranking.ships && weight(&ranking, Signal::Sitting) > 0.5, "{ranking:?}");
    let without = ranking.told.without.iter().find(|(of, _)| *of == Signal::Sitting).unwrap().1;
    assert!(without < ranking.told.auc - 0.05, "{ranking:?}");
}

#[test]
fn effects_of_a_context_favour_what_is_said_yes_to_there() {
    let dataset = moody(true);
    let before = |listener| dataset.split_by_time(listener).0;
    let counts = Counts::of(&dataset, &worth(), before);
    let rates = counts.rates(counts.shrinkage());
    let mut parts = learned(&dataset).unwrap().parts;
    parts.recipe.axes = 1;
    let mut base = base(&dataset);
    let tagged = Tagged::of(&dataset.tracks, &dataset.plays());
    let tags = encode_tags(base.ids_digest(), &tagged.of, &tagged.names);
    base.add([(SectionKind::Tags, tags)]).unwrap();
    let model = with_ranker(&base, &rates, &parts, None).unwrap();
    let found = effects(&dataset, &model, Some, before, 10.0).unwrap();
    let key = Moment::default().with(Field::Mood, "calm").key(Field::Mood).unwrap();
    let (_, effect) = found.effects.iter().find(|(of, _)| *of == key).unwrap();
    let of = |name: &str| effect[1 + tagged.names.iter().position(|tag| tag == name).unwrap()];
    assert!(of("soft") > 0.1 && of("loud") < -0.1, "{effect:?} {:?}", tagged.names);
}

#[test]
fn tags_are_those_that_most_listening_has_to_do_with_but_not_those_of_everything() {
    let track = |tags: &[&str]| Track {
        tags: tags.iter().map(|&tag| tag.into()).collect(),
        ..Track::default()
    };
    let tracks: Vec<Track> = (0..40)
        .map(|at| {
            track(if at % 2 == 0 {
                &["music", "calm", "rare"][..if at < 6 { 3 } else { 2 }]
            } else {
                &["music", "loud"]
            })
        })
        .collect();
    let plays: Vec<usize> = (0..40).map(|at| 1 + at % 2).collect();
    let tagged = Tagged::of(&tracks, &plays);
    // Everything is music, and of the rare there is too little.
    assert_eq!(tagged.names, ["loud", "calm"]);
    assert!((0..40).all(|at| tagged.of[at] == if at % 2 == 0 { 2 } else { 1 }));
    assert!(Tagged::of(&[track(&[]), track(&[""])], &[3, 4]).is_empty());
}

#[test]
fn how_far_rates_are_shrunk_is_told_by_what_was_said() {
    // Where all tracks of an artist are alike much is behind each of them; where they are not, little.
    let said = |alike: bool| {
        let mut log = String::from("user,track,artist,at,kind\n");
        let mut rng = SplitMix64::new(3);
        for at in 0..6000_usize {
            let (artist, track) = (at % 20, at / 20 % 15);
            let of = if alike { artist } else { artist * 15 + track * 7 };
            let yes = rng.below(10) < if of % 2 == 0 { 8 } else { 2 };
            let kind = if yes { "play" } else { "skip" };
            writeln!(log, "u{at},t{artist}-{track},a{artist},{at},{kind}").unwrap();
        }
        let dataset = read(&log);
        Counts::of(&dataset, &worth(), |listener| dataset.of(listener)).shrinkage()
    };
    assert!(said(true).artist > 3.0 * said(false).artist, "{:?} {:?}", said(true), said(false));
}

#[test]
fn rates_are_shrunk_towards_those_of_the_artist_and_of_all() {
    // Track `one` of artist `good` has one skip, `other` of the same nine plays; `bad` is skipped throughout.
    let mut log = String::from("user,track,artist,at,kind\nu0,one,good,1,skip\n");
    for listener in 0..9 {
        writeln!(log, "v{listener},other,good,1,play\nv{listener},third,bad,2,skip").unwrap();
    }
    writeln!(log, "u0,fourth,bad,3,play\nu0,lone,,4,search").unwrap();
    let dataset = read(&log);
    let counts = Counts::of(&dataset, &worth(), |listener| dataset.of(listener));
    let row = |track: &str| dataset.tracks.iter().position(|t| t.track == track).unwrap();
    let by = Shrinkage { artist: 5.0, all: 5.0 };
    let share = |track| counts.share(row(track), by);
    assert!(share("other") > share("one") && share("one") > share("third"));
    // One play beside five verdicts of an artist whom nearly all skip.
    assert!(share("fourth") < 0.5 && share("fourth") > share("third"));
    // Of which nobody said anything: 10 of 20 said yes.
    assert!((share("lone") - 0.5).abs() < 1e-9);
    let none = Shrinkage { artist: 0.0, all: 0.0 };
    assert_eq!(counts.share(row("one"), none), 0.0);
    assert!(counts.rates(none).iter().all(|rate| rate.log_odds.is_finite()));
}

fn options() -> Options<'static> {
    Options { dim: 16, clusters: None, seed: 1, effort: Effort::QUICK, head: None, after: None }
}

#[test]
fn feedback_is_measured_with_and_without_skips() {
    let outcome = feedback(&unequal(4), &options(), &Progress::silent()).unwrap();
    let [with, without] = outcome.auc;
    assert!(with > 0.75 && with > without + 0.02, "{outcome:?}");
    assert!(outcome.by_plays && outcome.listeners > 100);
    let [[low, high], .., [gain, _]] = outcome.intervals;
    assert!(low < with && with < high && gain > 0.0, "{outcome:?}");
    assert!(outcome.ranking.unwrap().ships);
}

#[test]
fn where_nobody_both_likes_and_skips_there_is_nothing_to_measure() {
    let dataset = listeners(4).filtered(|event| !event.kind.is_refusal());
    let refused = feedback(&dataset, &options(), &Progress::silent());
    assert!(matches!(refused, Err(TrainError::NoVerdicts)), "{refused:?}");
}
